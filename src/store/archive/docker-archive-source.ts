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
import type { FileRange, RawManifest, Referrer, Source } from '../../place/place.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { verify } from '../../stream/verify.ts';
import { MiB } from '../../units.ts';
import { fullName, itemsNamed } from '../image-name.ts';
import { distinct, entriesNamed } from '../layout/layout-choice.ts';
import type { LayoutEntry } from '../layout/layout-index.ts';
import { LayoutSource } from '../layout/layout-source.ts';
import type { ArchiveFiles } from './archive-files.ts';
import {
  type DockerImage,
  type DockerPlace,
  findImage,
  listImages,
  parseDockerManifest,
  type WantedDockerImage,
} from './docker-manifest.ts';
import type { ReplacedImage } from './existing-archive.ts';
import { type OldForm, OldFormReader } from './old-form.ts';

/** Bytes of the list of images of an archive: room for fifty thousand images. */
const maxList = 32 * MiB;

/** An archive of Docker, and which of its images is meant. */
export interface DockerArchivePlace {
  /** The reference as the user wrote it. */
  readonly label: string;
  /** The archive alone, as a reference begins. Default: the label. */
  readonly place?: string;
  readonly files: ArchiveFiles;
  readonly wanted: WantedDockerImage;
  readonly limits?: Limits | undefined;
}

/** One image of a Docker archive. */
export class DockerArchiveSource extends Closeable implements Source {
  readonly label: string;
  readonly mountable = null;
  readonly unpacksLayers = true;
  /** What messages begin with. */
  readonly #what: string;
  readonly #files: ArchiveFiles;
  readonly #layout: LayoutSource;
  readonly #place: DockerPlace;
  readonly #wanted: WantedDockerImage;
  readonly #limits: Limits;
  /** The image, once `root` has found that it has the old form only. */
  #old: OldForm | null = null;

  constructor({ label, place = label, files, wanted, limits = defaultLimits }: DockerArchivePlace) {
    super();
    this.label = label;
    this.#what = `source ${label}`;
    this.#place = { label: this.#what, place };
    this.#files = files;
    const { name, ...which } = wanted;
    this.#layout = new LayoutSource({ label, place, files, wanted: { ...which, tag: name }, limits });
    this.#limits = limits;
    this.#wanted = wanted;
  }

  async head(): Promise<null> {
    return null;
  }

  /** @throws NOT_FOUND, USAGE for several images without a name, ARCHIVE_INVALID, and what reading the old form throws */
  async root(signal: AbortSignal): Promise<RawManifest> {
    const list = await this.#files.read('manifest.json', maxList, signal);
    const images = list === null ? null : parseDockerManifest(list, this.#what);
    const hasLayout = (await this.#files.read('index.json', maxList, signal)) !== null;
    if (images === null || (images.length === 0 && hasLayout)) {
      // Without the old list, only the layout names images: its error says what the archive holds.
      if (hasLayout) return this.#layout.root(signal);
      throw new OcislimError(
        'ARCHIVE_INVALID',
        `${this.#what} has no file "manifest.json": it was not made by docker save`,
      );
    }
    if (this.#wanted.digest !== null) return this.#findDigest(images, this.#wanted.digest, hasLayout, signal);
    return this.#load(images, hasLayout, signal);
  }

  /** Reads the image that is named, or the only one. */
  async #load(images: readonly DockerImage[], hasLayout: boolean, signal: AbortSignal): Promise<RawManifest> {
    const found = hasLayout ? await this.#findInLayout(images, signal) : null;
    return found ?? this.#readOld(findImage(images, this.#wanted, this.#place), signal);
  }

  async #readOld(image: DockerImage, signal: AbortSignal): Promise<RawManifest> {
    this.#old = await new OldFormReader(this.#files, this.#what, this.#limits).read(image, signal);
    return this.#old.manifest;
  }

  /** Finds an image by the digest of its manifest, also of one that is made for the old form, or of its config. */
  async #findDigest(
    images: readonly DockerImage[],
    digest: Digest,
    hasLayout: boolean,
    signal: AbortSignal,
  ): Promise<RawManifest> {
    const byConfig = images.find(({ config }) => config.includes(hexOf(digest)));
    if (byConfig !== undefined) {
      const entries = hasLayout ? await this.#layout.entries(signal) : [];
      return (await this.#findByConfig(entries, byConfig, signal)) ?? this.#readOld(byConfig, signal);
    }
    if (hasLayout) {
      const found = await this.#layout.root(signal).catch(passAbsence);
      if (found !== null) return found;
    }
    for (const image of images) {
      const made = await this.#readOld(image, signal);
      if (made.descriptor.digest === digest) return made;
    }
    this.#old = null;
    const list = listImages(images, this.#place.place);
    throw new OcislimError(
      'NOT_FOUND',
      `${this.#what}: it holds no image ${digest}${list === '' ? '' : `; it holds${list}`}`,
    );
  }

  async names(signal: AbortSignal): Promise<readonly string[]> {
    if (this.#wanted.name !== null) return [this.#wanted.name];
    const root = await this.root(signal);
    const list = await this.#files.read('manifest.json', maxList, signal);
    if (list === null) return this.#layout.names(signal);
    const images = parseDockerManifest(list, this.#what);
    const parsed = parseManifest(root.bytes, root.descriptor.mediaType, this.#what);
    const own =
      parsed.kind === 'index'
        ? []
        : images.filter(({ config }) => config.includes(hexOf(parsed.config.digest)));
    const named = own.length === 0 && images.length === 1 ? images : own;
    return [...new Set(named.flatMap(({ names }) => names))];
  }

  /**
   * Returns where the image stands that is meant, so that another one can take its place: of one that is chosen by a name, only that
   * name is meant. @throws what `root` throws
   */
  async meant(signal: AbortSignal): Promise<ReplacedImage> {
    const root = await this.root(signal);
    const list = await this.#files.read('manifest.json', maxList, signal);
    const images = list === null ? [] : parseDockerManifest(list, this.#what);
    const hasLayout = (await this.#files.read('index.json', maxList, signal)) !== null;
    const entries = hasLayout ? await this.#layout.entries(signal) : [];
    const own = entries.filter(({ digest }) => digest === root.descriptor.digest);
    const positions = this.#positionsOf(images, root, own);
    const all = positions.flatMap((position) => images[position]?.names ?? []);
    const { name } = this.#wanted;
    const names = [...new Set(name === null ? all : itemsNamed(all, (each) => [each], name))];
    const rows = [...(name === null ? own : []), ...names.flatMap((each) => entriesNamed(entries, each))];
    return { root, list: positions, names, rows: [...new Set(rows)].map(({ json }) => json) };
  }

  /** Returns which rows of manifest.json are the image that was read, of which index.json has some entries. */
  #positionsOf(
    images: readonly DockerImage[],
    { bytes, descriptor }: RawManifest,
    own: readonly LayoutEntry[],
  ): readonly number[] {
    const { name, position } = this.#wanted;
    if (position !== null) return [position];
    const parsed = parseManifest(bytes, descriptor.mediaType, this.#what);
    const config = parsed.kind === 'index' ? null : hexOf(parsed.config.digest);
    const named = name === null ? images : itemsNamed(images, (image) => image.names, name);
    const found = named.filter(
      (image) =>
        named.length === 1 ||
        (config !== null && image.config.includes(config)) ||
        own.some(({ imageName }) => imageName !== null && image.names.map(fullName).includes(imageName)),
    );
    return found.map((image) => images.indexOf(image));
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

  peek(descriptor: Descriptor, signal: AbortSignal): Promise<FileRange> {
    const old = this.#old?.blobs.get(descriptor.digest);
    return old === undefined
      ? this.#layout.peek(descriptor, signal)
      : this.#files.fileOfExtent(old.extent, signal);
  }

  async referrers(digest: Digest, signal: AbortSignal): Promise<readonly Referrer[]> {
    return this.#old === null ? this.#layout.referrers(digest, signal) : [];
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  /** Finds the image in the OCI layout inside; null where the layout does not tell which image is meant. */
  async #findInLayout(images: readonly DockerImage[], signal: AbortSignal): Promise<RawManifest | null> {
    const entries = await this.#layout.entries(signal);
    const { name, position } = this.#wanted;
    const isOnly = name === null && position === null;
    // The old list says what the archive holds: there may be images in it that the layout lacks.
    if (isOnly) findImage(images, this.#wanted, this.#place);
    const names = position === null ? [name].flat() : (images[position]?.names ?? []);
    const found = isOnly
      ? entries
      : names.flatMap((each) => (each === null ? [] : entriesNamed(entries, each)));
    const [entry, ...others] = distinct(found);
    if (entry !== undefined && others.length === 0)
      return this.#complete(await this.#layout.load(entry, signal), signal);
    return this.#findByConfig(entries, findImage(images, this.#wanted, this.#place), signal);
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

/** Turns NOT_FOUND into null. */
function passAbsence(error: unknown): null {
  if (error instanceof OcislimError && error.code === 'NOT_FOUND') return null;
  throw error;
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
