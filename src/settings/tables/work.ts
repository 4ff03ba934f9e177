/** The options that say how much of the machine is used. */
import { limitTable } from '../../limits.ts';
import { count, list, parsed, text } from '../option.ts';
import type { LimitOverrides } from '../limits.ts';
import { parseSize } from '../sizes.ts';

export const work = {
  jobs: count(1, {
    alias: 'j',
    value: 'N',
    describe: 'work on N layers and blocks at once (default: one per processor)',
    group: 'Work',
  }),
  limit: list(readLimits, {
    value: 'NAME=VALUE',
    describe: 'override a safety limit, e.g. layer-bytes=200GiB (see docs/limits.md)',
    suggest: async () => Object.keys(limitTable).map((name) => `${name}=`),
    details: 'Repeatable; "none" removes a limit: layer-entries=20000000, time=2h, ratio=none.',
    group: 'Work',
  }),
  maxScratch: parsed(parseSize, {
    value: 'SIZE',
    default: '2GB',
    describe: 'bound the disk for blobs that are read twice and archives in pipes; 0: none',
    group: 'Work',
  }),
  cacheDir: text({
    value: 'DIR',
    describe: 'keep blobs and finished layers here for the next run',
    details: 'The next run moves and makes only what is missing.',
    group: 'Work',
  }),
  cacheSize: parsed(parseSize, {
    value: 'SIZE',
    default: '10GB',
    describe: 'bound the size of --cache-dir; the least recently used goes first',
    group: 'Work',
  }),
};

/** Loads what reads limits only where some are given. */
async function readLimits(texts: readonly string[], where: string): Promise<LimitOverrides> {
  return texts.length === 0 ? {} : (await import('../limits.ts')).parseLimits(texts, where);
}
