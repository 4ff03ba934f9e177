/**
 * Writes what stands above the layers of a run: configs, manifests, and the index over several images, each under its digest
 * only. `publishImages` calls it when all layers are at the target.
 */
import type { Listener } from '../../events.ts';
import type { BaseNames } from '../../image/image.ts';
import type { Limits } from '../../limits.ts';
import { type Descriptor, makeDescriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { JsonObject } from '../../oci/json.ts';
import type { Index, IndexChild } from '../../oci/manifest.ts';
import type { Family } from '../../oci/media-type.ts';
import { joinPacking, type Packing } from '../../oci/packing-notes.ts';
import { BlobsUnknown } from '../../place/blobs-unknown.ts';
import type { RawManifest, Source, Target } from '../../place/place.ts';
import { attestedDigest, isAttestation } from '../../oci/attestation.ts';
import { imageMembers, type ImageSet, type Member, type NestedIndex } from '../image-set.ts';
import { assembleIndex, newIndex, type NewChild, platformJson, variantRow } from './assemble-index.ts';
import { holdsOneImage, isWrittenAlone } from './one-image.ts';
import { TreeCopier } from './copy-tree.ts';
import { packingOf } from './packing-of.ts';
import { apart, type AssembledImage, type OtherBytes } from './records.ts';
import { warnOfAttestation, warnOfIndexSubject, warnOfRowsLeftOut, warnOfSubject } from './warnings.ts';

export interface ManifestContext {
  readonly source: Source;
  readonly target: Target;
  readonly set: ImageSet;
  /** The family that all images convert to; null where each keeps its own. */
  readonly family: Family | null;
  /** Annotations to add to the root index. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Configs that have been written already. */
  readonly there: ReadonlySet<Digest>;
  /** Writes layers of this run once more, after the target has lost them. Returns false for other blobs. */
  readonly again: (digests: readonly Digest[], signal: AbortSignal) => Promise<boolean>;
  readonly limits: Limits;
  /** Counts the bytes of what is copied beside images. */
  readonly others: OtherBytes;
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
  const { images: plain, variants } = apart(images);
  const writer = new MemberWriter(plain, variants, context);
  const [first] = plain;
  if (set.index === null && variants.length > 0) return writer.writeNewRoot();
  if (set.index === null) {
    if (first === undefined) await writer.copyRoot();
    else warnOfSubject(first.member, first.assembled.manifest, context.listener);
    return first?.assembled.manifest ?? set.root;
  }
  if (first !== undefined && isWrittenAlone(set, images.length, target)) {
    warnOfSubject(first.member, first.assembled.manifest, context.listener);
    if (!holdsOneImage(target)) warnOfRowsLeftOut(set, context.listener);
    return first.assembled.manifest;
  }
  return writer.writeRoot(set.index);
}

/** Writes members of indexes that are not images themselves, and the indexes around them. */
class MemberWriter {
  readonly #context: ManifestContext;
  readonly #tree: TreeCopier;
  /** The new manifest of each image. */
  readonly #manifests: ReadonlyMap<Member, RawManifest>;
  /** Second manifests of images, which get rows of their own at the end of the root index. */
  readonly #variants: readonly AssembledImage[];
  /** The bases of the images that are on another one. */
  readonly #bases: ReadonlyMap<Member, BaseNames>;
  /** How the layers of each image are packed. */
  readonly #packings: ReadonlyMap<Member, Packing>;
  /** Digests of the manifests and indexes that have changed. */
  readonly #changed: Set<string>;
  /** How the layers of all images in an index are packed. */
  readonly #packingsBelow = new Map<NestedIndex, Packing>();
  /** Indexes that have been written, each once. */
  readonly #nested = new Map<NestedIndex, RawManifest>();

  constructor(
    images: readonly AssembledImage[],
    variants: readonly AssembledImage[],
    context: ManifestContext,
  ) {
    this.#context = context;
    const known = new Set(images.map(({ assembled }) => assembled.manifest.descriptor.digest));
    // What has no layer to pack is the same manifest, and needs no second row.
    this.#variants = variants.filter(({ assembled }) => !known.has(assembled.manifest.descriptor.digest));
    this.#tree = new TreeCopier(context);
    this.#manifests = new Map(images.map(({ member, assembled }) => [member, assembled.manifest]));
    this.#bases = new Map(
      images.flatMap(({ member, image: { rebased } }) => (rebased === null ? [] : [[member, rebased.names]])),
    );
    this.#packings = new Map(images.map((image) => [image.member, packingOf(image)]));
    this.#changed = new Set(
      images.flatMap(({ member: { raw }, assembled: { manifest } }) =>
        manifest.descriptor.digest === raw.descriptor.digest ? [] : [raw.descriptor.digest],
      ),
    );
  }

  /** Copies the root of a set that is neither an image nor an index. */
  async copyRoot(): Promise<void> {
    const { set, signal } = this.#context;
    await this.#tree.copyBelow(set.root, 0, signal);
  }

  async writeRoot(index: Index): Promise<RawManifest> {
    const { set, annotations } = this.#context;
    const mayStay = !set.narrowed && Object.keys(annotations).length === 0 && this.#variants.length === 0;
    const old = { raw: set.root, index, members: set.members };
    return this.#writeIndex(old, mayStay, { annotations, depth: 1, more: this.#variants.map(variantRow) });
  }

  /** Writes an index over an image that had none, and its second manifest. */
  async writeNewRoot(): Promise<RawManifest> {
    const { set, annotations, target, signal } = this.#context;
    const rows = [
      ...set.members.flatMap((member) => this.#firstRow(member)),
      ...this.#variants.map(variantRow),
    ];
    const root = newIndex(rows, annotations);
    await target.putManifest(root, signal);
    return root;
  }

  #firstRow(member: Member): JsonObject[] {
    if (member.kind !== 'image') return [];
    const { descriptor } = this.#manifests.get(member) ?? member.raw;
    const platform = platformJson(member.image.config.json);
    return [{ ...makeDescriptor(descriptor.mediaType, descriptor.digest, descriptor.size).json, platform }];
  }

  /** Writes an index, unless all below it stays as it was: then it is copied. */
  async #writeIndex(
    { raw, index, members }: NestedIndex,
    mayStay: boolean,
    {
      annotations,
      depth,
      more = [],
    }: {
      readonly annotations: Readonly<Record<string, string>>;
      readonly depth: number;
      readonly more?: readonly JsonObject[];
    },
  ): Promise<RawManifest> {
    const { family, target, listener, signal } = this.#context;
    const rows = await this.#writeRows(members, depth);
    const isSame =
      mayStay &&
      members.length === index.children.length &&
      (family === null || family === index.family) &&
      rows.every(({ child, manifest }) => manifest?.digest === child.descriptor.digest);
    const changes = { annotations, family: family ?? index.family, more };
    const root = isSame ? raw : assembleIndex(index, rows, changes);
    if (!isSame) warnOfIndexSubject(index, listener);
    await target.putManifest(root, signal);
    return root;
  }

  /** Writes images and indexes before the rest: whether an attestation holds depends on what it is about. */
  async #writeRows(members: readonly Member[], depth: number): Promise<NewChild[]> {
    const rows = new Map<Member, Descriptor | null>();
    const isFirst = ({ kind }: Member) => kind !== 'other';
    for (const member of [...members.filter(isFirst), ...members.filter((each) => !isFirst(each))])
      rows.set(member, await this.#writeMember(member, depth));
    return members.flatMap((member) =>
      member.child === null
        ? []
        : [
            {
              child: member.child,
              manifest: rows.get(member) ?? null,
              packing: this.#packingOf(member),
              bases: this.#bases.get(member) ?? null,
            },
          ],
    );
  }

  #packingOf(member: Member): Packing | null {
    if (member.kind === 'other') return null;
    if (member.kind === 'image') return this.#packings.get(member) ?? null;
    const { nested } = member;
    const known = this.#packingsBelow.get(nested);
    if (known !== undefined) return known;
    const packing = joinPacking(imageMembers(nested).flatMap((image) => this.#packings.get(image) ?? []));
    this.#packingsBelow.set(nested, packing);
    return packing;
  }

  async #writeMember(member: Member, depth: number): Promise<Descriptor | null> {
    const { listener, signal } = this.#context;
    switch (member.kind) {
      case 'image': {
        const own = this.#manifests.get(member) ?? member.raw;
        warnOfSubject(member, own, listener);
        return own.descriptor;
      }
      case 'nested': {
        const known = this.#nested.get(member.nested);
        const written =
          known ?? (await this.#writeIndex(member.nested, true, { annotations: {}, depth: depth + 1 }));
        this.#nested.set(member.nested, written);
        const { digest } = member.child.descriptor;
        if (written.descriptor.digest !== digest) this.#changed.add(digest);
        return written.descriptor;
      }
      case 'other': {
        const { child, raw } = member;
        if (child === null) return null;
        if (isOutdated(child, this.#changed)) {
          warnOfAttestation(child, listener);
          return null;
        }
        await this.#tree.copyRow(child.descriptor, raw, depth, signal);
        return child.descriptor;
      }
    }
  }
}

/** Returns whether a row is an attestation about one of the changed images, or about an image that it does not name. */
function isOutdated(child: IndexChild, changed: ReadonlySet<string>): boolean {
  if (!isAttestation(child)) return false;
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
