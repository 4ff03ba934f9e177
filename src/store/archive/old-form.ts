/**
 * The old form of Docker archives, from before Docker 25: `manifest.json`, configs and layers, without any manifest. Here an OCI
 * manifest is made for an image of that form; docker-archive-source.ts calls it where an archive holds no OCI layout.
 */
import { detect } from '../../codec/detect.ts';
import { OcislimError } from '../../errors.ts';
import { exceeded, type Limits } from '../../limits.ts';
import { type Descriptor, descriptorOfBytes, makeDescriptor } from '../../oci/descriptor.ts';
import { type Digest, digestOf, hasher, parseDigest } from '../../oci/digest.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import { encodeJson } from '../../oci/json.ts';
import { type Compression, layerMediaType, mediaTypes } from '../../oci/media-type.ts';
import type { RawManifest } from '../../place/place.ts';
import { collect } from '../../stream/collect.ts';
import type { ArchiveFiles } from './archive-files.ts';
import type { DockerImage } from './docker-manifest.ts';
import type { Extent } from './tar-index.ts';

/** An image of the old form: the manifest made for it, and where its blobs lie in the archive. */
export interface OldForm {
  readonly manifest: RawManifest;
  readonly blobs: ReadonlyMap<Digest, OldBlob>;
}

/** A config or layer in the archive. */
export interface OldBlob {
  readonly extent: Extent;
  /** Whether the digest is a DiffID that the config states, and has not been compared with the bytes yet. */
  readonly isDiffId: boolean;
}

/** Reads images of the old form out of one archive. */
export class OldFormReader {
  readonly #files: ArchiveFiles;
  /** What messages begin with. */
  readonly #label: string;
  readonly #limits: Limits;

  constructor(files: ArchiveFiles, label: string, limits: Limits) {
    this.#files = files;
    this.#label = label;
    this.#limits = limits;
  }

  /**
   * Makes the manifest of an image. Compressed layers are read to the end to compute their digests.
   * @throws ARCHIVE_INVALID, MANIFEST_INVALID, DIGEST_MISMATCH, DIFFID_MISMATCH, LIMIT
   */
  async read(image: DockerImage, signal: AbortSignal): Promise<OldForm> {
    const { config, extent } = await this.#readConfig(image, signal);
    const what = `${this.#label}: the config ${image.config}`;
    const { diffIds } = parseImageConfig(config, image.layers.length, what);
    const blobs = new Map<Digest, OldBlob>();
    const layers: Descriptor[] = [];
    for (const [i, path] of image.layers.entries()) {
      const layer = await this.#readLayer(path, diffIds[i] as Digest, signal);
      const { digest, size } = layer.descriptor;
      const known = blobs.get(digest);
      if (known !== undefined && known.extent.size !== size) {
        throw new OcislimError(
          'DIFFID_MISMATCH',
          `${this.#label}: two layers of different length have the DiffID ${digest}`,
        );
      }
      blobs.set(digest, layer);
      layers.push(layer.descriptor);
    }
    const descriptor = descriptorOfBytes(mediaTypes.ociConfig, config);
    blobs.set(descriptor.digest, { extent, isDiffId: false });
    return { manifest: this.#makeManifest(descriptor, layers), blobs };
  }

  /** Reads the config, which is small, and compares it with its name. */
  async #readConfig(
    image: DockerImage,
    signal: AbortSignal,
  ): Promise<{ config: Uint8Array; extent: Extent }> {
    const extent = await this.#member(image.config, signal);
    const what = `${this.#label}: the config ${image.config}`;
    if (extent.size > this.#limits['config-bytes'])
      throw exceeded('config-bytes', this.#limits, `${what} is too large`, {
        says: `it has ${extent.size} bytes`,
        needed: extent.size,
      });
    const config = await collect(this.#files.extent(extent, signal), extent.size, what);
    checkName(image.config, digestOf(config), what);
    return { config, extent };
  }

  /** The digest of a plain layer is its DiffID, which is compared when the layer is read. */
  async #readLayer(
    path: string,
    diffId: Digest,
    signal: AbortSignal,
  ): Promise<OldBlob & { readonly descriptor: Descriptor }> {
    const extent = await this.#member(path, signal);
    const compression = await this.#compressionOf(extent, signal);
    const isDiffId = compression === 'none';
    const digest = isDiffId ? diffId : await this.#hash(extent, signal);
    const mediaType = layerMediaType('oci', compression) as string;
    return { extent, isDiffId, descriptor: makeDescriptor(mediaType, digest, extent.size) };
  }

  /** Makes an OCI manifest. The same archive always gives the same bytes, and so the same digest. @throws LIMIT */
  #makeManifest(config: Descriptor, layers: readonly Descriptor[]): RawManifest {
    const bytes = encodeJson({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: config.json,
      layers: layers.map((layer) => layer.json),
    });
    if (bytes.length > this.#limits['manifest-bytes'])
      throw exceeded('manifest-bytes', this.#limits, `${this.#label}: the image has too many layers`, {
        says: `a manifest of its ${layers.length} layers has ${bytes.length} bytes`,
        needed: bytes.length,
      });
    return { bytes, descriptor: descriptorOfBytes(mediaTypes.ociManifest, bytes) };
  }

  /** Finds a member that the list of images names. @throws ARCHIVE_INVALID */
  async #member(path: string, signal: AbortSignal): Promise<Extent> {
    const extent = await this.#files.find(path, signal);
    if (extent !== null) return extent;
    throw new OcislimError(
      'ARCHIVE_INVALID',
      `${this.#label}: "manifest.json" names ${JSON.stringify(path)}, which is not there`,
    );
  }

  /** Tells the compression by the first bytes, since the old form states no media types. An empty layer counts as plain. */
  async #compressionOf(extent: Extent, signal: AbortSignal): Promise<Compression> {
    const start = { offset: extent.offset, size: Math.min(4, extent.size) };
    const found = detect(await collect(this.#files.extent(start, signal), 4, this.#label));
    return found === 'empty' ? 'none' : found;
  }

  async #hash(extent: Extent, signal: AbortSignal): Promise<Digest> {
    const hash = hasher();
    for await (const chunk of this.#files.extent(extent, signal)) hash.update(chunk);
    return hash.digest();
  }
}

/**
 * Compares a config with the digest in its name: `<hex>.json`, `sha256:<hex>` or `blobs/sha256/<hex>`. Other names pass.
 * @throws DIGEST_MISMATCH
 */
function checkName(path: string, actual: Digest, what: string): void {
  const hex = /(?:^|[/:])([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1];
  if (hex === undefined) return;
  const expected = parseDigest(`sha256:${hex}`, what);
  if (actual !== expected) {
    throw new OcislimError('DIGEST_MISMATCH', `${what} has the digest ${actual}, not that of its name`);
  }
}
