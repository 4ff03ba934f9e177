/** Reads where a rewriting command writes to, and refuses what would overwrite more than the caller named. */
import { resolve } from 'node:path';
import { OcislimError } from '../errors.ts';
import { formatReference, parseReference, type Reference } from '../oci/reference.ts';

/** What the caller said about the destination. */
export interface Wishes {
  /** The destination after the source, if any. */
  readonly destination: string | null;
  readonly tag: readonly string[];
  readonly inPlace: boolean;
  readonly dryRun: boolean;
}

/** Where the result goes: references of one place that differ in their tags; none for a dry run. @throws USAGE */
export function destinationsOf(source: Reference, wishes: Wishes): readonly Reference[] {
  const { destination, tag, inPlace, dryRun } = wishes;
  const given = [...(destination === null ? [] : [destination]), ...tag];
  if (inPlace && given.length > 0)
    throw new OcislimError('USAGE', '--in-place writes over the source: it takes no destination');
  const references = given.map((item) => withTag(parseReference(item)));
  if (dryRun) return [];
  if (inPlace) {
    refuseInPlace(source);
    return [withTag(source)];
  }
  if (references.length === 0) {
    throw new OcislimError('USAGE', 'no destination was given for the new image', {
      advice:
        'Name a destination after the source (or -t REF); --in-place writes over the source; --dry-run only shows.',
    });
  }
  const same = references.find((reference) => placeOf(reference) === placeOf(withTag(source)));
  if (same === undefined) return references;
  throw new OcislimError('USAGE', `the destination ${formatReference(same)} is the source`, {
    advice: isArchive(source) ? 'Write to another file.' : '--in-place writes over the source.',
  });
}

function isArchive({ kind }: Reference): boolean {
  return kind === 'oci-archive' || kind === 'docker-archive';
}

/** @throws USAGE where a source has no name to write to, or where more than the source would be overwritten */
function refuseInPlace(source: Reference): void {
  if (source.kind === 'oci-archive' || source.kind === 'docker-archive') {
    throw new OcislimError(
      'USAGE',
      '--in-place is for registries and layouts: an archive is written as a whole, with all that it holds',
      { advice: 'Write to another file.' },
    );
  }
  if (source.digest !== null)
    throw new OcislimError(
      'USAGE',
      '--in-place needs a tag to write to, and the source is named by its digest',
    );
  if (source.kind === 'layout' && source.tag === null) {
    throw new OcislimError('USAGE', '--in-place needs a tag to write to', {
      advice: `Name it: ${formatReference(source)}:TAG.`,
    });
  }
}

/** Names the place of an image. Two references with the same place mean the same image, however they are written. */
function placeOf(reference: Reference): string {
  if (reference.kind === 'registry') return formatReference(reference);
  const path = resolve(reference.path);
  // An archive is written as a whole, whatever names it holds.
  return reference.kind === 'layout' ? formatReference({ ...reference, path }) : path;
}

function withTag(reference: Reference): Reference {
  if (reference.kind !== 'registry') return reference;
  if (reference.digest !== null)
    throw new OcislimError(
      'USAGE',
      `a destination has no digest before it is written: ${formatReference(reference)}`,
    );
  return { ...reference, tag: reference.tag ?? 'latest' };
}
