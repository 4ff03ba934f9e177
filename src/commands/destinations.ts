/**
 * Reads where a rewriting command writes to. It refuses what would overwrite more than the caller named; nothing is opened
 * here.
 */
import { resolve } from 'node:path';
import { OcislimError } from '../errors.ts';
import {
  digestOfReference,
  formatReference,
  formOf,
  isRegistry,
  isStream,
  isUntagged,
  parseReference,
  type Reference,
} from '../oci/reference.ts';

/** What the caller said about the destination. */
export interface Wishes {
  /** The destination after the source, if any. */
  readonly destination: string | null;
  readonly tag: readonly string[];
  readonly inPlace: boolean;
  readonly dryRun: boolean;
}

/**
 * Lists where the result goes, or would go: references of one place that differ in their tags. A dry run needs none, and what it names is
 * checked all the same. @throws USAGE
 */
export function destinationsOf(source: Reference, wishes: Wishes): readonly Reference[] {
  const { destination, tag, inPlace, dryRun } = wishes;
  const given = [...(destination === null ? [] : [destination]), ...tag];
  if (inPlace && given.length > 0)
    throw new OcislimError('USAGE', '--in-place writes over the source: it takes no destination');
  const references = given.map((item) => named(parseReference(item)));
  if (inPlace) {
    refuseInPlace(source);
    return [ownPlace(source)];
  }
  if (references.length === 0) {
    if (dryRun) return [];
    throw new OcislimError('USAGE', 'no destination was given for the new image', {
      advice:
        'Name a destination after the source (or -t REF); --in-place writes over the source; --dry-run only shows.',
    });
  }
  // A source that is pinned by its digest stays what it is, whatever its tag is made to mean.
  const own = placeOf(digestOfReference(source) === null ? named(source) : source);
  const same = references.find((reference) => !isStream(reference) && placeOf(reference) === own);
  if (same === undefined) return references;
  throw new OcislimError('USAGE', `the destination ${formatReference(same)} is the source`, {
    advice: formOf(source).isWrittenWhole
      ? 'Write to another file; --in-place replaces the image in this one.'
      : '--in-place writes over the source.',
  });
}

/** @throws USAGE where a source has no name to write to, or where more than the source would be overwritten */
function refuseInPlace(source: Reference): void {
  const form = formOf(source);
  if (isStream(source)) {
    throw new OcislimError('USAGE', '--in-place cannot write over standard input', {
      advice: `Write to standard output: ${form.prefix}-`,
    });
  }
  if (!isRegistry(source) || source.digest === null || source.tag !== null) return;
  const place = formatReference(form.withName(source, null));
  throw new OcislimError(
    'USAGE',
    '--in-place needs a tag to write to, and the source is named by its digest alone',
    { advice: `Name the tag too: ${place}:TAG@${source.digest}; or write by digest alone: -t ${place}@` },
  );
}

/** Names the place of an image. Two references with the same place mean the same image, however they are written. */
function placeOf(reference: Reference): string {
  if (!('path' in reference)) return formatReference(reference);
  const path = resolve(reference.path);
  // A place that is written as a whole is one, whatever names it holds.
  return formOf(reference).isWrittenWhole ? path : formatReference({ ...reference, path });
}

/** Gives a destination the default name of its form. @throws USAGE for a digest where a name is needed */
function named(reference: Reference): Reference {
  const form = formOf(reference);
  if (form.defaultName === null || isUntagged(reference)) return reference;
  if (digestOfReference(reference) !== null) {
    const place = formatReference(form.withName(reference, null));
    throw new OcislimError(
      'USAGE',
      `a destination has no digest before it is written: ${formatReference(reference)}`,
      { advice: `Write ${place}:TAG, or ${place}@ for no tag: the digest is printed.` },
    );
  }
  return form.nameOf(reference) === null ? form.withName(reference, form.defaultName) : reference;
}

/** Returns where a source stands: the tag of a registry, also of one with a digest; in a layout, what the reference means. */
function ownPlace(source: Reference): Reference {
  if (!isRegistry(source)) return source;
  return source.tag === null ? named(source) : formOf(source).withName(source, source.tag);
}
