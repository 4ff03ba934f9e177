import { at, OcislimError } from '../../errors.ts';
import { run, type RunOptions, type RunOutcome } from '../../jobs/rewrite/run.ts';
import type { Image } from '../../image/image.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';
import { restore } from '../../slim/restore.ts';
import { JoinedSource } from '../../place/joined-source.ts';
import type { Source } from '../../place/place.ts';
import type { Session } from '../session.ts';

/** Where the debug image went. */
export interface DebugImage {
  readonly reference: string;
  readonly digest: Digest;
}

/**
 * What --debug-tag names: a bare tag stands for the destination's repository or layout.
 * @throws USAGE where the destination has no room for a second tag, or is named itself
 */
export function debugReference(name: string, destinations: readonly Reference[]): Reference {
  const [first] = destinations;
  if (first === undefined) throw new OcislimError('USAGE', '--debug-tag goes beside a destination');
  const isTag = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(name);
  if (isTag && (first.kind === 'oci-archive' || first.kind === 'docker-archive')) {
    throw new OcislimError('USAGE', `--debug-tag ${name}: an archive is written as a whole`, {
      advice: 'Name another file for the debug image.',
    });
  }
  const reference = isTag && 'tag' in first ? { ...first, tag: name, digest: null } : parseReference(name);
  if ('digest' in reference && reference.digest !== null)
    throw new OcislimError('USAGE', '--debug-tag needs a tag, not a digest');
  const whole = reference.kind === 'registry' ? { ...reference, tag: reference.tag ?? 'latest' } : reference;
  const same = destinations.some((destination) => formatReference(destination) === formatReference(whole));
  if (same)
    throw new OcislimError('USAGE', `--debug-tag: ${formatReference(whole)} is the slim image itself`);
  return whole;
}

/**
 * Puts an image beside the slim one that shares its layers and has all that was removed on top. The slim image is there
 * already: its destination is the first source, the run's source the second.
 */
export async function writeDebugImage(
  options: Omit<RunOptions, 'target'>,
  outcome: RunOutcome,
  destination: Reference,
  reference: Reference,
  session: Session,
): Promise<DebugImage> {
  const root = outcome.root?.descriptor.digest;
  if (root === undefined)
    throw new OcislimError('INTERNAL', 'there is no slim image to put a debug image beside');
  const places: { close(): Promise<void> }[] = [];
  try {
    const slim = await session.openResult(
      'digest' in destination ? { ...destination, digest: root } : destination,
    );
    places.push(slim);
    const target = await session.openTarget([reference]);
    places.push(target);
    const originals = new Map<Digest, Image>();
    const made = new Set<Digest>();
    for (const { image, manifest, layers } of outcome.images) {
      const digest = manifest?.descriptor.digest;
      if (digest !== undefined && digest !== image.descriptor.digest) originals.set(digest, image);
      for (const layer of layers ?? []) made.add(layer.digest);
    }
    const others = new Map<Digest, Source>();
    for (const image of originals.values())
      for (const { digest } of image.manifest.layers)
        if (!made.has(digest)) others.set(digest, options.source);
    const fresh = (image: Image | undefined) => (image === undefined ? null : { ...image, original: null });
    const result = await run({
      ...options,
      source: new JoinedSource(slim, others),
      target,
      transform: restore({
        originalOf: (image) => fresh(originals.get(image.descriptor.digest)),
        paths: null,
      }),
      platforms: [],
      platformsOfIndex: [],
      requireSavings: null,
    });
    const digest = result.root?.descriptor.digest;
    if (digest === undefined) throw new OcislimError('INTERNAL', 'the debug image was not written');
    return { reference: formatReference(reference), digest };
  } catch (error) {
    throw at(
      `the slim image was published as ${formatReference(destination)}, but its debug image was not`,
      error,
    );
  } finally {
    for (const place of places.reverse()) await place.close();
  }
}
