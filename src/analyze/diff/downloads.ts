/**
 * Says what a client that has image A downloads for image B, for clients that reuse blobs, chains of layers, or files. The comparison
 * of images calls it with what the manifests say, and with the contents of the layers that it read.
 */
import type { Image } from '../../image/image.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Download, VersionDownloads } from './image-diff.ts';

/** The blobs of one image. */
export interface ImageBlobs {
  readonly config: Blob;
  /** Lowest first. */
  readonly layers: readonly (Blob & { readonly diffId: Digest })[];
}

interface Blob {
  readonly digest: Digest;
  /** Bytes to transfer. */
  readonly size: number;
}

/** The contents of a layer of B, by their bytes. */
export interface NewContents {
  /** Bytes of regular files with contents that neither A nor a lower layer of B has, each once. */
  readonly newBytes: number;
  /** Bytes of all its regular files. */
  readonly allBytes: number;
}

/** Returns the blobs that an image names. */
export function blobsOf({ manifest, config }: Image): ImageBlobs {
  const layers = manifest.layers.map(({ digest, size }, i) => ({
    digest,
    size,
    diffId: config.diffIds[i] as Digest,
  }));
  return { config: manifest.config, layers };
}

/** Compares versions of an image: what a client that has one downloads for each, in their order. */
export function versionDownloads(
  versions: readonly (Pick<VersionDownloads, 'name' | 'digest'> & { readonly blobs: ImageBlobs })[],
): readonly VersionDownloads[] {
  return versions.map(({ name, digest, blobs }) => ({
    name,
    digest,
    downloads: versions.map((to) => {
      const found = downloadsOf(blobs, to.blobs, () => null);
      const bytesBy = (wanted: Download['model']) =>
        found.find(({ model }) => model === wanted)?.transferBytes ?? 0;
      return { blob: bytesBy('blob'), prefix: bytesBy('prefix') };
    }),
  }));
}

/** Returns the bytes of config and layers, a blob that is named twice counted once. */
export function transferBytes({ config, layers }: ImageBlobs): number {
  return sizeOf([config, ...layers]);
}

/** Returns the download for each model of a client. `contents` are those of a layer of B, from 1; null for one that was not read. */
export function downloadsOf(
  a: ImageBlobs,
  b: ImageBlobs,
  contents: (layer: number) => NewContents | null,
): readonly Download[] {
  const totalBytes = transferBytes(b);
  const has = new Set<Digest>([a.config, ...a.layers].map(({ digest }) => digest));
  const config = has.has(b.config.digest) ? 0 : b.config.size;
  const bytesOf = (layers: readonly number[]) =>
    config + sizeOf(layers.map((number) => b.layers[number - 1] as Blob));
  const numbers = b.layers.map((_, i) => i + 1);
  const missing = numbers.filter((number) => !has.has((b.layers[number - 1] as Blob).digest));
  const shared = sharedPrefix(a, b);
  const above = numbers.filter((number) => number > shared);
  const parts = newParts(a, b, missing, contents);
  const whole = { totalBytes, isEstimate: false } as const;
  return [
    { model: 'blob', ...whole, transferBytes: bytesOf(missing), layers: missing },
    { model: 'prefix', ...whole, transferBytes: bytesOf(above), layers: above },
    {
      model: 'file',
      transferBytes: config + [...parts.values()].reduce((sum, bytes) => sum + bytes, 0),
      totalBytes,
      layers: [...parts.keys()],
      isEstimate: parts.size > 0,
    },
  ];
}

/** Counts the layers at the bottom that are the same blobs in both. A client knows what a blob unpacks to only if it had that blob. */
function sharedPrefix(a: ImageBlobs, b: ImageBlobs): number {
  let shared = 0;
  for (const { digest, diffId } of b.layers) {
    const own = a.layers[shared];
    if (own?.digest !== digest || own.diffId !== diffId) break;
    shared++;
  }
  return shared;
}

/** Estimates the bytes of new contents, by number of the layer: the packing of a layer is taken to be the same for all its files. */
function newParts(
  a: ImageBlobs,
  b: ImageBlobs,
  missing: readonly number[],
  contents: (layer: number) => NewContents | null,
): ReadonlyMap<number, number> {
  const unpacked = new Set(a.layers.map(({ diffId }) => diffId));
  const parts = new Map<number, number>();
  for (const number of missing) {
    const { diffId, size } = b.layers[number - 1] as ImageBlobs['layers'][number];
    const found = unpacked.has(diffId) ? null : contents(number);
    unpacked.add(diffId);
    if (found === null || found.newBytes === 0) continue;
    parts.set(number, Math.round((size * found.newBytes) / found.allBytes));
  }
  return parts;
}

function sizeOf(blobs: Iterable<Blob>): number {
  const sizes = new Map([...blobs].map(({ digest, size }) => [digest, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
