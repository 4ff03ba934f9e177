/**
 * Copies bytes from one file of this machine into another, and hashes what it writes. A layout takes the blobs of other local places
 * by it: no chunk is handed from stream to stream, and a few buffers are used again and again.
 */
import type { FileHandle } from 'node:fs/promises';
import type { Hasher } from '../oci/digest.ts';
import type { FileRange } from '../place/place.ts';
import { KiB } from '../units.ts';
import { fileError } from './file-error.ts';
import { writeAt } from './file-bytes.ts';

/** Bytes of a buffer: few calls of the system for each byte, and the processor's cache still has what was read when it is hashed. */
const slotSize = 512 * KiB;
/** One that is read into, one that is hashed, one that is written. */
const slotCount = 3;

/** A range whose file the caller keeps open. */
type OpenRange = Omit<FileRange, typeof Symbol.asyncDispose>;

/** Where and how a range is copied. */
export interface RangeCopying {
  /** Null where the bytes are only hashed. */
  readonly handle: FileHandle | null;
  /** Receives every byte in order, just as it is written. */
  readonly hash: Hasher;
  /** Receives the length of each piece. */
  readonly onBytes: (count: number) => void;
  /** Turns an error of writing into the error to throw. */
  readonly onFailure: (error: unknown) => unknown;
  readonly signal: AbortSignal;
}

/**
 * Copies a range to the beginning of a file, or hashes it alone, up to its length or the end of its file. When it returns or throws, nothing is under way.
 * @returns the number of bytes that were copied
 * @throws IO, the signal's reason, and what `onFailure` returns
 */
export async function copyRange(from: OpenRange, copying: RangeCopying): Promise<number> {
  const { hash, onBytes, signal } = copying;
  const length = Math.min(slotSize, Math.max(1, from.size));
  const slots = Array.from(
    { length: slotCount },
    () => new Uint8Array(Buffer.allocUnsafeSlow(length).buffer),
  );
  /** The write from each slot. */
  const writes = slots.map(() => Promise.resolve());
  const slotOf = (piece: number) => piece % slotCount;
  const read = async (piece: number): Promise<Uint8Array> => {
    await writes[slotOf(piece)];
    return readInto(from, slots[slotOf(piece)] as Uint8Array, piece * length);
  };
  let next = read(0);
  try {
    for (let piece = 0; ; piece += 1) {
      signal.throwIfAborted();
      const bytes = await next;
      if (bytes.length === length) {
        next = read(piece + 1);
        // A failure is thrown when the piece is asked for.
        next.catch(() => {});
      }
      hash.update(bytes);
      const write = writePiece(copying, bytes, piece * length);
      write.catch(() => {});
      writes[slotOf(piece)] = write;
      onBytes(bytes.length);
      if (bytes.length < length) {
        await Promise.all(writes);
        signal.throwIfAborted();
        return piece * length + bytes.length;
      }
    }
  } finally {
    await Promise.allSettled([next, ...writes]);
  }
}

/** Fills a slot from a position of the range: fewer bytes only at the end of the range or of its file. @throws IO */
async function readInto(
  { handle, offset, size }: OpenRange,
  slot: Uint8Array,
  at: number,
): Promise<Uint8Array> {
  const wanted = Math.min(slot.length, size - at);
  let filled = 0;
  try {
    while (filled < wanted) {
      const { bytesRead } = await handle.read(slot, filled, wanted - filled, offset + at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (error) {
    throw fileError('read a file', error);
  }
  return slot.subarray(0, filled);
}

async function writePiece(
  { handle, onFailure }: RangeCopying,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  if (handle === null) return;
  try {
    await writeAt(handle, bytes, position);
  } catch (error) {
    throw onFailure(error);
  }
}
