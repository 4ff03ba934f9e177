/** Reads the JSON reports that `verify --removed-by` names: what a squash or prune says it removed or changed. */
import { OcislimError } from '../errors.ts';
import type { AnnouncedPlatforms } from './announced-schema.ts';
import type { Door } from './option.ts';
import { readText } from './rule-files.ts';

/** Reads what reports announce, platform by platform. @throws USAGE for a file that is not a report of ocislim */
export async function readReports(
  files: readonly string[],
  _where: string,
  door: Pick<Door, 'limits' | 'signal'>,
): Promise<AnnouncedPlatforms> {
  const platforms: AnnouncedPlatforms[number][] = [];
  for (const file of files) for (const platform of await readReport(file, door)) platforms.push(platform);
  return platforms;
}

async function readReport(
  file: string,
  { limits, signal }: Pick<Door, 'limits' | 'signal'>,
): Promise<AnnouncedPlatforms> {
  const content = await readText(file, { what: 'report', limit: 'report-bytes', limits }, signal);
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw new OcislimError('USAGE', `${JSON.stringify(file)} is not JSON`, { cause });
  }
  const { announcedSchema } = await import('./announced-schema.ts');
  const report = announcedSchema.safeParse(value);
  if (report.success) return report.data.platforms.map((platform) => ({ ...platform, file }));
  throw new OcislimError('USAGE', `${JSON.stringify(file)} is not a report of ocislim`, {
    advice: 'Write one with "ocislim prune … --report FILE.json".',
  });
}
