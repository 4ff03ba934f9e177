/**
 * The tag that lists the referrers of a manifest, for registries without the referrers API. The target adds the artifacts that it
 * pushes; the referrers are read from it.
 */
import { OcislimError } from '../errors.ts';
import { parseJsonObject } from '../oci/json.ts';
import { type Index, parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-type.ts';
import { describeReferrer, referrersTag, subjectOf, withReferrers } from '../oci/referrers.ts';
import type { RawManifest } from '../place/place.ts';
import { nameOf } from './failure.ts';
import { findManifest, putManifest } from './manifests.ts';
import type { Repository } from './repository.ts';

/** Further writes of the index while other clients write to it. */
const writeRetries = 4;

/** Another client has written the index since it was read. */
class Overwritten extends OcislimError {}

/**
 * Adds a manifest that has a `subject` to the index under the subject's tag, for registries that have not noted the subject
 * themselves. The entries of other clients stay as they are. Returns whether the manifest has a subject.
 * @throws REGISTRY when the tag is something else, or other clients keep overwriting it
 */
export async function noteReferrer(
  repository: Repository,
  raw: RawManifest,
  signal: AbortSignal,
): Promise<boolean> {
  const { digest } = raw.descriptor;
  const what = `manifest ${digest}`;
  const subject = subjectOf(parseJsonObject(raw.bytes, what), what);
  if (subject === null) return false;
  const tag = referrersTag(subject.digest);
  const policy = { retries: writeRetries, isTransient: (error: unknown) => error instanceof Overwritten };
  await repository.client.retries(policy).run(signal, async () => {
    const before = await readIndex(repository, tag, signal);
    const index = withReferrers(before?.json ?? null, [describeReferrer(raw)]);
    if (index === null) return;
    await putManifest(repository, { tag }, index, signal);
    // A registry has no condition for writes: what counts is what is there afterwards.
    if (hasEntry(await readIndex(repository, tag, signal), digest)) return;
    throw new Overwritten(
      'REGISTRY',
      `${nameOf(repository.party)}: manifest ${digest} could not be added to the referrers of ${subject.digest}: others write to the tag ${tag} at the same time`,
      { advice: 'Try again when no other client pushes.' },
    );
  });
  return true;
}

function hasEntry(index: Index | null, digest: string): boolean {
  return index?.children.some(({ descriptor }) => descriptor.digest === digest) ?? false;
}

/** Reads the index under a tag. Returns null when the tag is missing. @throws REGISTRY when it is anything but an index */
async function readIndex(repository: Repository, tag: string, signal: AbortSignal): Promise<Index | null> {
  const raw = await findManifest(repository, { tag }, signal);
  if (raw === null) return null;
  const what = `referrers tag ${tag}`;
  const document =
    raw.descriptor.mediaType === mediaTypes.ociIndex
      ? parseManifest(raw.bytes, raw.descriptor.mediaType, what)
      : null;
  if (document?.kind === 'index') return document;
  throw new OcislimError(
    'REGISTRY',
    `${nameOf(repository.party)}: the ${what} should be an index of what refers to an image, but is ${JSON.stringify(raw.descriptor.mediaType)}`,
    { advice: 'The registry needs this tag for referrers: move what is there to another one.' },
  );
}
