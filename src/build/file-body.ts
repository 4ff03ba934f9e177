/**
 * Reads the contents of files of this machine for a layer, and refuses a file that changes meanwhile: its head has been written by then.
 * `write-files.ts` calls it for each file in its turn.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OcislimError } from '../errors.ts';
import { readRange } from '../files/file-bytes.ts';
import { fileError } from '../files/file-error.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import type { SparsePiece } from '../tar/sparse.ts';
import { KiB } from '../units.ts';
import { findPieces, leastHoles } from './holes.ts';
import { type FoundFile, placeName } from './walk.ts';

/** Files up to this are read at once, without a wait: a wait costs more than reading them. */
export const smallFile = 128 * KiB;

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Bytes of a block, in which file systems count. */
const block = 512n;

/** Returns the contents of a small file. @throws IO where it cannot be read, or changes */
export function readSmall(file: FoundFile): Uint8Array {
  const size = Number(file.stats.size);
  // One more, since a file that grows has it.
  const bytes = Buffer.allocUnsafeSlow(size + 1);
  let descriptor: number;
  try {
    descriptor = openSync(file.place, flags);
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    let filled = 0;
    for (let count = -1; count !== 0 && filled <= size; filled += count)
      count = readSync(descriptor, bytes, filled, bytes.length - filled, filled);
    if (filled !== size) throw changed(file);
    checkSame(file, fstatSync(descriptor, { bigint: true }));
    return bytes.subarray(0, size);
  } catch (error) {
    throw unreadable(file, error);
  } finally {
    closeSync(descriptor);
  }
}

/** A large file that is open. It is closed as it is disposed of. */
export class OpenBody implements AsyncDisposable {
  readonly #file: FoundFile;
  readonly #handle: FileHandle;
  /** The pieces that are stored; null for a file without holes. */
  readonly pieces: readonly SparsePiece[] | null;

  private constructor(file: FoundFile, handle: FileHandle, pieces: readonly SparsePiece[] | null) {
    this.#file = file;
    this.#handle = handle;
    this.pieces = pieces;
  }

  /** Opens a file, and looks for holes where its file system says that it has some. @throws IO */
  static async open(file: FoundFile, signal: AbortSignal): Promise<OpenBody> {
    const { size, blocks } = file.stats;
    let handle: FileHandle;
    try {
      handle = await open(file.place, flags);
    } catch (error) {
      throw unreadable(file, error);
    }
    try {
      const mayHaveHoles = size - blocks * block >= BigInt(leastHoles);
      return new OpenBody(file, handle, mayHaveHoles ? await findPieces(handle, Number(size), signal) : null);
    } catch (error) {
      await handle.close();
      throw unreadable(file, error);
    }
  }

  /** Yields the stored bytes. @throws IO where the file changes */
  async *read(signal: AbortSignal): ByteStream {
    const size = Number(this.#file.stats.size);
    const pieces = this.pieces ?? [{ offset: 0, length: size }];
    try {
      for (const { offset, length } of pieces) {
        let left = length;
        for await (const chunk of readRange(this.#handle, offset, length, signal)) {
          left -= chunk.length;
          yield chunk;
        }
        if (left > 0) throw changed(this.#file);
      }
      checkSame(this.#file, await this.#handle.stat({ bigint: true }));
    } catch (error) {
      throw unreadable(this.#file, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** Refuses a file that is not the one that was looked at, or not as it was. @throws IO */
function checkSame(file: FoundFile, now: BigIntStats): void {
  const { stats } = file;
  const isSame =
    now.dev === stats.dev &&
    now.ino === stats.ino &&
    now.size === stats.size &&
    now.mtimeNs === stats.mtimeNs &&
    now.ctimeNs === stats.ctimeNs;
  if (!isSame) throw changed(file);
}

function changed(file: FoundFile): OcislimError {
  return new OcislimError('IO', `${placeName(file.place)} has changed while it was read`, {
    advice: 'Run it again when nothing writes there.',
  });
}

function unreadable(file: FoundFile, error: unknown): unknown {
  return fileError(`read ${placeName(file.place)}`, error);
}
