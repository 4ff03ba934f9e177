/**
 * The storage behind a target that is an archive, of either form: last-members.ts says how the forms differ. Opened by
 * jobs/openers.ts.
 */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import { OcislimError } from '../../errors.ts';
import { algorithmOf, type Digest } from '../../oci/digest.ts';
import type { Packing } from '../../oci/packing-notes.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { collect, streamOf } from '../../stream/collect.ts';
import { type Sealing, sealedAs } from '../../stream/seal.ts';
import { verify } from '../../stream/verify.ts';
import type { DiskBudget } from '../../files/disk-budget.ts';
import { fileSize } from '../../files/file-bytes.ts';
import { fileError } from '../../files/file-error.ts';
import { findFile, requireKind } from '../../files/found-file.ts';
import { blockSize } from '../../tar/header.ts';
import { type Attachment, withAttachments } from '../attachments.ts';
import { blobName } from '../layout/layout-files.ts';
import { maxIndex } from '../layout/layout-index.ts';
import type { BlobStorage, TakenBlob } from '../local-target.ts';
import type { RawManifest } from '../../place/place.ts';
import type { Limits } from '../../limits.ts';
import {
  type ArchiveOutput,
  fileOutput,
  packedOutput,
  type Pipe,
  pipeOutput,
  stampOf,
} from './archive-output.ts';
import { ArchiveWriter, type Region } from './archive-writer.ts';
import {
  ExistingArchive,
  type KeptBlob,
  type KeptImages,
  nothingKept,
  type ReplacedImage,
} from './existing-archive.ts';

/** The blobs of an archive that is nearly written. @throws ARCHIVE_INVALID for one that it does not have */
export interface WrittenBlobs {
  /** Reads a small blob. */
  readonly read: (digest: Digest) => Promise<Uint8Array>;
  /** Reads the first block of a blob, or all of a shorter one. */
  readonly readHead: (digest: Digest) => Promise<Uint8Array>;
}

/** The manifest or index of a new image. */
export interface NamedRoot {
  readonly root: RawManifest;
  /** Null where it is not known. */
  readonly packing: Packing | null;
}

/** Makes the members that name the images, which are written last. */
export type LastMembers = (
  image: NamedRoot,
  blobs: WrittenBlobs,
  kept: KeptImages,
) => Promise<readonly (readonly [name: string, bytes: Uint8Array])[]>;

const folders = ['blobs/', 'blobs/sha256/'];

/** Which archive to write. */
export interface ArchiveToWrite {
  /** `-` for standard output. */
  readonly path: string;
  /** What messages begin with: "destination docker-archive:…" */
  readonly label: string;
  readonly lastMembers: LastMembers;
  /** The names that the image gets. */
  readonly names: readonly string[];
  /** The image of the archive that it takes the place of. Null: those of its names. */
  readonly replaced: ReplacedImage | null;
  readonly limits: Limits;
  readonly disk: DiskBudget;
  /** Writes to standard output; null where the process has no such stream. */
  readonly pipe: Pipe | null;
  /** Packs an archive that was packed; null for a pool of one job. */
  readonly pool: EncoderPool | null;
}

/**
 * Takes blobs into a new archive, which replaces the file of its name on `publish`, or is streamed to standard output. Images of other
 * names that the file holds stay in it. Members lie in the order in which `take` was called.
 */
export class ArchiveStorage implements BlobStorage {
  readonly #createOutput: () => Promise<ArchiveOutput>;
  readonly #label: string;
  readonly #lastMembers: LastMembers;
  readonly #names: readonly string[];
  readonly #replaced: ReplacedImage | null;
  /** The archive that is there; null for a new one. */
  readonly #existing: ExistingArchive | null;
  /** Members that have names, by digest. */
  readonly #kept = new Map<Digest, Region>();
  readonly #attachments: Attachment[] = [];
  #writer: Promise<ArchiveWriter> | null = null;
  #closed = false;

  private constructor(
    { label, lastMembers, names, replaced }: ArchiveToWrite,
    existing: ExistingArchive | null,
    createOutput: () => Promise<ArchiveOutput>,
  ) {
    this.#createOutput = createOutput;
    this.#label = label;
    this.#lastMembers = lastMembers;
    this.#names = names;
    this.#replaced = replaced;
    this.#existing = existing;
  }

  /**
   * Checks that a file can be written under this name, links followed, reads what is there, and writes nothing yet.
   * @throws IO, USAGE, ARCHIVE_INVALID for a file that holds something else
   */
  static async open(archive: ArchiveToWrite, signal: AbortSignal): Promise<ArchiveStorage> {
    const { path, label, limits, disk, pipe, pool, replaced } = archive;
    if (path === '-') {
      if (pipe === null) throw new OcislimError('USAGE', `${label}: there is no standard output to write to`);
      return new ArchiveStorage(archive, null, () => pipeOutput(label, disk, pipe));
    }
    const found = await findFile(path);
    requireKind(found, ['absent', 'file']);
    try {
      await stat(dirname(found.path));
    } catch (error) {
      throw fileError(`write ${path}`, error);
    }
    const stamp = await stampOf(found.path);
    const isThere = ((await fileSize(found.path)) ?? 0) > 0;
    const there = { path: found.path, label, limits, disk, replaced };
    const existing = isThere ? await ExistingArchive.open(there, signal) : null;
    const format = (await existing?.packing(signal)) ?? 'none';
    return new ArchiveStorage(archive, existing, () =>
      format === 'none'
        ? fileOutput(found.path, stamp)
        : packedOutput(found.path, stamp, { label, format, disk, pool }),
    );
  }

  attach(attachment: Attachment): void {
    this.#attachments.push(attachment);
  }

  async sizeOf(digest: Digest): Promise<number | null> {
    return this.#kept.get(digest)?.size ?? null;
  }

  /** Appends a member without a name. `keep` names it by its digest; a second member of one digest is discarded. */
  async take(stream: ByteStream | Sealing, signal: AbortSignal, expected?: Digest): Promise<TakenBlob> {
    const writer = await this.#open();
    const region = await writer.append(stream, signal, expected === undefined ? '' : blobName(expected));
    const drop = async () => writer.drop(region);
    return {
      keep: async (digest, size) => {
        this.#check(region, digest, size);
        if (this.#kept.has(digest)) return drop();
        this.#kept.set(digest, region);
        await writer.name(region, blobName(digest));
      },
      drop: async () => {
        if (this.#kept.get(region.digest) === region) this.#kept.delete(region.digest);
        await drop();
      },
    };
  }

  /** Copies the images that stay, writes the last members, and replaces the file. No blob can be taken afterwards. @throws IO, what `LastMembers` throws */
  async publish(root: RawManifest, signal: AbortSignal, packing?: Packing): Promise<void> {
    const writer = await this.#open();
    const image = { root, names: this.#names, replaced: this.#replaced };
    const beside = (await this.#existing?.beside(image, signal)) ?? nothingKept;
    const kept = await this.#withAttachments(beside, signal);
    for (const blob of kept.blobs.values()) await this.#copy(blob, signal);
    const blobs = {
      read: async (digest: Digest) => writer.read(this.#regionOf(digest)),
      readHead: async (digest: Digest) => writer.read(this.#regionOf(digest), blockSize),
    };
    const last = await this.#lastMembers({ root, packing: packing ?? null }, blobs, kept);
    await writer.finish(last, signal);
  }

  /** Returns the images that stay, with the artifacts that this archive takes. */
  async #withAttachments(kept: KeptImages, signal: AbortSignal): Promise<KeptImages> {
    const read = async (digest: Digest) => {
      const blob = kept.blobs.get(digest);
      return blob === undefined ? null : collect(blob.open(signal), maxIndex, `${this.#label}: ${digest}`);
    };
    const write = ({ descriptor, bytes }: RawManifest) => {
      const { digest, size } = descriptor;
      return this.#copy({ digest, size, open: () => streamOf(bytes) }, signal);
    };
    return { ...kept, rows: await withAttachments(kept.rows, this.#attachments, { read, write }) };
  }

  #regionOf(digest: Digest): Region {
    const region = this.#kept.get(digest);
    if (region !== undefined) return region;
    throw new OcislimError('ARCHIVE_INVALID', `${this.#label} has no blob ${digest}`);
  }

  /** Copies a blob of an image that stays, unless the new image has it too. */
  async #copy({ digest, size, open }: KeptBlob, signal: AbortSignal): Promise<void> {
    if (this.#kept.has(digest)) return;
    const what = `${this.#label}: blob ${digest}`;
    const stream = sealedAs(verify(open(signal), { digest, size }, what), { digest, size });
    const taken = await this.take(stream, signal, digest);
    await taken.keep(digest, size);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const writer = await this.#writer?.catch(() => null);
    await writer?.close();
    await this.#existing?.close();
  }

  /** Creates the unfinished file at the first use: a target that takes no blob leaves none. */
  #open(): Promise<ArchiveWriter> {
    if (this.#closed) throw new OcislimError('INTERRUPTED', `${this.#label} is closed`);
    this.#writer ??= this.#createOutput().then((output) => ArchiveWriter.create(output, folders));
    return this.#writer;
  }

  /** Compares a region with the digest and size that it is to be known by. */
  #check(region: Region, digest: Digest, size: number): void {
    const what = `${this.#label}: blob ${digest}`;
    if (algorithmOf(digest) !== algorithmOf(region.digest)) {
      throw new OcislimError('UNSUPPORTED', `${what}: new blobs of archives have digests of sha256`);
    }
    if (size !== region.size) {
      throw new OcislimError('SIZE_MISMATCH', `${what} is ${region.size} bytes long, not ${size}`);
    }
    if (digest !== region.digest) {
      throw new OcislimError('DIGEST_MISMATCH', `${what} has the digest ${region.digest}, not ${digest}`);
    }
  }
}
