/**
 * The storage behind a target that is a layout directory. Opened by jobs/openers.ts; `open` alone also tells the embedded
 * registry whether a folder can be a layout.
 */
import { type FileHandle, readdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OcislimError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { JsonObject } from '../../oci/json.ts';
import type { Packing } from '../../oci/packing-notes.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { streamOf } from '../../stream/collect.ts';
import type { Sealing } from '../../stream/seal.ts';
import { type BlobCopying, BlobFile } from '../../files/blob-file.ts';
import { fileSize, readSmallFile } from '../../files/file-bytes.ts';
import { fileError, systemCode } from '../../files/file-error.ts';
import { makeFolders } from '../../files/make-folders.ts';
import { findFile, requireKind } from '../../files/found-file.ts';
import { type Attachment, withAttachments } from '../attachments.ts';
import type { BlobStorage, TakenBlob } from '../local-target.ts';
import type { FileRange, RawManifest } from '../../place/place.ts';
import { noDelay, retrying, type RetryPolicy } from '../../retry/retrying.ts';
import { sweepTemporaries } from '../../files/temporary.ts';
import { MiB } from '../../units.ts';
import { blobName } from './layout-files.ts';
import { checkMarker, maxIndex, parseIndexFile } from './layout-index.ts';
import { checkLock } from './layout-lock.ts';
import { type LayoutNaming, named, refuseAmbiguous } from './layout-naming.ts';
import { updateIndex } from './layout-update.ts';

/** Whether a name is that of an unfinished blob, or of the file that `checkFolder` makes for a moment. */
const isTemporary = (name: string): boolean => name === 'blob' || name === 'check';

/** Bytes from which on a clone is tried: a smaller file is copied as soon. */
const smallestClone = MiB;

/**
 * Takes blobs into a layout directory. They have temporary names beside their places until `publish` renames them, so that
 * a run that fails leaves no blob behind.
 */
export class LayoutStorage implements BlobStorage {
  readonly takesSideBySide = true;
  readonly #folder: string;
  readonly #naming: LayoutNaming;
  readonly #label: string;
  /** Blobs with a digest that have not been published, by digest. */
  readonly #kept = new Map<Digest, { file: BlobFile; size: number }>();
  /** All unfinished and unpublished files. */
  readonly #open = new Set<BlobFile>();
  /** Folders that this storage has made, and removes if nothing is published. */
  readonly #made = new Set<string>();
  /** Files that are being created: `close` waits for them, so that none is left behind. */
  readonly #creating = new Set<Promise<BlobFile>>();
  readonly #attachments: Attachment[] = [];
  #swept = false;
  /** Whether to try a clone: until the first that the file system does not make. */
  #clones = true;
  #closed = false;

  private constructor(folder: string, naming: LayoutNaming, label: string) {
    this.#folder = folder;
    this.#naming = naming;
    this.#label = label;
  }

  /**
   * Checks that the folder, links followed, is a layout or can become one, and writes nothing yet. Without names the image gets an
   * entry without one.
   * @throws ARCHIVE_INVALID for a folder that holds other things, USAGE for a name that several images have, IO, also for a file that
   * stands in the place of the lock
   */
  static async open(
    folder: string,
    naming: LayoutNaming,
    label: string,
    signal: AbortSignal,
  ): Promise<LayoutStorage> {
    const found = await findFile(folder);
    requireKind(found, ['absent', 'folder']);
    const { path } = found;
    const marker = await readSmallFile(join(path, 'oci-layout'), 4096, signal);
    if (marker !== null) checkMarker(marker, label);
    const index = await readSmallFile(join(path, 'index.json'), maxIndex, signal);
    const rows = index === null ? [] : parseIndexFile(index, label).rows;
    if (naming.kind === 'names') refuseAmbiguous(rows, naming.names, label);
    if (marker === null && index === null) await refuseOther(path, label);
    await checkLock(path);
    return new LayoutStorage(path, naming, label);
  }

  async sizeOf(digest: Digest): Promise<number | null> {
    return this.#kept.get(digest)?.size ?? (await fileSize(join(this.#folder, blobName(digest))));
  }

  /** Writes a blob under a temporary name. `keep` flushes it to the disk; a second blob of one digest is discarded. */
  take(stream: ByteStream | Sealing, signal: AbortSignal): Promise<TakenBlob> {
    return this.#fill(signal, (file) =>
      'seal' in stream ? file.fill(stream, signal) : file.append(stream, signal),
    );
  }

  /** Copies a blob from another file of this machine, as `take` writes a stream: by a clone where the file system makes some. */
  copy(from: FileRange, copying: BlobCopying): Promise<TakenBlob> {
    const original = this.#clones && from.offset === 0 && from.size >= smallestClone ? from.handle : null;
    return this.#fill(copying.signal, (file) => file.copy(from, copying), original);
  }

  async #fill(
    signal: AbortSignal,
    write: (file: BlobFile) => Promise<void>,
    original: FileHandle | null = null,
  ): Promise<TakenBlob> {
    const creating = this.#create(signal, original);
    this.#creating.add(creating);
    const file = await creating.finally(() => this.#creating.delete(creating));
    const drop = async () => {
      this.#open.delete(file);
      await file.drop();
    };
    try {
      await write(file);
    } catch (error) {
      await drop();
      throw error;
    }
    return {
      keep: async (digest, size) => {
        await file.seal(digest, size, true, `${this.#label}: blob ${digest}`);
        if (this.#kept.has(digest)) return drop();
        this.#kept.set(digest, { file, size });
      },
      drop,
    };
  }

  attach(attachment: Attachment): void {
    this.#attachments.push(attachment);
  }

  /** Renames the blobs to their places, and then changes index.json: it never names a blob that is not there. @throws IO */
  async publish({ descriptor }: RawManifest, signal: AbortSignal, packing?: Packing): Promise<void> {
    for (const [digest, { file }] of this.#kept) {
      const path = join(this.#folder, blobName(digest));
      await this.#makeFolder(dirname(path));
      await file.moveTo(path);
      this.#kept.delete(digest);
      this.#open.delete(file);
    }
    const image = { descriptor, packing: packing ?? null };
    const documents = {
      read: (digest: Digest) => readSmallFile(join(this.#folder, blobName(digest)), maxIndex, signal),
      write: (raw: RawManifest) => this.#write(raw, signal),
    };
    const change = (rows: readonly JsonObject[]) =>
      withAttachments(named(rows, image, this.#naming), this.#attachments, documents);
    await updateIndex(this.#folder, change, signal);
    this.#made.clear();
    // Where every blob was there already, `take` has not swept.
    await this.#sweep();
  }

  /** Writes a document to its place at once: index.json names it next. */
  async #write({ descriptor: { digest, size }, bytes }: RawManifest, signal: AbortSignal): Promise<void> {
    const file = await this.#create(signal, null);
    try {
      await file.append(streamOf(bytes), signal);
      await file.seal(digest, size, true, `${this.#label}: manifest ${digest}`);
      await file.moveTo(join(this.#folder, blobName(digest)));
    } finally {
      this.#open.delete(file);
      await file.drop();
    }
  }

  /** Discards blobs that were not published, and folders that were made for them. Never fails. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#creating);
    for (const file of this.#open) await file.drop();
    this.#open.clear();
    this.#kept.clear();
    // Fails for a folder that another process writes into, as intended.
    const innermostFirst = [...this.#made].sort((a, b) => b.length - a.length);
    for (const folder of innermostFirst) await rmdir(folder).catch(() => {});
    this.#made.clear();
  }

  /** Creates a file for a blob beside the blobs of sha256, where it is renamed later. */
  #create(signal: AbortSignal, original: FileHandle | null): Promise<BlobFile> {
    const folder = join(this.#folder, 'blobs', 'sha256');
    return retrying(onceMore, { signal }, async () => {
      if (this.#closed) throw new OcislimError('INTERRUPTED', `${this.#label} is closed`);
      await this.#makeFolder(folder);
      await this.#sweep();
      const file = await BlobFile.create(folder, original);
      if (original !== null) this.#clones = file.isClone;
      this.#open.add(file);
      return file;
    });
  }

  /** Removes files of killed processes, once. */
  async #sweep(): Promise<void> {
    if (!this.#swept) await sweepTemporaries(join(this.#folder, 'blobs', 'sha256'), isTemporary);
    this.#swept = true;
  }

  /** Makes a folder and those around it, and notes which of them are new. */
  async #makeFolder(folder: string): Promise<void> {
    try {
      await makeFolders(folder, { made: this.#made });
    } catch (error) {
      throw fileError(`make the folder ${folder}`, error);
    }
  }
}

/** A process that failed may have removed the empty folder of blobs after it was made here. */
const onceMore: RetryPolicy = {
  retries: 1,
  isTransient: (error) => error instanceof OcislimError && systemCode(error.cause) === 'ENOENT',
  delay: noDelay,
  exhausted: (error) => error,
};

/** Refuses a folder that holds other things: its name is more likely mistyped than meant for a layout. */
async function refuseOther(folder: string, label: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw fileError(`write into ${folder}`, error);
  }
  const other = names.find((name) => name !== 'blobs' && !name.startsWith('.'));
  if (other === undefined) return;
  throw new OcislimError(
    'ARCHIVE_INVALID',
    `${label}: the folder is not an OCI layout, and holds other things (${JSON.stringify(other)})`,
    { advice: 'Name a new or an empty folder.' },
  );
}
