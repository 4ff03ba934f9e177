import type { Listener } from '../../events.ts';
import type { Image, Transform } from '../../image/image.ts';
import { defaultLimits, exceeded, type Limits } from '../../limits.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Manifest, parseManifest } from '../../oci/manifest.ts';
import { type Family, isIndexType, isManifestType } from '../../oci/media-type.ts';
import type { RawManifest, Source, Target } from '../../place/place.ts';
import { BlobsUnknown } from '../../place/blobs-unknown.ts';
import { type Assembled, assembleIndex } from './assemble.ts';
import { attestedDigest, type ImageSet, isAttestation, type Member } from '../image-set.ts';
import { isElsewhere } from '../../layers/write/adopt-layer.ts';

export interface ManifestOptions {
  readonly source: Source;
  readonly transform: Transform;
  readonly listener: Listener;
  readonly signal: AbortSignal;
  /** Configs that have been written already. */
  readonly there: ReadonlySet<Digest>;
  /** Makes layers again that the target has lost; false for others. */
  readonly again: (digests: readonly Digest[], signal: AbortSignal) => Promise<boolean>;
  readonly limits?: Limits;
}

/**
 * Writes configs, manifests and, where there are several images, the index; every one under its digest only. Children
 * of an index that are no images are copied, but for attestations about an image that has changed. Returns the root.
 */
export async function writeManifests(
  target: Target,
  set: ImageSet,
  assembled: ReadonlyMap<Member, Assembled>,
  family: Family | null,
  options: ManifestOptions,
): Promise<RawManifest> {
  const { source, signal, listener, there } = options;
  for (const { manifest, config } of assembled.values()) {
    if (!there.has(config.descriptor.digest)) await target.put(config.bytes, config.descriptor, signal);
    await putWithLayers(target, manifest, options);
  }
  const changed = new Set(
    [...assembled].flatMap(([member, { manifest }]) =>
      manifest.descriptor.digest === member.raw.descriptor.digest
        ? []
        : [member.raw.descriptor.digest as string],
    ),
  );
  const children: { member: Member; manifest: Descriptor | null }[] = [];
  const tree = new TreeCopier(target, source, options.limits);
  // One platform of several becomes an image without an index: nothing but an index can hold its attestations.
  const single = set.narrowed && set.selected.length === 1 && assembled.size === 1;
  for (const member of set.members) {
    const own = assembled.get(member);
    if (own !== undefined) {
      children.push({ member, manifest: own.manifest.descriptor });
      warnOfSubject(member, own.manifest, listener);
      continue;
    }
    const subject = member.child === null ? null : attestedDigest(member.child);
    if (
      member.child !== null &&
      isAttestation(member.child) &&
      (subject === null ? changed.size > 0 : changed.has(subject))
    ) {
      listener({
        type: 'warning',
        code: 'ATTESTATION_DROPPED',
        message: `an attestation was left out of the index: the image that it is about (${subject ?? 'unnamed'}) has changed`,
      });
      children.push({ member, manifest: null });
      continue;
    }
    if (single) continue;
    await tree.copy(member.raw, 1, signal);
    children.push({ member, manifest: member.raw.descriptor });
  }
  if (set.index === null || single) return [...assembled.values()][0]?.manifest ?? set.root;
  const first = set.members.find(({ image }) => image !== null)?.image ?? null;
  const annotations = first === null ? {} : annotationsOf(options, first);
  const same =
    !set.narrowed &&
    Object.keys(annotations).length === 0 &&
    family === null &&
    children.every(({ member, manifest }) => manifest?.digest === member.raw.descriptor.digest);
  if (same) {
    await target.putManifest(set.root, signal);
    return set.root;
  }
  const root = assembleIndex(set.index, children, annotations, family ?? set.index.family);
  await target.putManifest(root, signal);
  return root;
}

/** Puts the manifest of an image; layers that were made in this run and are lost are made once more, each once. */
async function putWithLayers(target: Target, manifest: RawManifest, options: ManifestOptions): Promise<void> {
  const { signal, again } = options;
  const made = new Set<Digest>();
  for (;;) {
    try {
      return await target.putManifest(manifest, signal);
    } catch (error) {
      // Some registries name one blob at a time.
      const lost = error instanceof BlobsUnknown ? error.digests.filter((digest) => !made.has(digest)) : [];
      if (lost.length === 0 || !(await again(lost, signal))) throw error;
      for (const digest of lost) made.add(digest);
    }
  }
}

function annotationsOf(options: ManifestOptions, image: Image): Readonly<Record<string, string>> {
  return options.transform(image).plan.labelling.annotations;
}

/**
 * Copies everything that a manifest names as it is: attestations, artifacts, nested indexes. What is named twice is copied once,
 * since an index that names another twice, which names another twice, doubles the work with each.
 */
class TreeCopier {
  readonly #target: Target;
  readonly #source: Source;
  readonly #limits: Limits;
  readonly #copied = new Set<Digest>();

  constructor(target: Target, source: Source, limits: Limits = defaultLimits) {
    this.#target = target;
    this.#source = source;
    this.#limits = limits;
  }

  /** `depth`: indexes around it. @throws LIMIT */
  async copy(raw: RawManifest, depth: number, signal: AbortSignal): Promise<void> {
    const { mediaType, digest } = raw.descriptor;
    if (!isIndexType(mediaType) && !isManifestType(mediaType)) return;
    const [target, source] = [this.#target, this.#source];
    const document = parseManifest(raw.bytes, mediaType, `a manifest of ${source.label}`);
    if (document.kind === 'index') {
      if (depth >= this.#limits['index-depth'])
        throw exceeded(
          'index-depth',
          this.#limits,
          `${source.label} has too many indexes in each other`,
          `index ${digest} lies in ${depth} others`,
        );
      for (const { descriptor } of document.children) {
        if (this.#copied.has(descriptor.digest)) continue;
        await this.copy(await source.manifest(descriptor, signal), depth + 1, signal);
      }
    } else {
      await copyBlobs(target, source, document, signal);
    }
    await target.putManifest(raw, signal);
    this.#copied.add(digest);
  }
}

async function copyBlobs(
  target: Target,
  source: Source,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  for (const descriptor of [manifest.config, ...manifest.layers.filter((layer) => !isElsewhere(layer))])
    await target.adopt(descriptor, source, signal);
}

/** What refers to another manifest is, once it has changed, a manifest of its own. */
function warnOfSubject({ image, raw }: Member, manifest: RawManifest, listener: Listener): void {
  const subject = image?.manifest.subject ?? null;
  if (subject === null || manifest.descriptor.digest === raw.descriptor.digest) return;
  listener({
    type: 'warning',
    code: 'REFERRERS_LEFT',
    message: `the source says of itself that it refers to ${subject.digest}; the new image does not say so`,
  });
}

/** Signatures and the like hold for the old digest only. */
export async function warnOfReferrers(
  source: Source,
  set: ImageSet,
  root: RawManifest,
  listener: Listener,
  signal: AbortSignal,
): Promise<void> {
  if (root.descriptor.digest === set.root.descriptor.digest) return;
  let found: readonly Descriptor[];
  try {
    found = await source.referrers(set.root.descriptor.digest, signal);
  } catch (error) {
    signal.throwIfAborted();
    // Who signs must not be silenced by a registry that does not say.
    listener({
      type: 'warning',
      code: 'REFERRERS_LEFT',
      message: `nobody could tell whether signatures or attestations refer to the source: ${error instanceof Error ? error.message : String(error)}`,
    });
    return;
  }
  if (found.length === 0) return;
  const kinds = [
    ...new Set(
      found.map(({ json, mediaType }) =>
        typeof json['artifactType'] === 'string' ? json['artifactType'] : mediaType,
      ),
    ),
  ];
  listener({
    type: 'warning',
    code: 'REFERRERS_LEFT',
    message: `${found.length} ${found.length === 1 ? 'artifact refers' : 'artifacts refer'} to the source (${kinds.join(', ')}): signatures and attestations do not hold for the new digest and stay behind`,
  });
}
