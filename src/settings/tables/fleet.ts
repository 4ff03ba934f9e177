/**
 * The options of `fleet`: which images of a registry are meant, and where their plan goes. Its command reads this table, and help, completion and the pages list
 * it.
 */
import { OcislimError } from '../../errors.ts';
import type { FleetSource } from '../../fleet/index.ts';
import { checkGlobs } from '../rule-files.ts';
import { count, type Door, list, parsed, type SettingsOf } from '../option.ts';
import { reaching } from './commands.ts';
import { outputFile } from './looking.ts';
import { platform } from './result.ts';

const below =
  'Names are those below the source: of `registry.example/team`, the repository `registry.example/team/api` is `api`.';

const { maxScratch: _1, cacheDir: _2, cacheSize: _3, jobs: _4, ...reachingLists } = reaching;

export const fleetOptions = {
  include: list(checkGlobs, {
    value: 'GLOB',
    describe: 'plan only repositories that this matches (repeatable)',
    details: `${below} A name includes what is below it; * stops at a slash, ** does not.`,
    group: 'Fleet',
  }),
  exclude: list(checkGlobs, {
    value: 'GLOB',
    describe: 'leave out repositories that this matches (repeatable)',
    details: below,
    group: 'Fleet',
  }),
  tags: list(checkGlobs, {
    value: 'GLOB',
    describe: 'plan only tags that this matches (repeatable)',
    details: 'Tags that cosign and referrers use are never planned.',
    group: 'Fleet',
  }),
  newest: count(1, {
    value: 'N',
    describe: 'plan the N newest images of each repository',
    details:
      'By the time in their configs; images of one time by the numbers in their tags. Tags of one image count once.',
    group: 'Fleet',
  }),
  since: parsed(parseSince, {
    value: 'DATE',
    describe: 'plan only images made since then: 2026-01-31, or 90d',
    group: 'Fleet',
  }),
  from: list(readLists, {
    value: 'FILE',
    describe: 'read sources from a file, one on each line; - for stdin (repeatable)',
    details: 'Empty lines and those that begin with `#` say nothing.',
    group: 'Fleet',
  }),
  output: outputFile,
  platform,
  ...reachingLists,
};
export type FleetSettings = SettingsOf<typeof fleetOptions>;

async function readLists(
  files: readonly string[],
  where: string,
  door: Door,
): Promise<readonly FleetSource[]> {
  return files.length === 0 ? [] : (await import('../fleet-lists.ts')).readFleetLists(files, where, door);
}

/** Reads a date (its first moment, in UTC), a time, or a number of days before now. Returns milliseconds since 1970. @throws USAGE */
function parseSince(given: string, where: string): number {
  const days = /^(\d{1,5})d$/.exec(given)?.[1];
  if (days !== undefined) return Date.now() - Number(days) * 86_400_000;
  const isDate = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/.test(given);
  const time = isDate ? Date.parse(given) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new OcislimError('USAGE', `${where}: ${JSON.stringify(given)} is not a date`, {
    advice: 'Write 2026-01-31, 2026-01-31T12:00:00Z, or 90d for the last 90 days.',
  });
}
