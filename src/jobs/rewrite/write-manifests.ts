/**
 * Writes what stands above the layers of a run: configs, manifests, and the index over several images, each under its digest
 * only. `publishImages` calls it when all layers are at the target.
 */
import type { Listener } from '../../events.ts';
import type { Limits } from '../../limits.ts';
import { attestedDigest, isAttestation } from '../../oci/attestation.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Family } from '../../oci/media-type.ts';
import { BlobsUnknown } from '../../place/blobs-unknown.ts';
import type { RawManifest, Source, Target } from '../../place/place.ts';
import type { ImageSet, Member } from '../image-set.ts';
import { assembleIndex, type NewChild } from './assemble-index.ts';
import { TreeCopier } from './copy-tree.ts';
import type { AssembledImage } from './records.ts';
import { warnOfSubject } from './warnings.ts';

export interface ManifestContext {
  readonly source: Source;
  readonly target: Target;
  readonly set: ImageSet;
  /** The family that all images convert to; null where each keeps its own. */
  readonly family: Family | null;
  /** Configs that have been written already. */
  readonly there: ReadonlySet<Digest>;
  /** Writes layers of this run once more, after the target has lost them. Returns false for other blobs. */
  readonly again: (digests: readonly Digest[], signal: AbortSignal) => Promise<boolean>;
  readonly limits: Limits;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/**
 * Writes the manifests of all images, and copies the other members of the set, but for attestations about an image that has
 * changed. Returns the root: the index, or the manifest of an image without one. @throws what the target throws
 */
export async function writeManifests(
  images: readonly AssembledImage[],
  context: ManifestContext,
): Promise<RawManifest> {
  const { set, target, signal } = context;
  for (const { assembled } of images) {
    const { descriptor, bytes } = assembled.config;
    if (!context.there.has(descriptor.digest)) await target.put(bytes, descriptor, signal);
    await putWithLayers(assembled.manifest, context);
  }
  // One platform of several becomes an image without an index: only an index could hold its attestations.
  const isSingle = set.narrowed && set.selected.length === 1 && images.length === 1;
  const children = await writeChildren(images, isSingle, context);
  const [first] = images;
  if (set.index === null || isSingle) return first?.assembled.manifest ?? set.root;
  const annotations = first?.image.plan.labelling.annotations ?? {};
  const isSame =
    !set.narrowed &&
    Object.keys(annotations).length === 0 &&
    context.family === null &&
    children.every(({ member, manifest }) => manifest?.digest === member.raw.descriptor.digest);
  const family = context.family ?? set.index.family;
  const root = isSame ? set.root : assembleIndex(set.index, children, { annotations, family });
  await target.putManifest(root, signal);
  return root;
}

/** Copies the members that are not images, and lists all members with what they are in the new index. */
async function writeChildren(
  images: readonly AssembledImage[],
  isSingle: boolean,
  { source, target, set, limits, listener, signal }: ManifestContext,
): Promise<NewChild[]> {
  const manifests = new Map(images.map(({ member, assembled }) => [member, assembled.manifest]));
  const changed = new Set(
    images.flatMap(({ member: { raw }, assembled: { manifest } }) =>
      manifest.descriptor.digest === raw.descriptor.digest ? [] : [raw.descriptor.digest as string],
    ),
  );
  const tree = new TreeCopier(target, source, limits);
  const children: NewChild[] = [];
  for (const member of set.members) {
    const own = manifests.get(member);
    if (own !== undefined) {
      children.push({ member, manifest: own.descriptor });
      warnOfSubject(member, own, listener);
    } else if (isOutdated(member, changed)) {
      const subject = member.child === null ? null : attestedDigest(member.child);
      listener({
        type: 'warning',
        code: 'ATTESTATION_DROPPED',
        message: `an attestation was left out of the index: the image that it is about (${subject ?? 'unnamed'}) has changed`,
      });
      children.push({ member, manifest: null });
    } else if (!isSingle) {
      await tree.copy(member.raw, 1, signal);
      children.push({ member, manifest: member.raw.descriptor });
    }
  }
  return children;
}

/** Returns whether a member is an attestation about one of the changed images, or about an image that it does not name. */
function isOutdated({ child }: Member, changed: ReadonlySet<string>): boolean {
  if (child === null || !isAttestation(child)) return false;
  const subject = attestedDigest(child);
  return subject === null ? changed.size > 0 : changed.has(subject);
}

/** Puts the manifest of an image. Layers of this run that the target has lost are written once more, each once. */
async function putWithLayers(
  manifest: RawManifest,
  { target, again, signal }: ManifestContext,
): Promise<void> {
  const repaired = new Set<Digest>();
  for (;;) {
    try {
      return await target.putManifest(manifest, signal);
    } catch (error) {
      // Some registries name one blob at a time.
      const lost =
        error instanceof BlobsUnknown ? error.digests.filter((digest) => !repaired.has(digest)) : [];
      if (lost.length === 0 || !(await again(lost, signal))) throw error;
      for (const digest of lost) repaired.add(digest);
    }
  }
}
