/** Writes the files that a rewriting command makes beside the image: reports, digests, metadata. Caller: `rewriting.ts`. */
import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Outcome } from '../commands/outcome.ts';
import { OcislimError } from '../errors.ts';
import { findFile, requireKind } from '../files/found-file.ts';
import { rendererFor, reportSuffixes } from '../report/renderers.ts';
import type { SettingsOf } from '../settings/option.ts';
import type { reports } from '../settings/tables/reports.ts';

type FileSettings = SettingsOf<typeof reports>;

/** Refuses files that could not be written, before the image is published. @throws USAGE, IO */
export async function checkOutputs({
  report,
  digestfile,
  iidfile,
  metadataFile,
}: FileSettings): Promise<void> {
  for (const file of report) {
    if (rendererFor(file) === null) {
      const suffixes = reportSuffixes.join(' or ');
      throw new OcislimError('USAGE', `--report ${JSON.stringify(file)}: the name must end in ${suffixes}`);
    }
  }
  for (const file of [...report, digestfile, iidfile, metadataFile])
    if (file !== null) await checkWritable(file);
}

/**
 * Checks the file that links lead to, or its folder where the file does not exist yet. Of pipes and devices only those below /dev
 * and /proc are written to, such as /dev/stderr: a pipe of another name may have no reader.
 * @throws IO
 */
async function checkWritable(file: string): Promise<void> {
  const found = await findFile(file);
  const isOfSystem = /^\/(?:dev|proc)\//.test(resolve(file));
  requireKind(found, ['absent', 'file', ...(isOfSystem ? (['pipe', 'device'] as const) : [])]);
  try {
    await access(found.kind === 'absent' ? dirname(found.path) : file, constants.W_OK);
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

/** Writes all files that the settings ask for. @throws IO */
export async function writeOutputs(outcome: Outcome, settings: FileSettings): Promise<void> {
  for (const file of settings.report) {
    const renderer = rendererFor(file);
    if (renderer !== null) await write(file, await renderer.render(outcome.report));
  }
  const { root, imageId } = outcome;
  if (root === null || imageId === null) return;
  if (settings.digestfile !== null) await write(settings.digestfile, `${root.digest}\n`);
  if (settings.iidfile !== null) await write(settings.iidfile, imageId);
  if (settings.metadataFile !== null)
    await write(settings.metadataFile, await metadata(outcome, root, imageId));
}

/** What `docker buildx build --metadata-file` writes, for the keys that apply. */
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

/** Writes a file in place, since it may be a bind mount. @throws IO */
async function write(file: string, content: string | Iterable<string>): Promise<void> {
  try {
    await writeFile(file, content);
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

function cannotWrite(file: string, cause: unknown): OcislimError {
  return new OcislimError('IO', `cannot write ${JSON.stringify(file)}: ${(cause as Error).message}`, {
    cause,
  });
}
