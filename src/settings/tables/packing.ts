/** The options that say how layers are compressed. */
import { defaultEngine, engineNames, formatNames, levelRangesByEngine } from '../../codec/encoding.ts';
import { choice, parsed, type Option, type Raw } from '../option.ts';
import { parseDuration } from '../duration.ts';
import { parseGoal } from '../goal.ts';
import { parsePercentOrSize } from '../sizes.ts';

/** The compression level as given. Which levels there are depends on format and engine: `packing()` checks it. */
const level: Option<number | null> = {
  type: 'number',
  alias: 'compression-level',
  value: 'N',
  describe: `set the level: ${levelRangesByEngine()}`,
  group: 'Packing',
  read: (given: Raw | undefined) => (given === undefined ? null : Number(given)),
};

export const packing = {
  compression: choice(formatNames, {
    describe: 'set the compression format of the layers',
    group: 'Packing',
  }),
  level,
  tune: parsed(parseGoal, {
    value: 'GOAL',
    describe: 'choose levels by goal: fast, balanced, small or pull:BANDWIDTH',
    details:
      'Takes the place of a level. The goal pull:BANDWIDTH (pull:100Mbit) chooses for each layer what gives the quickest pull. See docs/tuning.md.',
    group: 'Packing',
  }),
  budget: parsed(parseDuration, {
    value: 'TIME',
    describe: 'spend at most this time on compression (60s, 1m30s), where it saves most',
    details: 'The result depends on the speed of the machine.',
    group: 'Packing',
  }),
  gzipEngine: choice(engineNames('gzip'), {
    default: defaultEngine('gzip'),
    describe: 'choose the gzip encoder',
    details: 'libdeflate is smaller and faster. Each writes one gzip member, which every client reads.',
    group: 'Packing',
  }),
  minSavings: parsed(parsePercentOrSize, {
    value: 'N%|BYTES',
    describe: 'keep the blob of a layer that would not shrink by this much',
    group: 'Packing',
  }),
};

/** How `copy` packs what `docker save` has unpacked. It changes nothing else. */
export const unpacked = choice(formatNames, {
  describe: 'pack the plain layers of a docker-archive (default: gzip); none keeps them',
  details:
    'Not for other sources, whose layers are copied as they are. The levels are gzip 6 and zstd 3; `ocislim recompress` takes others.',
  group: 'Packing',
});
