/**
 * The storage behind a target that is an archive, of either form: last-members.ts says how the forms differ. Opened by
 * jobs/openers.ts.
 */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OcislimError } from '../../errors.ts';
import { algorithmOf, type Digest } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import type { Sealing } from '../../stream/seal.ts';
import type { DiskBudget } from '../../files/disk-budget.ts';
import { fileError } from '../../files/file-error.ts';
import { findFile, requireKind } from '../../files/found-file.ts';
import { blobName } from '../layout/layout-files.ts';
import type { BlobStorage, TakenBlob } from '../local-target.ts';
import type { RawManifest } from '../../place/place.ts';
import { type ArchiveOutput, fileOutput, type Pipe, pipeOutput } from './archive-output.ts';
import { ArchiveWriter, type Region } from './archive-writer.ts';

/** Makes the members that name the image, which are written last. `read` returns a small blob of the archive. */
export type LastMembers = (
  root: RawManifest,
  read: (digest: Digest) => Promise<Uint8Array>,
) => Promise<readonly (readonly [name: string, bytes: Uint8Array])[]>;

const folders = ['blobs/', 'blobs/sha256/'];

/** Which archive to write. */
export interface ArchiveToWrite {
  /** `-` for standard output. */
  readonly path: string;
  /** What messages begin with: "destination docker-archive:…" */
  readonly label: string;
  readonly lastMembers: LastMembers;
  readonly disk: DiskBudget;
  /** Writes to standard output; null where the process has no such stream. */
  readonly pipe: Pipe | null;
}

/**
 * Takes blobs into a new archive, which replaces the file of its name on `publish`, or is streamed to standard output. Members lie
 * in the order in which `take` was called.
 */
export class ArchiveStorage implements BlobStorage {
  readonly #createOutput: () => Promise<ArchiveOutput>;
  readonly #label: string;
  readonly #lastMembers: LastMembers;
  /** Members that have names, by digest. */
  readonly #kept = new Map<Digest, Region>();
  #writer: Promise<ArchiveWriter> | null = null;
  #closed = false;

  private constructor({ label, lastMembers }: ArchiveToWrite, createOutput: () => Promise<ArchiveOutput>) {
    this.#createOutput = createOutput;
    this.#label = label;
    this.#lastMembers = lastMembers;
  }

  /** Checks that a file can be written under this name, links followed, and writes nothing yet. @throws IO, USAGE */
  static async open(archive: ArchiveToWrite): Promise<ArchiveStorage> {
    const { path, label, disk, pipe } = archive;
    if (path === '-') {
      if (pipe === null) throw new OcislimError('USAGE', `${label}: there is no standard output to write to`);
      return new ArchiveStorage(archive, () => pipeOutput(label, disk, pipe));
    }
    const found = await findFile(path);
    requireKind(found, ['absent', 'file']);
    try {
      await stat(dirname(found.path));
    } catch (error) {
      throw fileError(`write ${path}`, error);
    }
    return new ArchiveStorage(archive, () => fileOutput(found.path));
  }

  async sizeOf(digest: Digest): Promise<number | null> {
    return this.#kept.get(digest)?.size ?? null;
  }

  /** Appends a member without a name. `keep` names it by its digest; a second member of one digest is discarded. */
  async take(stream: ByteStream | Sealing, signal: AbortSignal): Promise<TakenBlob> {
    const writer = await this.#open();
    const region = await writer.append(stream, signal);
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

  /** Writes the last members, and replaces the file. No blob can be taken afterwards. @throws IO, what `LastMembers` throws */
  async publish(root: RawManifest, signal: AbortSignal): Promise<void> {
    const writer = await this.#open();
    const read = async (digest: Digest) => {
      const region = this.#kept.get(digest);
      if (region === undefined)
        throw new OcislimError('ARCHIVE_INVALID', `${this.#label} has no blob ${digest}`);
      return writer.read(region);
    };
    await writer.finish(await this.#lastMembers(root, read), signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const writer = await this.#writer?.catch(() => null);
    await writer?.close();
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
    if (algorithmOf(digest) !== 'sha256') {
      throw new OcislimError('UNSUPPORTED', `${what}: archives are written with sha256 digests only`, {
        advice: 'Write the image to a registry or an OCI layout directory.',
      });
    }
    if (size !== region.size) {
      throw new OcislimError('SIZE_MISMATCH', `${what} is ${region.size} bytes long, not ${size}`);
    }
    if (digest !== region.digest) {
      throw new OcislimError('DIGEST_MISMATCH', `${what} has the digest ${region.digest}, not ${digest}`);
    }
  }
}
