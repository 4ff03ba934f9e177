/**
 * The tag that lists the referrers of a manifest, for registries without the referrers API. The target adds the artifacts that it
 * pushes; the referrers are read from it.
 */
import { OcislimError } from '../errors.ts';
import { descriptorOfBytes, parseDescriptor } from '../oci/descriptor.ts';
import { algorithmOf, type Digest, hexOf } from '../oci/digest.ts';
import { encodeJson, isJsonObject, type JsonObject, parseJsonObject } from '../oci/json.ts';
import { type Index, parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-type.ts';
import type { RawManifest } from '../place/place.ts';
import { nameOf } from './failure.ts';
import { getManifest, putManifest } from './manifests.ts';
import type { Repository } from './repository.ts';

/** Returns the tag that replaces the referrers API for a subject (distribution-spec, "Referrers Tag Schema"). */
export function referrersTag(digest: Digest): string {
  return `${algorithmOf(digest)}-${hexOf(digest)}`;
}

/** Further writes of the index while other clients write to it. */
const writeRetries = 4;

/** Another client has written the index since it was read. */
class Overwritten extends OcislimError {}

/**
 * Adds a manifest that has a `subject` to the index under the subject's tag, for registries that have not noted the subject
 * themselves. Has no effect for a manifest without one. The entries of other clients stay as they are.
 * @throws REGISTRY when the tag is something else, or other clients keep overwriting it
 */
export async function noteReferrer(
  repository: Repository,
  raw: RawManifest,
  signal: AbortSignal,
): Promise<void> {
  const { digest } = raw.descriptor;
  const document = parseJsonObject(raw.bytes, `manifest ${digest}`);
  if (document['subject'] === undefined || document['subject'] === null) return;
  const subject = parseDescriptor(document['subject'], `the subject of manifest ${digest}`);
  const tag = referrersTag(subject.digest);
  const policy = { retries: writeRetries, isTransient: (error: unknown) => error instanceof Overwritten };
  await repository.client.retries(policy).run(signal, async () => {
    const before = await readIndex(repository, tag, signal);
    if (hasEntry(before, digest)) return;
    const index = withEntry(before, describeReferrer(document, raw));
    await putManifest(repository, { tag }, index, signal);
    // A registry has no condition for writes: what counts is what is there afterwards.
    if (hasEntry(await readIndex(repository, tag, signal), digest)) return;
    throw new Overwritten(
      'REGISTRY',
      `${nameOf(repository.party)}: manifest ${digest} could not be added to the referrers of ${subject.digest}: others write to the tag ${tag} at the same time`,
      { advice: 'Try again when no other client pushes.' },
    );
  });
}

function hasEntry(index: Index | null, digest: Digest): boolean {
  return index?.children.some(({ descriptor }) => descriptor.digest === digest) ?? false;
}

/** Returns an index with its entries and one more; a new one for null. */
function withEntry(before: Index | null, entry: JsonObject): RawManifest {
  const entries = before?.children.map(({ descriptor }) => descriptor.json) ?? [];
  const bytes = encodeJson({
    ...(before === null ? { schemaVersion: 2, mediaType: mediaTypes.ociIndex } : before.json),
    manifests: [...entries, entry],
  });
  return { descriptor: descriptorOfBytes(mediaTypes.ociIndex, bytes), bytes };
}

/** Reads the index under a tag. Returns null when the tag is missing. @throws REGISTRY when it is anything but an index */
async function readIndex(repository: Repository, tag: string, signal: AbortSignal): Promise<Index | null> {
  let raw: RawManifest;
  try {
    raw = await getManifest(repository, { tag }, signal);
  } catch (error) {
    if (error instanceof OcislimError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
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

/** Returns an entry as in the referrers API (distribution-spec, "Listing Referrers"). */
function describeReferrer(document: JsonObject, { descriptor }: RawManifest): JsonObject {
  const { artifactType, annotations, config } = document;
  const stated = typeof artifactType === 'string' && artifactType !== '' ? artifactType : null;
  const type = stated ?? (isJsonObject(config) ? config['mediaType'] : null) ?? null;
  const { mediaType, digest, size } = descriptor;
  return {
    mediaType,
    digest,
    size,
    ...(type === null ? {} : { artifactType: type }),
    ...(annotations === undefined || annotations === null ? {} : { annotations }),
  };
}
