/**
 * The source for archives that `docker save` writes. From Docker 25 on they hold an OCI layout, which is read; for those of
 * older versions a manifest is made (old-form.ts). Opened by jobs/openers.ts.
 */
import { Closeable } from '../../closeable.ts';
import { OcislimError } from '../../errors.ts';
import { defaultLimits, type Limits } from '../../limits.ts';
import { isAttestation } from '../../oci/attestation.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, hexOf } from '../../oci/digest.ts';
import { type Index, type IndexChild, isImage, parseManifest } from '../../oci/manifest.ts';
import { isIndexType } from '../../oci/media-type.ts';
import type { RawManifest, Source } from '../../place/place.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { verify } from '../../stream/verify.ts';
import { MiB } from '../../units.ts';
import type { LayoutEntry } from '../layout/layout-index.ts';
import { LayoutSource } from '../layout/layout-source.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { type DockerImage, findImage, parseDockerManifest } from './docker-manifest.ts';
import { fullName } from './image-name.ts';
import { type OldForm, OldFormReader } from './old-form.ts';

/** Bytes of the list of images of an archive: room for fifty thousand images. */
const maxList = 32 * MiB;

/** One image of a Docker archive. */
export class DockerArchiveSource extends Closeable implements Source {
  readonly label: string;
  readonly mountable = null;
  readonly unpacksLayers = true;
  /** What messages begin with. */
  readonly #what: string;
  readonly #files: ArchiveFiles;
  readonly #layout: LayoutSource;
  readonly #name: string | null;
  readonly #limits: Limits;
  /** The image, once `root` has found that it has the old form only. */
  #old: OldForm | null = null;

  /** @param name `repository:tag`; null for the only image of the archive */
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

  /** @throws NOT_FOUND, USAGE for several images without a name, ARCHIVE_INVALID, and what reading the old form throws */
  async root(signal: AbortSignal): Promise<RawManifest> {
    const list = await this.#files.read('manifest.json', maxList, signal);
    const images = list === null ? null : parseDockerManifest(list, this.#what);
    if ((await this.#files.read('index.json', maxList, signal)) !== null) {
      const found = await this.#findInLayout(images, signal);
      if (found !== null) return found;
    }
    if (images === null) {
      throw new OcislimError(
        'ARCHIVE_INVALID',
        `${this.#what} has no file "manifest.json": it was not made by docker save`,
      );
    }
    const reader = new OldFormReader(this.#files, this.#what, this.#limits);
    this.#old = await reader.read(findImage(images, this.#name, this.#what), signal);
    return this.#old.manifest;
  }

  async manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    const made = this.#old?.manifest;
    return made?.descriptor.digest === descriptor.digest ? made : this.#layout.manifest(descriptor, signal);
  }

  /** Streams a verified blob. A layer of the old form throws DIFFID_MISMATCH where other blobs throw DIGEST_MISMATCH. */
  blob(descriptor: Descriptor, signal: AbortSignal): ByteStream {
    const { digest } = descriptor;
    const old = this.#old?.blobs.get(digest);
    if (old === undefined) return this.#layout.blob(descriptor, signal);
    const bytes = this.#files.extent(old.extent, signal);
    const stream = verify(bytes, descriptor, `${this.#what}: blob ${digest}`);
    return old.isDiffId ? asDiffId(stream) : stream;
  }

  async referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]> {
    return this.#old === null ? this.#layout.referrers(digest, signal) : [];
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  /** Finds the image in the OCI layout inside; null where the layout does not tell which image is meant. */
  async #findInLayout(
    images: readonly DockerImage[] | null,
    signal: AbortSignal,
  ): Promise<RawManifest | null> {
    const entries = await this.#layout.entries(signal);
    const name = this.#name;
    const wanted = name === null ? entries : entries.filter((entry) => isNamed(entry, name));
    const digests = new Set(wanted.map((entry) => entry.digest));
    const [entry] = wanted;
    if (entry !== undefined && digests.size === 1)
      return this.#complete(await this.#layout.load(entry, signal), signal);
    if (images === null) {
      // Without the old list, only the layout names images: its error says what the archive holds.
      const layout = new LayoutSource(this.label, this.#files, { tag: name, digest: null }, this.#limits);
      return layout.root(signal);
    }
    return this.#findByConfig(entries, findImage(images, name, this.#what), signal);
  }

  /** Finds the manifest in the layout that has the config of an image of the old list. */
  async #findByConfig(
    entries: readonly LayoutEntry[],
    image: DockerImage,
    signal: AbortSignal,
  ): Promise<RawManifest | null> {
    for (const candidate of entries) {
      const raw = await this.#layout.load(candidate, signal);
      if (isIndexType(raw.descriptor.mediaType)) continue;
      const manifest = parseManifest(raw.bytes, raw.descriptor.mediaType, this.#what);
      if (manifest.kind === 'manifest' && image.config.includes(hexOf(manifest.config.digest))) return raw;
    }
    return null;
  }

  /**
   * Returns the root, or the only image below an index of which the archive lacks children: Docker saves indexes whole, but
   * of their platforms only those that it has, with their attestations.
   */
  async #complete(root: RawManifest, signal: AbortSignal): Promise<RawManifest> {
    const parsed = parseManifest(root.bytes, root.descriptor.mediaType, this.#what);
    if (parsed.kind === 'manifest') return root;
    const there = await this.#childrenThere(parsed, signal);
    if (there.length === parsed.children.length) return root;
    const images: RawManifest[] = [];
    for (const child of there) {
      if (isAttestation(child)) continue;
      const raw = await this.#layout.manifest(child.descriptor, signal);
      const manifest = parseManifest(raw.bytes, raw.descriptor.mediaType, this.#what);
      if (manifest.kind === 'manifest' && isImage(manifest)) images.push(raw);
    }
    const [image, ...others] = images;
    return image !== undefined && others.length === 0 ? image : root;
  }

  /** Returns the children of an index whose manifests the archive holds. */
  async #childrenThere({ children }: Index, signal: AbortSignal): Promise<IndexChild[]> {
    const there: IndexChild[] = [];
    for (const child of children)
      if ((await this.#files.blobSize(child.descriptor.digest, signal)) !== null) there.push(child);
    return there;
  }
}

/** Returns whether an entry has this name, compared in full: `app` and `docker.io/library/app:latest` are one. */
function isNamed({ imageName, refName }: LayoutEntry, name: string): boolean {
  return [imageName, refName].some((other) => other !== null && fullName(other) === fullName(name));
}

/** Reports a wrong digest as a wrong DiffID: the archive itself states no digest of the layer. */
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
