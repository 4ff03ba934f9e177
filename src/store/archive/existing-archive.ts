/**
 * An archive that is there already and gets one more image: which of its images stay, and their bytes. archive-storage.ts copies
 * these into the new file, which then replaces the old one.
 */
import { Closeable } from '../../closeable.ts';
import { OcislimError } from '../../errors.ts';
import { silent } from '../../events.ts';
import type { DiskBudget } from '../../files/disk-budget.ts';
import type { Limits } from '../../limits.ts';
import type { RawManifest } from '../../place/place.ts';
import { type Digest, hexOf, isDigest } from '../../oci/digest.ts';
import { isJsonObject, type JsonObject, parseJson, parseJsonObject } from '../../oci/json.ts';
import { type Compression, isIndexType, isManifestType } from '../../oci/media-type.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { collect } from '../../stream/collect.ts';
import { verify } from '../../stream/verify.ts';
import { fullName, tagOfName } from '../image-name.ts';
import { blobName } from '../layout/layout-files.ts';
import { isSameRow } from '../layout/layout-naming.ts';
import {
  annotation,
  emptyIndex,
  imageNameKey,
  maxIndex,
  parseIndexFile,
  readEntry,
  refNameKey,
} from '../layout/layout-index.ts';
import { ArchiveFiles } from './archive-files.ts';
import { type DockerImage, parseDockerManifest } from './docker-manifest.ts';
import { OldFormReader } from './old-form.ts';

/** A blob of an image that stays. */
export interface KeptBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly open: (signal: AbortSignal) => ByteStream;
}

/** The images that stay beside a new one. */
export interface KeptImages {
  /** index.json, without its rows. */
  readonly index: JsonObject;
  readonly rows: readonly JsonObject[];
  /** The rows of manifest.json; null where the archive has none. */
  readonly dockerRows: readonly JsonObject[] | null;
  readonly blobs: ReadonlyMap<Digest, KeptBlob>;
  /** The image that the new one takes the place of: its rows of index.json are still among `rows`. Null: none is named. */
  readonly replaced: ReplacedImage | null;
}

/** An image that a new one takes the place of, with the names that go over to it. */
export interface ReplacedImage {
  /** Its manifest or index. */
  readonly root: RawManifest;
  /** Its rows of index.json. */
  readonly rows: readonly JsonObject[];
  /** Its rows of manifest.json, by their positions. */
  readonly list: readonly number[];
  readonly names: readonly string[];
}

/** What stays where there was no archive. */
export const nothingKept: KeptImages = {
  index: emptyIndex,
  rows: [],
  dockerRows: null,
  blobs: new Map(),
  replaced: null,
};

/** An archive that is there. */
export interface ArchiveThere {
  readonly path: string;
  readonly label: string;
  readonly limits: Limits;
  /** Disk for an archive that is packed. */
  readonly disk: DiskBudget;
  /** The image that a new one takes the place of. Null: none is named. */
  readonly replaced: ReplacedImage | null;
}

/** index.json, and its rows. */
interface Listed {
  readonly json: JsonObject;
  readonly rows: readonly JsonObject[];
}

/** A new image: its manifest or index, and the names that it gets, or the image that it takes the place of. */
export interface NewImage {
  readonly root: RawManifest;
  readonly names: readonly string[];
  readonly replaced: ReplacedImage | null;
}

/** A row of manifest.json, read and as it is. */
interface DockerRow {
  readonly image: DockerImage;
  readonly json: JsonObject;
}

/** Reads an archive that is about to be written again. */
export class ExistingArchive extends Closeable {
  readonly #archive: ArchiveThere;
  readonly #files: ArchiveFiles;
  readonly #index: Listed;
  readonly #docker: readonly DockerRow[] | null;

  private constructor(
    archive: ArchiveThere,
    files: ArchiveFiles,
    index: Listed,
    docker: readonly DockerRow[] | null,
  ) {
    super();
    this.#archive = archive;
    this.#files = files;
    this.#index = index;
    this.#docker = docker;
  }

  /**
   * Reads what the archive lists. One that is packed is unpacked for this.
   * @throws ARCHIVE_INVALID for a file that holds something else, UNSUPPORTED for one in xz or bzip2, USAGE for an image to replace that
   * would stay in part, LIMIT, CODEC
   */
  static async open(archive: ArchiveThere, signal: AbortSignal): Promise<ExistingArchive> {
    const { path, label, limits, disk } = archive;
    await using opening = new AsyncDisposableStack();
    const files = new ArchiveFiles({ path, label, limits, disk, listener: silent });
    opening.defer(() => files.close());
    const index = await files.read('index.json', maxIndex, signal).catch(asForeign(archive));
    const list = await files.read('manifest.json', maxIndex, signal);
    if (index === null && list === null) throw foreign(archive);
    const docker = list === null ? null : dockerRows(list, label);
    if (docker !== null) refuseHalf(archive, docker);
    const read = new ExistingArchive(
      archive,
      files,
      index === null ? { json: emptyIndex, rows: [] } : parseIndexFile(index, label),
      docker,
    );
    opening.move();
    return read;
  }

  /** Returns the images that stay beside a new one: all but those of its names, and itself where it has none. */
  async beside(image: NewImage, signal: AbortSignal): Promise<KeptImages> {
    const blobs = new Map<Digest, KeptBlob>();
    const { replaced } = image;
    const isDocker = this.#docker !== null;
    const rows = this.#index.rows.filter((row) => !isReplaced(row, image, isDocker));
    const kept = rows.length;
    for (const row of rows) {
      const { digest, mediaType } = readEntry(row, this.#archive.label);
      await this.#reach(digest, mediaType, blobs, signal);
    }
    const docker: JsonObject[] = [];
    for (const [i, row] of (this.#docker ?? []).entries()) {
      const rest = remaining(row, i, image);
      if (rest === null) continue;
      if (this.#isInLayout(rest.image)) {
        docker.push(rest.json);
        for (const name of [rest.image.config, ...rest.image.layers])
          await this.#reach(digestIn(name), '', blobs, signal);
      } else docker.push(await this.#convert(rest.image, rows, blobs, signal));
    }
    return {
      index: this.#index.json,
      rows: replaced === null ? rows : [...this.#index.rows, ...rows.slice(kept)],
      dockerRows: isDocker ? docker : null,
      blobs,
      replaced,
    };
  }

  /** Returns how the file is packed. */
  packing(signal: AbortSignal): Promise<Compression> {
    return this.#files.packing(signal);
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  #isInLayout({ config, layers }: DockerImage): boolean {
    return [config, ...layers].every((name) => digestIn(name) !== null);
  }

  /** Collects a blob and, of a manifest or index, all that it names. What the archive lacks is passed over: it may be sparse. */
  async #reach(
    digest: Digest | null,
    mediaType: string | null,
    blobs: Map<Digest, KeptBlob>,
    signal: AbortSignal,
  ): Promise<void> {
    if (digest === null || blobs.has(digest)) return;
    const size = await this.#files.blobSize(digest, signal);
    if (size === null) return;
    blobs.set(digest, { digest, size, open: (inner) => this.#files.blob(digest, inner) });
    const isDocument = mediaType === null || isIndexType(mediaType) || isManifestType(mediaType);
    if (!isDocument || size > this.#archive.limits['manifest-bytes']) return;
    const what = `${this.#archive.label}: manifest ${digest}`;
    const bytes = await collect(verify(this.#files.blob(digest, signal), { digest, size }, what), size, what);
    const json = parseJsonObject(bytes, what);
    // What an artifact is about may have no row of its own.
    const named = [json['config'], json['layers'], json['blobs'], json['manifests'], json['subject']];
    for (const child of named.flat()) {
      if (!isJsonObject(child) || !isDigest(child['digest'])) continue;
      const type = child['mediaType'];
      await this.#reach(child['digest'], typeof type === 'string' ? type : '', blobs, signal);
    }
  }

  /** Turns an image of the old form into one of the new form, since readers of index.json look at nothing else. */
  async #convert(
    image: DockerImage,
    rows: JsonObject[],
    blobs: Map<Digest, KeptBlob>,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const { label, limits } = this.#archive;
    const { manifest, blobs: old } = await new OldFormReader(this.#files, label, limits).read(image, signal);
    for (const [digest, { extent }] of old) {
      const open = (inner: AbortSignal) => this.#files.extent(extent, inner);
      blobs.set(digest, { digest, size: extent.size, open });
    }
    const { digest, size, mediaType } = manifest.descriptor;
    const { bytes } = manifest;
    blobs.set(digest, {
      digest,
      size,
      open: async function* () {
        yield bytes;
      },
    });
    const row = { mediaType, digest, size };
    const names = image.names.map((name) => ({
      [imageNameKey]: fullName(name),
      [refNameKey]: tagOfName(name),
    }));
    if (names.length === 0) rows.push(row);
    for (const annotations of names) rows.push({ ...row, annotations });
    const json = parseJsonObject(bytes, label) as {
      readonly config: { readonly digest: Digest };
      readonly layers: readonly { readonly digest: Digest }[];
    };
    return {
      Config: blobName(json.config.digest),
      RepoTags: image.names.length === 0 ? null : image.names,
      Layers: json.layers.map((layer) => blobName(layer.digest)),
    };
  }
}

/** Refuses to replace an image of an OCI layout that is also in the list of `docker save`, where the old one would stay. @throws USAGE */
function refuseHalf({ path, label, replaced }: ArchiveThere, docker: readonly DockerRow[]): void {
  if (replaced === null || replaced.list.length > 0) return;
  const config = configOf(replaced.root);
  const names = new Set(
    replaced.rows
      .flatMap((row) => [annotation(row, imageNameKey), annotation(row, refNameKey)])
      .flatMap((name) => (name === null ? [] : fullName(name))),
  );
  const isThere = docker.some(
    ({ image }) => image.config.includes(config) || image.names.some((name) => names.has(fullName(name))),
  );
  if (!isThere) return;
  throw new OcislimError(
    'USAGE',
    `${label}: docker load reads another list in this archive, which would stay`,
    {
      advice: `Name the archive as docker-archive:${path}.`,
    },
  );
}

function dockerRows(list: Uint8Array, label: string): readonly DockerRow[] {
  const images = parseDockerManifest(list, label);
  const rows = parseJson(list, label) as readonly JsonObject[];
  return images.map((image, i) => ({ image, json: rows[i] as JsonObject }));
}

/** Returns whether a new image takes the place of a row of index.json. */
function isReplaced(row: JsonObject, { root, names, replaced }: NewImage, isDocker: boolean): boolean {
  if (replaced !== null) return replaced.rows.some((old) => isSameRow(row, old));
  const [imageName, refName] = [annotation(row, imageNameKey), annotation(row, refNameKey)];
  const own = imageName ?? refName;
  if (names.length === 0) return own === null && row['digest'] === root.descriptor.digest;
  return names.some((name) => {
    if (isWhole(name)) return own !== null && isWhole(own) && fullName(own) === fullName(name);
    // In what Docker saves, images of several repositories have one tag.
    return refName === name && (imageName === null || !isDocker);
  });
}

/** Returns a row of manifest.json without the names of a new image; null where nothing names it any more. */
function remaining(
  { image, json }: DockerRow,
  position: number,
  { root, names, replaced }: NewImage,
): DockerRow | null {
  if (replaced !== null && !replaced.list.includes(position)) return { image, json };
  if (replaced !== null && image.names.length === 0) return null;
  if (image.names.length === 0)
    return names.length === 0 && image.config.includes(configOf(root)) ? null : { image, json };
  const taken = new Set(names.filter(isWhole).map(fullName));
  const left = image.names.filter((name) => !taken.has(fullName(name)));
  if (left.length === 0) return null;
  return { image: { ...image, names: left }, json: { ...json, RepoTags: left } };
}

/** Returns the hexadecimal part of the config's digest, which old forms call the config by; a text that no name has for an index. */
function configOf({ bytes }: RawManifest): string {
  const { config } = parseJsonObject(bytes, 'the new manifest');
  return isJsonObject(config) && isDigest(config['digest']) ? hexOf(config['digest']) : '\0';
}

/** Returns whether a name is that of a repository with its tag, and not a tag alone. */
function isWhole(name: string): boolean {
  return /[:/]/.test(name);
}

/** Returns the digest that the name of a member of a layout states; null for another name. */
function digestIn(name: string): Digest | null {
  const digest = name.replace(/^blobs\/([a-z0-9]+)\//, '$1:');
  return isDigest(digest) ? digest : null;
}

function foreign({ label }: ArchiveThere, cause?: unknown): OcislimError {
  return new OcislimError('ARCHIVE_INVALID', `${label} is there, and is not an image archive`, {
    ...(cause === undefined ? {} : { cause }),
    advice: 'Remove the file first if it may go, or name another one.',
  });
}

/** Makes a handler that says of a file that cannot be read as a tar that it is not replaced. */
function asForeign(archive: ArchiveThere): (error: unknown) => never {
  return (error) => {
    if (error instanceof OcislimError && error.code === 'ARCHIVE_INVALID') throw foreign(archive, error);
    throw error;
  };
}
