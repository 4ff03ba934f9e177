/**
 * Files without names that hold a whole archive, within the disk that a run may use: one that came from a pipe or was packed, or one
 * that goes to a pipe. Archives are read and written at random, which streams are not.
 */
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Closeable } from '../closeable.ts';
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import type { DiskBudget } from './disk-budget.ts';
import { writeStream } from './file-bytes.ts';
import { fileError } from './file-error.ts';
import { openUnnamedFile, sweepTemporaryFolders } from './temporary.ts';

/** How errors speak of a spooled archive. */
export interface SpoolWords {
  /** The subject: "source docker-archive:-". */
  readonly what: string;
  /** What a person can do instead of raising the bound: "name a file". */
  readonly otherwise: string;
}

/** A file in TMPDIR that is gone when it is closed. */
export class SpoolFile extends Closeable {
  readonly handle: FileHandle;
  readonly #disk: DiskBudget;
  readonly #what: string;
  readonly #otherwise: string;
  #taken = 0;

  private constructor(handle: FileHandle, disk: DiskBudget, { what, otherwise }: SpoolWords) {
    super();
    this.handle = handle;
    this.#disk = disk;
    this.#what = what;
    this.#otherwise = otherwise;
  }

  /** Creates an empty file. @throws IO */
  static async create(disk: DiskBudget, words: SpoolWords): Promise<SpoolFile> {
    await sweepTemporaryFolders();
    try {
      return new SpoolFile(await openUnnamedFile(), disk, words);
    } catch (error) {
      throw fileError(`write into ${tmpdir()}`, error, 'Set TMPDIR to a folder with room in it.');
    }
  }

  /** Takes room for a file of so many bytes. @throws LIMIT */
  reserve(size: number): void {
    const more = size - this.#taken;
    if (more <= 0) return;
    if (!this.#disk.tryTake(more)) {
      throw new OcislimError(
        'LIMIT',
        `${this.#what}: it takes more than the ${inWords(this.#disk.limit)} of disk that --max-scratch allows`,
        {
          advice: `Raise it, for example --max-scratch 20GB (TMPDIR says where), or ${this.#otherwise}.`,
        },
      );
    }
    this.#taken += more;
  }

  /** Writes a stream to its end. Returns the number of its bytes. @throws LIMIT, IO, the stream's errors */
  async fill(stream: ByteStream, signal: AbortSignal): Promise<number> {
    const { handle } = this;
    let size = 0;
    const reserving = async function* (file: SpoolFile): ByteStream {
      for await (const chunk of stream) {
        size += chunk.length;
        file.reserve(size);
        yield chunk;
      }
    };
    await writeStream(reserving(this), {
      handle,
      position: 0,
      onWritten: () => {},
      onFailure: (error) =>
        fileError(`write into ${tmpdir()}`, error, 'Set TMPDIR to a folder with room in it.'),
      signal,
    });
    return size;
  }

  async close(): Promise<void> {
    this.#disk.give(this.#taken);
    this.#taken = 0;
    await this.handle.close();
  }
}

/** Writes a number of bytes as the option takes it, where that is short. */
function inWords(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const)
    if (bytes >= size && bytes % size === 0) return `${bytes / size} ${unit}`;
  return `${bytes} bytes`;
}
