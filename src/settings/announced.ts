/** Reads the JSON reports that `verify --removed-by` names: what a squash or prune says it removed or changed. */
import { OcislimError } from '../errors.ts';
import { streamBounded } from '../files/given-file.ts';
import { NotJson } from './json-pieces.ts';
import type { Door } from './option.ts';
import { type AnnouncedPlatform, NotReport, ReportReader } from './report-reader.ts';
import { quoted, unreadable } from './rule-files.ts';

/** The platforms of reports, each with the file that it was read from, if it was. */
export type AnnouncedPlatforms = readonly (AnnouncedPlatform & { readonly file?: string })[];

/** Reads what reports announce, platform by platform. @throws USAGE for a file that is not a report of ocislim, LIMIT */
export async function readReports(
  files: readonly string[],
  _where: string,
  door: Pick<Door, 'limits' | 'signal'>,
): Promise<AnnouncedPlatforms> {
  const platforms: AnnouncedPlatforms[number][] = [];
  for (const file of files) for (const platform of await readReport(file, door)) platforms.push(platform);
  return platforms;
}

/** Reads a report as it comes: only what it announces is held. Each piece of the file is a turn of its own. */
async function readReport(
  file: string,
  { limits, signal }: Pick<Door, 'limits' | 'signal'>,
): Promise<AnnouncedPlatforms> {
  const what = quoted(file, 'report');
  const reader = new ReportReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of streamBounded(file, { what, limit: 'report-bytes', limits }, signal))
      reader.write(decoder.decode(chunk, { stream: true }));
    reader.write(decoder.decode());
    return reader.end().map((platform) => ({ ...platform, file }));
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof NotJson)
      throw new OcislimError('USAGE', `${JSON.stringify(file)} is not JSON`, { cause });
    if (cause instanceof NotReport)
      throw new OcislimError('USAGE', `${JSON.stringify(file)} is not a report of ocislim`, {
        advice: 'Write one with "ocislim prune … --report FILE.json".',
      });
    throw unreadable(what, cause);
  }
}
