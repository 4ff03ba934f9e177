/** Writes the files that a rewriting command makes beside the image: reports, digests, metadata. Caller: `rewriting.ts`. */
import { writeFile } from 'node:fs/promises';
import { knownTypes } from '../attest/names.ts';
import type { Bill } from '../analyze/bill.ts';
import type { Attestation } from '../commands/attest/attestation.ts';
import { type Failure, failureOf, type Outcome } from '../commands/outcome.ts';
import { at, OcislimError } from '../errors.ts';
import { fileError } from '../files/file-error.ts';
import { findFile } from '../files/found-file.ts';
import { checkWritable } from '../files/writable.ts';
import type { Reference } from '../oci/reference.ts';
import { rendererFor, reportSuffixes } from '../report/renderers.ts';
import type { SettingsOf } from '../settings/option.ts';
import type { attesting } from '../settings/tables/attesting.ts';
import type { reports } from '../settings/tables/reports.ts';
import type { RecordedFiles } from '../commands/record/recorded-files.ts';
import type { recording } from '../settings/tables/recording.ts';
import type { scanning } from '../settings/tables/scanning.ts';

type FileSettings = Pick<
  SettingsOf<typeof reports>,
  'report' | 'sbom' | 'digestfile' | 'iidfile' | 'metadataFile'
> &
  Pick<SettingsOf<typeof attesting>, 'provenance'> &
  Partial<Pick<SettingsOf<typeof recording>, keyof RecordedFiles>> &
  Partial<Pick<SettingsOf<typeof scanning>, 'vex'>>;

/** The options of recordings that name files. */
const recordedOptions = {
  saveTrace: '--save-trace',
  seccomp: '--seccomp',
  apparmor: '--apparmor',
  creport: '--creport',
} as const satisfies Record<keyof RecordedFiles, string>;

const recordedKeys = Object.keys(recordedOptions) as (keyof RecordedFiles)[];

/** The word of --provenance that stands for no file. */
const attached = 'attach';

/** A file that an option names. */
interface Named {
  readonly option: string;
  readonly file: string;
}

/**
 * Refuses files that could not be written, before any work begins, and those that would be written over each other or over an archive.
 * @param places the source and the destinations
 * @throws USAGE, IO
 */
export async function checkOutputs(settings: FileSettings, places: readonly Reference[]): Promise<void> {
  for (const file of settings.report) {
    if (rendererFor(file) !== null) continue;
    const suffixes = reportSuffixes.join(' or ');
    throw new OcislimError('USAGE', `--report ${JSON.stringify(file)}: the name must end in ${suffixes}`);
  }
  const taken = await archivesOf(places);
  for (const { option, file } of filesOf(settings)) {
    if (file === '') throw new OcislimError('USAGE', `${option} is empty: it takes a file`);
    const identity = await checked(option, file);
    if (identity === null) continue;
    const other = taken.get(identity);
    if (other !== undefined)
      throw new OcislimError('USAGE', `${option} ${JSON.stringify(file)} is ${other}: name another file`);
    taken.set(identity, `the file of ${option} too`);
  }
}

function filesOf(settings: FileSettings): Named[] {
  const { report, sbom, provenance, digestfile, iidfile, metadataFile, vex, ...others } = settings;
  const named = (option: string, file: string | null | undefined) => (file == null ? [] : [{ option, file }]);
  return [
    ...report.map((file) => ({ option: '--report', file })),
    ...sbom.map((file) => ({ option: '--sbom', file })),
    ...provenance.filter((given) => given !== attached).map((file) => ({ option: '--provenance', file })),
    ...named('--vex', vex),
    ...named('--digestfile', digestfile),
    ...named('--iidfile', iidfile),
    ...named('--metadata-file', metadataFile),
    ...recordedKeys.flatMap((key) => named(recordedOptions[key], others[key])),
  ];
}

async function checked(option: string, file: string): Promise<string | null> {
  try {
    return await checkWritable(file);
  } catch (error) {
    throw at(option, error);
  }
}

/** Lists the archives that are read or written: a report must not take their place. */
async function archivesOf(places: readonly Reference[]): Promise<Map<string, string>> {
  const archives = new Map<string, string>();
  for (const [i, place] of places.entries()) {
    if (!('path' in place)) continue;
    const found = await findFile(place.path).catch(() => null);
    const identity = found?.kind === 'file' ? found.identity : null;
    if (identity !== null) archives.set(identity, i === 0 ? 'the source' : 'the destination');
    else if (found?.kind === 'absent') archives.set(found.path, 'the destination');
  }
  return archives;
}

/** Writes all files that the settings ask for. Returns why one could not be written; the others are written all the same. */
export async function writeOutputs(outcome: Outcome, settings: FileSettings): Promise<Failure | null> {
  let failure: Failure | null = null;
  for (const { option, file, bill } of filesOf(settings).flatMap((named) => filesOfBills(named, outcome))) {
    try {
      const content =
        bill === undefined ? await contentFor(option, file, outcome) : await billContent(file, bill);
      // In place, since the file may be a bind mount.
      if (content !== null) await writeFile(file, content);
    } catch (error) {
      failure ??= failureOf(at(option, fileError(`write ${JSON.stringify(file)}`, error)));
    }
  }
  return failure;
}

/** Writes what was recorded although nothing was published, where it was asked for. @throws IO */
export async function writeTrace(file: string | null | undefined, text: string | null): Promise<void> {
  if (file == null || text === null) return;
  await writeFile(file, text).catch((error: unknown) => {
    throw at('--save-trace', fileError(`write ${JSON.stringify(file)}`, error));
  });
}

/** A file that is written, and the bill of materials in it, where it has one. */
interface Written extends Named {
  readonly bill?: Bill;
}

/** Returns the files of an option: for --sbom one for each image, which has its platform in its name where there are several. */
function filesOfBills(named: Named, { bills }: Outcome): readonly Written[] {
  const { option, file } = named;
  if (option !== '--sbom') return [named];
  if (bills.length === 1) return bills.map((bill) => ({ ...named, bill }));
  const [, stem = file, suffix = ''] = /^(.*?)((?:\.(?:cdx|spdx))?\.json)$/i.exec(file) ?? [];
  return bills.map((bill, i) => {
    const platform = bill.image.platform?.replaceAll(/[^\w.-]+/g, '-') ?? `${i + 1}`;
    return { option, file: `${stem}.${platform}${suffix}`, bill };
  });
}

async function billContent(file: string, bill: Bill): Promise<Iterable<string>> {
  const { billFormats, formatOfFile } = await import('../report/sbom/formats.ts');
  const { version } = await import('../commands/version.ts');
  return billFormats[formatOfFile(file)].render(bill, { version, files: false });
}

/** Returns whether it says something of the image: a signature does not. */
function isStatement({ predicateType }: Attestation): boolean {
  return predicateType !== knownTypes.signature;
}

/** Returns what goes into the file of an option; null where a dry run has nothing for it. */
async function contentFor(
  option: string,
  file: string,
  outcome: Outcome,
): Promise<string | Iterable<string> | null> {
  if (option === '--report') return (await rendererFor(file)?.render(outcome.report, outcome.files)) ?? null;
  if (option === '--vex') return outcome.vex;
  const recorded = recordedKeys.find((key) => recordedOptions[key] === option);
  if (recorded !== undefined) return outcome.recorded?.[recorded] ?? null;
  const { root, imageId, attestations } = outcome;
  if (root === null || imageId === null) return null;
  switch (option) {
    case '--provenance':
      return attestations.filter(isStatement).map(({ text }) => `${text}\n`);
    case '--digestfile':
      return `${root.digest}\n`;
    case '--iidfile':
      return imageId;
    default:
      return metadata(outcome, root, imageId);
  }
}

/** Renders what `docker buildx build --metadata-file` writes, for the keys that apply. */
async function metadata(
  { report }: Outcome,
  { mediaType, digest, size }: NonNullable<Outcome['root']>,
  imageId: string,
): Promise<string> {
  const { safeJsonText } = await import('../report/escape.ts');
  const content = {
    'containerimage.config.digest': imageId,
    'containerimage.descriptor': { mediaType, digest, size },
    'containerimage.digest': digest,
    'image.name': report.destination?.references.join(','),
  };
  return `${safeJsonText(JSON.stringify(content, null, 2))}\n`;
}
