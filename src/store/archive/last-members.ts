/**
 * Makes the members of an archive that name the image, which are written after all blobs. Here the two forms of archive differ:
 * jobs/openers.ts gives one of the two functions to `ArchiveStorage.open`.
 */
import { fitsDockerArchive } from '../../codec/encoding.ts';
import { OcislimError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { algorithmOf, type Digest } from '../../oci/digest.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import { encodeJson, type JsonObject } from '../../oci/json.ts';
import { isImage, type Manifest, parseManifest } from '../../oci/manifest.ts';
import { isIndexType, layerKind } from '../../oci/media-type.ts';
import { blockSize, isZeroBlock, parseHeader } from '../../tar/header.ts';
import { blobName } from '../layout/layout-files.ts';
import { imageNameKey, layoutMarker, refNameKey } from '../layout/layout-index.ts';
import type { RawManifest } from '../../place/place.ts';
import { named } from '../layout/layout-naming.ts';
import type { LastMembers, NamedRoot, WrittenBlobs } from './archive-storage.ts';
import type { KeptImages } from './existing-archive.ts';
import { fullName, tagOfName } from '../image-name.ts';
import { onePlatform } from './one-platform.ts';

/**
 * Makes `index.json` and `oci-layout` of an OCI archive: an entry for each tag, or one without a name. A tag that is a whole name is
 * also written as containerd and Docker write it, whose `load` reads no other.
 */
export function ociMembers(tags: readonly string[]): LastMembers {
  const names = tags.map((tag) => ({
    ...(/[:/]/.test(tag) ? { [imageNameKey]: fullName(tag) } : {}),
    [refNameKey]: tag,
  }));
  return async (image, _, kept) => {
    const members = layoutMembers(image, names, kept);
    const { dockerRows } = kept;
    return dockerRows === null ? members : [...members, ['manifest.json', encodeJson(dockerRows)]];
  };
}

/**
 * Makes the members of a Docker archive: those of an OCI archive, and the `manifest.json` that Docker before 25 (and skopeo)
 * reads. That file describes one image, so an index must have exactly one child that is an image to run.
 * @throws UNSUPPORTED for an index with another number of images, MEDIA_TYPE for a compressed layer, DIFFID_MISMATCH, MANIFEST_INVALID
 */
export function dockerMembers(names: readonly string[], label: string): LastMembers {
  const annotations = names.map((name) => ({
    [imageNameKey]: fullName(name),
    [refNameKey]: tagOfName(name),
  }));
  return async (written, blobs, kept) => {
    const image = await runnable(written.root, blobs, label);
    for (const [i, layer] of image.layers.entries())
      await checkPlain(layer, blobs, `layer ${i + 1} of ${label}`);
    await checkDiffIds(image, blobs, label);
    const manifest = {
      Config: blobName(image.config.digest),
      RepoTags: names.length === 0 ? null : names,
      Layers: image.layers.map((layer) => blobName(layer.digest)),
    };
    const others = kept.dockerRows ?? [];
    const rows = others.toSpliced(kept.replaced?.list[0] ?? others.length, 0, manifest);
    return [...layoutMembers(written, annotations, kept), ['manifest.json', encodeJson(rows)]];
  };
}

function layoutMembers(
  image: NamedRoot,
  names: readonly JsonObject[],
  kept: KeptImages,
): [string, Uint8Array][] {
  const manifests = rowsWith(image, names, kept);
  return [
    ['index.json', encodeJson({ ...kept.index, manifests })],
    ['oci-layout', layoutMarker],
  ];
}

/** Returns the rows of index.json: the new image stands where the one stood that it replaces, else at the end. */
function rowsWith(
  { root: { descriptor }, packing }: NamedRoot,
  names: readonly JsonObject[],
  { rows, replaced }: KeptImages,
): readonly JsonObject[] {
  if (replaced !== null && replaced.rows.length > 0)
    return named(rows, { descriptor, packing }, { kind: 'rows', rows: replaced.rows });
  const { mediaType, digest, size } = descriptor;
  const row = { mediaType, digest, size };
  const fresh = names.length === 0 ? [row] : names.map((annotations) => ({ ...row, annotations }));
  return [...rows, ...fresh];
}

/** Returns the only image to run below a manifest or index. */
async function runnable(root: RawManifest, { read }: WrittenBlobs, label: string): Promise<Manifest> {
  const parsed = parseManifest(root.bytes, root.descriptor.mediaType, label);
  if (parsed.kind === 'manifest') return parsed;
  const images: Manifest[] = [];
  for (const { descriptor, platform } of parsed.children) {
    if (isIndexType(descriptor.mediaType) || platform?.os === 'unknown') continue;
    const child = parseManifest(await read(descriptor.digest), descriptor.mediaType, label);
    if (child.kind === 'manifest' && isImage(child)) images.push(child);
  }
  const [image, ...others] = images;
  if (image !== undefined && others.length === 0) return image;
  throw onePlatform(label, images.length);
}

/** Refuses a layer that is not an uncompressed tar, by its type or by its bytes: Docker before 25 reads no other. @throws MEDIA_TYPE */
async function checkPlain(
  { mediaType, digest }: Descriptor,
  { readHead }: WrittenBlobs,
  what: string,
): Promise<void> {
  const kind = layerKind(mediaType);
  const isPlain = kind.kind === 'layer' && fitsDockerArchive(kind.compression);
  if (isPlain && isTar(await readHead(digest))) return;
  throw new OcislimError(
    'MEDIA_TYPE',
    `${what} is not an uncompressed layer, which such an archive needs: ${isPlain ? 'its bytes are not a tar' : JSON.stringify(mediaType)}`,
    isPlain ? { advice: 'The image was put together wrongly; build or push it again.' } : {},
  );
}

/** Refuses layers whose DiffIDs in the config are not their digests, which `docker load` compares. @throws DIFFID_MISMATCH, MANIFEST_INVALID */
async function checkDiffIds(
  { config, layers }: Manifest,
  { read }: WrittenBlobs,
  label: string,
): Promise<void> {
  const { diffIds } = parseImageConfig(await read(config.digest), layers.length, `the config of ${label}`);
  for (const [i, { digest }] of layers.entries()) {
    const diffId = diffIds[i] as Digest;
    if (algorithmOf(digest) !== algorithmOf(diffId) || digest === diffId) continue;
    throw new OcislimError(
      'DIFFID_MISMATCH',
      `layer ${i + 1} of ${label} is ${digest}, but the image config says ${diffId}`,
      { advice: 'The image contradicts itself; build or push it again.' },
    );
  }
}

/** Returns whether the first block of a blob is that of a tar. An empty one has none. */
function isTar(head: Uint8Array): boolean {
  if (head.length < blockSize) return head.length === 0;
  if (isZeroBlock(head)) return true;
  try {
    parseHeader(head);
    return true;
  } catch {
    return false;
  }
}
