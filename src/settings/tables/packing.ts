/** The options that say how layers are compressed. `stages.ts` makes a stage of them, where level and engine are checked together. */
import { defaultEngine, engineNames, formatNames, levelRangesByEngine } from '../../codec/encoding.ts';
import { choice, parsed, type Option, type Raw } from '../option.ts';
import { parseDuration } from '../duration.ts';
import { parseGoal } from '../goal.ts';
import { parsePercentOrSize } from '../sizes.ts';
import { parseVariant } from '../variant.ts';

/** The compression level as given. Which levels there are depends on format and engine: `packing()` checks it. */
const level: Option<number | null> = {
  type: 'number',
  alias: 'compression-level',
  value: 'N',
  describe: `set the level: ${levelRangesByEngine()}`,
  group: 'Packing',
  read: (given: Raw | undefined) => (given === undefined ? null : Number(given)),
};

const lazy =
  'Formats for lazy pulling are not supported yet. zstd is the nearest; "nerdctl image convert" makes them.';
const unread = 'Container runtimes do not read it: zstd packs best of those that they read.';

export const packing = {
  compression: choice(formatNames, {
    describe: 'set the compression format of the layers',
    group: 'Packing',
    instead: {
      'zstd:chunked': lazy,
      zstdchunked: lazy,
      estargz: lazy,
      stargz: lazy,
      soci: lazy,
      nydus: lazy,
      gz: 'Write gzip.',
      zstandard: 'Write zstd.',
      uncompressed: 'Write none.',
      plain: 'Write none.',
      tar: 'Write none.',
      off: 'Write none.',
      brotli: unread,
      br: unread,
      xz: unread,
      bzip2: unread,
      lz4: unread,
      lzma: unread,
    },
  }),
  level,
  tune: parsed(parseGoal, {
    value: 'GOAL',
    describe: 'choose levels by goal: fast, balanced, small or pull:BANDWIDTH',
    suggest: async () => ['fast', 'balanced', 'small', 'pull:100Mbit', 'pull:1Gbit'],
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
  addVariant: parsed(parseVariant, {
    value: 'zstd[:LEVEL]',
    describe: 'add every image in zstd to the index, beside one in gzip',
    details:
      'Old clients take the first manifest of their platform, in gzip; podman and others choose zstd. A variant that is there is replaced. Without other options of packing and editing, the image in gzip stays as it is. See docs/variants.md.',
    group: 'Packing',
    suggest: async () => ['zstd', 'zstd:19'],
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
