/**
 * Opens the places that references name, whatever their form. The one way from a reference to a `Source` or a `Target`:
 * commands and the public API call it.
 */
import { join, resolve } from 'node:path';
import { at, OcislimError } from '../errors.ts';
import { findFile, type FoundFile, requireKind } from '../files/found-file.ts';
import { checkFolder, checkReplaceable } from '../files/writable.ts';
import {
  digestOfReference,
  formatReference,
  formOf,
  isStream,
  isUntagged,
  type Reference,
} from '../oci/reference.ts';
import type { Source, Target } from '../place/place.ts';
import type { MirrorOptions } from '../registry/mirrored-source.ts';
import { openerOf, type PlaceOptions, rowsMeant } from './openers.ts';
import { settleDestination, settleSource } from './settle-path.ts';

/**
 * Opens the place of an image for reading: a registry by its mirrors, if it has any. Reads nothing before the source is
 * asked for something, except to find where a path with colons ends.
 */
export async function openSource(
  reference: Reference,
  options: PlaceOptions,
  mirrors: MirrorOptions | null = null,
): Promise<Source> {
  if (isUntagged(reference)) {
    const name = formatReference(reference);
    throw new OcislimError('REFERENCE_INVALID', `source ${name}: no digest follows the "@"`, {
      advice: `Write ${name.slice(0, -1)}:TAG or ${name}sha256:…; "@" alone is for destinations.`,
    });
  }
  const settled = await settleSource(reference);
  return openerOf(settled).openSource(settled, { label: formatReference(settled), options, mirrors });
}

/**
 * Opens a place for writing. The references differ in their names only. Local places are looked at, but not written yet. With
 * `inPlace` the result replaces the image that the only reference means as a source: in a layout, the very row that is read.
 * @throws REFERENCE_INVALID for several places and for digests that a place cannot promise, ARCHIVE_INVALID, IO
 */
export async function openTarget(
  references: readonly Reference[],
  options: PlaceOptions,
  signal: AbortSignal,
  inPlace = false,
): Promise<Target> {
  const settled = await Promise.all(references.map(inPlace ? settleSource : settleDestination));
  const [first] = settled;
  if (first === undefined) throw new OcislimError('REFERENCE_INVALID', 'no destination was given');
  const stray = settled.find((reference) => placeOf(reference) !== placeOf(first));
  if (stray !== undefined) {
    throw new OcislimError(
      'REFERENCE_INVALID',
      `${formatReference(stray)} is in another place than ${formatReference(first)}`,
      { advice: 'Write to one place, then copy the result to the other.' },
    );
  }
  const label = settled.map(formatReference).join(', ');
  if (!inPlace && settled.some((each) => digestOfReference(each) !== null && !formOf(each).promisesDigest)) {
    throw new OcislimError('REFERENCE_INVALID', `${label}: a destination has no digest yet`, {
      advice: `Name it by a tag: ${formatReference(formOf(first).withName(first, null))}:TAG`,
    });
  }
  return openerOf(first).openTarget(first, { label, references: settled, inPlace, options, signal });
}

/**
 * Refuses destinations on this disk that cannot be written, or that are the source: also where links, hard links or another spelling
 * of the path hide it, or another name of the same row of a layout. Reads no image, and leaves nothing behind.
 * @throws USAGE where source and destination are one, IO for a device, a pipe and the like, and where nothing can be made
 */
export async function checkLocalTargets(
  source: Reference,
  targets: readonly Reference[],
  { inPlace, signal }: { readonly inPlace: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const from = await settleSource(source);
  const there = 'path' in from ? (await findFile(from.path)).identity : null;
  for (const target of await Promise.all(targets.map(inPlace ? settleSource : settleDestination))) {
    if (!('path' in target) || isStream(target)) continue;
    const { isWrittenWhole } = formOf(target);
    const found = await checkPlace(target, target.path);
    if (inPlace || found.identity === null || found.identity !== there) continue;
    if (!isWrittenWhole && !(await isSameImage(from, target, signal))) continue;
    throw new OcislimError('USAGE', `the destination ${formatReference(target)} is the source`, {
      advice: isWrittenWhole
        ? 'Write to another file; --in-place replaces the image in this one.'
        : '--in-place writes over the source.',
    });
  }
}

/** Looks at the file or folder of a destination, and whether it can be written. @throws IO */
async function checkPlace(target: Reference, path: string): Promise<FoundFile> {
  const { isWrittenWhole, prefix } = formOf(target);
  const other = (form: string) => `${form}${formatReference(target).slice(prefix.length)}`;
  try {
    const found = await findFile(path);
    if (isWrittenWhole) {
      const form = found.kind === 'folder' ? `Write ${other('oci:')} for a layout in a folder. ` : '';
      const advice = `${form}An archive is one file; ${prefix}- is standard output.`;
      requireKind(found, ['absent', 'file'], advice);
      await checkReplaceable(path);
    } else {
      const form = found.kind === 'file' ? other('oci-archive:') : 'oci-archive:-';
      const use = found.kind === 'file' ? 'a layout in a file' : 'standard output';
      const advice = `Write ${form} for ${use}. A layout is a folder.`;
      requireKind(found, ['absent', 'folder'], advice);
      for (const folder of foldersOf(found)) await checkFolder(folder);
    }
    return found;
  } catch (error) {
    throw at(`destination ${formatReference(target)}`, error);
  }
}

/** Lists the folders of a layout that files are made in. */
function foldersOf({ path, kind }: FoundFile): readonly string[] {
  const blobs = join(path, 'blobs', 'sha256');
  return kind === 'absent' ? [blobs] : [path, blobs];
}

/** Returns whether a destination in the layout of the source replaces the row that is read. One that is named by digest stays readable. */
async function isSameImage(source: Reference, target: Reference, signal: AbortSignal): Promise<boolean> {
  if (nameIn(source) === nameIn(target)) return true;
  const name = formOf(target).nameOf(target);
  if (source.kind !== 'layout' || name === null || source.digest !== null) return false;
  const { refNameKey, imageNameKey, annotation } = await import('../store/layout/layout-index.ts');
  const rows = await rowsMeant(source, signal).catch(() => []);
  return rows.some((row) => [refNameKey, imageNameKey].some((key) => annotation(row, key) === name));
}

/** Returns what a reference says beside its path. */
function nameIn(reference: Reference): string {
  return formatReference('path' in reference ? { ...reference, path: '.' } : reference);
}

/** Returns the place of a reference as text: references with the same place can be written by one target. */
function placeOf(reference: Reference): string {
  const absolute = 'path' in reference ? { ...reference, path: resolve(reference.path) } : reference;
  return formatReference(formOf(absolute).withName(absolute, null));
}
