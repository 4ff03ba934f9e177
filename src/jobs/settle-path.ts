/**
 * Decides what a reference with a path means: paths may hold colons and "@", so that a text has several readings, and the files
 * that are there tell which one it is. open.ts asks before it opens a place.
 */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OcislimError } from '../errors.ts';
import { isArchiveName } from '../oci/forms/hints.ts';
import {
  formatReference,
  formOf,
  positionOf,
  problemOfName,
  readingsOf,
  type Reference,
} from '../oci/reference.ts';

type LocalReference = Extract<Reference, { readonly path: string }>;

/**
 * Returns the first reading of a source that holds images, else the first that is there, else the likeliest.
 * @throws IO where a folder is named as an archive, or a file as a layout
 */
export async function settleSource(reference: Reference): Promise<Reference> {
  if (!isLocal(reference)) return reference;
  const readings = await readingsThere(reference);
  for (const reading of readings) if (await holdsImages(reading)) return reading;
  const [first = reference] = readings;
  if (readings.length === 0) await refuseName(reference);
  await refuseOtherKind(first);
  return first;
}

/**
 * Returns the reading of a destination that is there, or whose folder is. Otherwise the likeliest one, whose path has no colon.
 * @throws REFERENCE_INVALID where a folder would get a name that was hardly meant
 */
export async function settleDestination(reference: Reference): Promise<Reference> {
  if (!isLocal(reference)) return reference;
  const there = (await readingsThere(reference)).find((reading) => positionOf(reading) === null);
  if (there !== undefined) return there;
  for (const reading of readingsOf(reference).filter(isLocal)) {
    const folder = dirname(reading.path);
    const isNew = positionOf(reading) === null && !/@[0-9]+$/.test(reading.path);
    if (isNew && folder.includes(':') && (await kindOf(folder)) === 'folder') return reading;
  }
  await refuseName(reference);
  refuseSurprise(reference);
  return reference;
}

function isLocal(reference: Reference): reference is LocalReference {
  return 'path' in reference;
}

/** Returns the readings whose paths exist. A reference whose own path exists has no other. */
async function readingsThere(reference: LocalReference): Promise<readonly LocalReference[]> {
  const there: LocalReference[] = [];
  if (reference.path === '-') return there;
  for (const reading of readingsOf(reference))
    if (isLocal(reading) && (await kindOf(reading.path)) !== null) there.push(reading);
  return there;
}

async function holdsImages(reference: LocalReference): Promise<boolean> {
  return reference.kind === 'layout' ? isLayout(reference.path) : (await kindOf(reference.path)) === 'file';
}

async function isLayout(path: string): Promise<boolean> {
  const files = await Promise.all(['oci-layout', 'index.json'].map((name) => kindOf(join(path, name))));
  return files.includes('file');
}

/** Returns what a path leads to; null where nothing is. */
export function kindOf(path: string): Promise<'file' | 'folder' | 'other' | null> {
  return stat(path).then(
    (found) => (found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other'),
    () => null,
  );
}

/** @throws IO where a path is there, and of another kind than its form says */
async function refuseOtherKind(reference: LocalReference): Promise<void> {
  const kind = await kindOf(reference.path);
  const text = formatReference(reference);
  const rest = text.slice(formOf(reference).prefix.length);
  const isLayoutForm = reference.kind === 'layout';
  if (kind === 'file' && isLayoutForm)
    throw new OcislimError('IO', `${text}: ${reference.path} is a file, and a layout is a folder`, {
      advice: `Write oci-archive:${rest} for an OCI layout in a tar, docker-archive:${rest} for a file of docker save.`,
    });
  if (kind === 'folder' && !isLayoutForm)
    throw new OcislimError('IO', `${text}: ${reference.path} is a folder, and an archive is a file`, {
      advice: `Write oci:${rest} for an OCI layout in a folder.`,
    });
}

/** @throws REFERENCE_INVALID where the path ends at its first colon by all that is known, and no name follows it */
async function refuseName(reference: LocalReference): Promise<void> {
  const path = reference.path.slice(0, Math.max(0, reference.path.indexOf(':', 1)));
  const problem = problemOfName(reference);
  if (problem !== null && (isArchiveName(path) || (await kindOf(path)) !== null)) throw problem;
}

/** @throws REFERENCE_INVALID for a new path that was hardly meant: with a colon, a position, or the name of an archive */
function refuseSurprise(reference: LocalReference): void {
  const text = formatReference(reference);
  const { prefix } = formOf(reference);
  const refuse = (why: string, advice: string) =>
    new OcislimError('REFERENCE_INVALID', `destination ${text}: ${why}`, { advice });
  const position = positionOf(reference);
  if (position !== null)
    throw refuse(
      'a new image has no position yet',
      reference.kind === 'layout'
        ? `Write ${prefix}${reference.path}:TAG, or ${prefix}${reference.path}@${position}/ for a new folder of this name.`
        : `Write ${prefix}${reference.path}:TAG, or ${prefix}${reference.path}@${position}:NAME:TAG for a new file of this name.`,
    );
  if (reference.path.includes(':'))
    throw refuse(
      `no folder tells where the path ends: at ${JSON.stringify(reference.path)}, or at an earlier colon`,
      `If that is the path, make the folder ${JSON.stringify(dirname(reference.path))} first.`,
    );
  if (reference.kind === 'layout' && isArchiveName(reference.path))
    throw refuse(
      'a layout is a folder, and the path is named as an archive',
      `Write ${text.replace(prefix, 'oci-archive:')}, or ${formatReference({ ...reference, path: `${reference.path}/` })} for a folder of this name.`,
    );
}
