/**
 * Debug images (--debug-tag): a second image beside the result, with everything that was removed on top. Caller: `rewrite.ts`,
 * once the result is published.
 */
import { at, OcislimError } from '../errors.ts';
import { run, type RunOptions, type RunOutcome } from '../jobs/rewrite/run.ts';
import { blobOf } from '../layers/index.ts';
import type { Image } from '../image/image.ts';
import type { Digest } from '../oci/digest.ts';
import { isTag } from '../oci/names.ts';
import {
  digestOfReference,
  formatReference,
  formOf,
  isStream,
  isUntagged,
  parseReference,
  type Reference,
  withDigest,
} from '../oci/reference.ts';
import { restore } from '../slim/restore.ts';
import { JoinedSource } from '../place/joined-source.ts';
import type { Source } from '../place/place.ts';
import type { Workspace } from './workspace.ts';

/** A debug image that was written. */
export interface DebugImage {
  readonly reference: string;
  readonly digest: Digest;
}

/**
 * Reads --debug-tag: a bare tag stands for the destination's repository or layout.
 * @throws USAGE where the destination has no room for a second tag, or is named itself
 */
export function debugReference(name: string, destinations: readonly Reference[]): Reference {
  const [first] = destinations;
  if (first === undefined) throw new OcislimError('USAGE', '--debug-tag goes beside a destination');
  const isBare = isTag(name);
  const place = formOf(first);
  if (isBare && place.isWrittenWhole) {
    throw new OcislimError('USAGE', `--debug-tag ${name}: an archive is written as a whole`, {
      advice: 'Name another file for the debug image.',
    });
  }
  const reference = isBare ? place.withName(first, name) : parseReference(name);
  if (digestOfReference(reference) !== null || isUntagged(reference)) {
    const place = formatReference(formOf(reference).withName(reference, null));
    throw new OcislimError('USAGE', '--debug-tag needs a tag, not a digest', {
      advice: `Write ${place}:TAG, or the tag alone.`,
    });
  }
  const form = formOf(reference);
  const whole = form.nameOf(reference) === null ? form.withName(reference, form.defaultName) : reference;
  const same = destinations.some((destination) => formatReference(destination) === formatReference(whole));
  if (isStream(whole))
    throw new OcislimError('USAGE', '--debug-tag: standard output is not for a second image');
  if (same)
    throw new OcislimError('USAGE', `--debug-tag: ${formatReference(whole)} is the slim image itself`);
  return whole;
}

interface Wanted {
  /** Of the run that wrote the slim image. */
  readonly options: Omit<RunOptions, 'target' | 'transform'>;
  readonly outcome: RunOutcome;
  readonly destination: Reference;
  /** The debug image's own. */
  readonly reference: Reference;
}

/**
 * Writes an image beside the slim one that shares its layers and has all that was removed on top. The slim image is published
 * already: it is the first source, the source of the run the second.
 * @throws whatever runs throw, with the name of the debug image before the message
 */
export async function writeDebugImage(wanted: Wanted, workspace: Workspace): Promise<DebugImage> {
  const { options, outcome, destination, reference } = wanted;
  const root = outcome.root?.descriptor.digest;
  if (root === undefined)
    throw new OcislimError('INTERNAL', 'a debug image was asked for before the slim image was written');
  try {
    await using slim = await workspace.openResult(withDigest(destination, root));
    await using target = await workspace.openTarget([reference], { pool: options.pool });
    const { originals, kept } = originalsOf(outcome);
    const others = new Map([...kept].map((digest): [Digest, Source] => [digest, options.source]));
    const result = await run({
      ...options,
      source: new JoinedSource(slim, others),
      target,
      transform: restore({
        originalOf: (image) => originals.get(image.descriptor.digest) ?? null,
        paths: null,
      }),
      platforms: [],
      platformsOfIndex: [],
      requireSavings: null,
      variant: null,
      referrers: 'drop',
      carried: null,
      attach: null,
    });
    const digest = result.root?.descriptor.digest;
    if (digest === undefined) throw new OcislimError('INTERNAL', 'the debug image was not written');
    return { reference: formatReference(reference), digest };
  } catch (error) {
    const unwritten = `its debug image ${formatReference(reference)} was not written`;
    if (error instanceof OcislimError && error.code === 'INTERRUPTED')
      throw new OcislimError('INTERRUPTED', `${unwritten}: interrupted`, { cause: error });
    throw at(unwritten, error);
  }
}

/** The originals by the digests of their slim images, and the layers of the originals that the slim images lack. */
function originalsOf(outcome: RunOutcome) {
  const originals = new Map<Digest, Image>();
  const made = new Set<Digest>();
  for (const { image, manifest, layers } of outcome.images) {
    const digest = manifest?.descriptor.digest;
    if (digest !== undefined && digest !== image.descriptor.digest)
      originals.set(digest, { ...image, original: null });
    for (const { sealed } of layers) {
      const blob = sealed === null ? null : blobOf(sealed);
      if (blob !== null) made.add(blob.digest);
    }
  }
  const layers = [...originals.values()].flatMap(({ manifest }) =>
    manifest.layers.map(({ digest }) => digest),
  );
  return { originals, kept: new Set(layers.filter((digest) => !made.has(digest))) };
}
