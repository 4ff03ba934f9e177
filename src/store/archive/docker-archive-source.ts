import { Closeable } from '../../closeable.ts';
import { detect } from '../../codec/detect.ts';
import { OcislimError } from '../../errors.ts';
import { defaultLimits, exceeded, type Limits } from '../../limits.ts';
import { type Descriptor, descriptorOfBytes, makeDescriptor } from '../../oci/descriptor.ts';
import { type Digest, digestOf, hasher, hexOf, parseDigest } from '../../oci/digest.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import { encodeJson } from '../../oci/json.ts';
import { type Index, isImage, type Manifest, parseManifest } from '../../oci/manifest.ts';
import { type Compression, isIndexType, layerMediaType, mediaTypes } from '../../oci/media-type.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { collect } from '../../stream/collect.ts';
import { verify } from '../../stream/verify.ts';
import { LayoutSource } from '../layout/layout-source.ts';
import type { RawManifest, Source } from '../../place/place.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { type DockerImage, findImage, parseDockerManifest } from './docker-manifest.ts';
import { fullName } from './image-name.ts';
import type { Extent } from './tar-index.ts';
import { MiB } from '../../units.ts';

/** Bytes of the list of images of an archive: fifty thousand of them. */
const maxList = 32 * MiB;

/** What an archive of the old form turns out to hold: its blobs by digest, and a manifest made for them. */
interface OldForm {
  readonly manifest: RawManifest;
  readonly blobs: ReadonlyMap<Digest, { readonly extent: Extent; readonly diffId: boolean }>;
}

/**
 * What `docker save` writes. From Docker 25 on that is an OCI layout, which is used; before, only `manifest.json` and
 * plain layers, for which an OCI manifest is made here.
 */
export class DockerArchiveSource extends Closeable implements Source {
  readonly label: string;
  readonly mountable = null;
  /** The label for messages. */
  readonly #what: string;
  readonly #files: ArchiveFiles;
  readonly #layout: LayoutSource;
  readonly #name: string | null;
  readonly #limits: Limits;
  #old: OldForm | null = null;

  /** `name` is `repository:tag`; null for the only image of the archive. */
  constructor(label: string, files: ArchiveFiles, name: string | null, limits: Limits = defaultLimits) {
    super();
    this.label = label;
    this.#what = `source ${label}`;
    this.#files = files;
    this.#layout = new LayoutSource(label, files, { tag: null, digest: null }, limits);
    this.#limits = limits;
    this.#name = name;
  }

  async head(): Promise<null> {
    return null;
  }

  async root(signal: AbortSignal): Promise<RawManifest> {
    const list = await this.#files.read('manifest.json', maxList, signal);
    const images = list === null ? null : parseDockerManifest(list, this.#what);
    if ((await this.#files.read('index.json', maxList, signal)) !== null) {
      const found = await this.#inLayout(images, signal);
      if (found !== null) return found;
    }
    if (images === null) {
      throw new OcislimError(
        'ARCHIVE_INVALID',
        `${this.#what} has no file "manifest.json": it was not made by docker save`,
      );
    }
    this.#old = await this.#readOldForm(findImage(images, this.#name, this.#what), signal);
    return this.#old.manifest;
  }

  async manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    const made = this.#old?.manifest;
    return made?.descriptor.digest === descriptor.digest ? made : this.#layout.manifest(descriptor, signal);
  }

  blob(descriptor: Descriptor, signal: AbortSignal): ByteStream {
    const { digest } = descriptor;
    const old = this.#old?.blobs.get(digest);
    if (old === undefined) return this.#layout.blob(descriptor, signal);
    const stream = verify(
      this.#files.extent(old.extent, signal),
      descriptor,
      `${this.#what}: blob ${digest}`,
    );
    return old.diffId ? asDiffId(stream) : stream;
  }

  async referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]> {
    return this.#old === null ? this.#layout.referrers(digest, signal) : [];
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  /** The image in the OCI layout inside; null if that does not tell which one is meant. */
  async #inLayout(images: readonly DockerImage[] | null, signal: AbortSignal): Promise<RawManifest | null> {
    const entries = await this.#layout.entries(signal);
    const name = this.#name;
    const wanted =
      name === null
        ? entries
        : entries.filter(({ imageName, refName }) =>
            [imageName, refName].some((other) => other !== null && fullName(other) === fullName(name)),
          );
    const digests = new Set(wanted.map((entry) => entry.digest));
    const [entry] = wanted;
    if (entry !== undefined && digests.size === 1)
      return this.#present(await this.#layout.load(entry, signal), signal);
    if (images === null) {
      // Without the old list there is only the layout to name what is there.
      return new LayoutSource(this.label, this.#files, { tag: name, digest: null }, this.#limits).root(
        signal,
      );
    }
    const image = findImage(images, name, this.#what);
    for (const candidate of entries) {
      const raw = await this.#layout.load(candidate, signal);
      if (isIndexType(raw.descriptor.mediaType)) continue;
      const manifest = parseManifest(raw.bytes, raw.descriptor.mediaType, this.#what);
      if (manifest.kind === 'manifest' && image.config.includes(hexOf(manifest.config.digest))) return raw;
    }
    return null;
  }

  /** Docker saves an index whole, but of its platforms only those that it has. If that is one image, it is the root. */
  async #present(root: RawManifest, signal: AbortSignal): Promise<RawManifest> {
    const parsed = parseManifest(root.bytes, root.descriptor.mediaType, this.#what);
    if (parsed.kind === 'manifest') return root;
    const there = await this.#childrenThere(parsed, signal);
    if (there.length === parsed.children.length) return root;
    const images = there.filter(({ manifest }) => isImage(manifest));
    return images.length === 1 && images[0] !== undefined ? images[0].raw : root;
  }

  async #childrenThere(
    index: Index,
    signal: AbortSignal,
  ): Promise<{ raw: RawManifest; manifest: Manifest }[]> {
    const there: { raw: RawManifest; manifest: Manifest }[] = [];
    for (const { descriptor } of index.children) {
      if ((await this.#files.blobSize(descriptor.digest, signal)) === null) continue;
      const raw = await this.#layout.manifest(descriptor, signal);
      const manifest = parseManifest(raw.bytes, descriptor.mediaType, this.#what);
      if (manifest.kind === 'manifest') there.push({ raw, manifest });
    }
    return there;
  }

  async #readOldForm(image: DockerImage, signal: AbortSignal): Promise<OldForm> {
    const configExtent = await this.#member(image.config, signal);
    const what = `${this.#what}: the config ${image.config}`;
    if (configExtent.size > this.#limits['config-bytes'])
      throw exceeded(
        'config-bytes',
        this.#limits,
        `${what} is too large`,
        `it has ${configExtent.size} bytes`,
      );
    const config = await collect(this.#files.extent(configExtent, signal), configExtent.size, what);
    checkName(image.config, digestOf(config), what);
    const { diffIds } = parseImageConfig(config, image.layers.length, what);
    const blobs = new Map<Digest, { extent: Extent; diffId: boolean }>();
    const descriptors: Descriptor[] = [];
    for (const [i, path] of image.layers.entries()) {
      const extent = await this.#member(path, signal);
      const compression = await this.#compressionOf(extent, signal);
      // The digest of a plain layer is its DiffID, and its bytes are verified when they are read.
      const digest = compression === 'none' ? (diffIds[i] as Digest) : await this.#hash(extent, signal);
      const known = blobs.get(digest);
      if (known !== undefined && known.extent.size !== extent.size) {
        throw new OcislimError(
          'DIFFID_MISMATCH',
          `${this.#what}: two layers of different length have the DiffID ${digest}`,
        );
      }
      blobs.set(digest, { extent, diffId: compression === 'none' });
      descriptors.push(makeDescriptor(layerMediaType('oci', compression) as string, digest, extent.size));
    }
    const configDescriptor = descriptorOfBytes(mediaTypes.ociConfig, config);
    blobs.set(configDescriptor.digest, { extent: configExtent, diffId: false });
    const bytes = encodeJson({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: configDescriptor.json,
      layers: descriptors.map((layer) => layer.json),
    });
    if (bytes.length > this.#limits['manifest-bytes'])
      throw exceeded(
        'manifest-bytes',
        this.#limits,
        `${this.#what}: the image has too many layers`,
        `a manifest of its ${descriptors.length} layers has ${bytes.length} bytes`,
      );
    return { manifest: { bytes, descriptor: descriptorOfBytes(mediaTypes.ociManifest, bytes) }, blobs };
  }

  async #member(path: string, signal: AbortSignal): Promise<Extent> {
    const extent = await this.#files.find(path, signal);
    if (extent !== null) return extent;
    throw new OcislimError(
      'ARCHIVE_INVALID',
      `${this.#what}: "manifest.json" names ${JSON.stringify(path)}, which is not there`,
    );
  }

  async #compressionOf(extent: Extent, signal: AbortSignal): Promise<Compression> {
    const start = { offset: extent.offset, size: Math.min(4, extent.size) };
    const found = detect(await collect(this.#files.extent(start, signal), 4, this.#what));
    return found === 'empty' ? 'none' : found;
  }

  async #hash(extent: Extent, signal: AbortSignal): Promise<Digest> {
    const hash = hasher();
    for await (const chunk of this.#files.extent(extent, signal)) hash.update(chunk);
    return hash.digest();
  }
}

/** Configs are called after their digest: `<hex>.json`, `sha256:<hex>`, `blobs/sha256/<hex>`. Other names say nothing. */
function checkName(path: string, actual: Digest, what: string): void {
  const hex = /(?:^|[/:])([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1];
  if (hex === undefined) return;
  const expected = parseDigest(`sha256:${hex}`, what);
  if (actual !== expected) {
    throw new OcislimError('DIGEST_MISMATCH', `${what} has the digest ${actual}, not that of its name`);
  }
}

async function* asDiffId(stream: ByteStream): ByteStream {
  try {
    yield* stream;
  } catch (error) {
    if (!(error instanceof OcislimError) || error.code !== 'DIGEST_MISMATCH') throw error;
    throw new OcislimError('DIFFID_MISMATCH', error.message, {
      cause: error,
      advice: 'The archive contradicts itself; save the image again.',
    });
  }
}
