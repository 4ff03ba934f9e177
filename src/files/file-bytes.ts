/**
 * The room `files`: bytes of files on this machine, read at random, streamed, and written so that a file is whole or absent.
 * It knows digests, but neither layouts nor archives; this file, its face, reads and writes open files.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { KiB, MiB } from '../units.ts';
import { fileError, systemCode } from './file-error.ts';

/** Bytes of one read, and at least of one write. */
const chunkSize = 256 * KiB;
/** Bounds of what is gathered while a write is under way; `writev` takes at most 1,024 chunks. */
const maxGathered = MiB;
const maxChunks = 512;

/** Opens a regular file for reading; null where it does not exist. @throws IO, also for a directory, a device or a pipe */
export async function openFile(path: string): Promise<{ handle: FileHandle; size: number } | null> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK, opening a fifo would wait forever for a writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isAbsence(error)) return null;
    throw fileError(`read ${path}`, error);
  }
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new OcislimError('IO', `cannot read ${path}: it is not a regular file`);
    return { handle, size: found.size };
  } catch (error) {
    await handle.close();
    throw fileError(`read ${path}`, error);
  }
}

/** Returns the length of a regular file; null for anything else, also nothing. Passes other errors of the system on. */
export async function fileSize(path: string): Promise<number | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : null;
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * Reads a range of an open file, one chunk ahead of its consumer. Yields fewer bytes where the file ends before. The file
 * may be closed as soon as the stream has ended or been left. @throws IO
 */
export async function* readRange(
  handle: FileHandle,
  start: number,
  length: number,
  signal: AbortSignal,
): ByteStream {
  const read = (from: number) => readAt(handle, start + from, Math.min(chunkSize, length - from));
  let next = length > 0 ? read(0) : null;
  try {
    for (let at = 0; next !== null; ) {
      signal.throwIfAborted();
      const chunk: Uint8Array = await next;
      at += chunk.length;
      next = chunk.length === 0 || at >= length ? null : read(at);
      // A failure is thrown when this chunk is asked for.
      next?.catch(() => {});
      if (chunk.length > 0) yield chunk;
    }
  } finally {
    await next?.catch(() => {});
  }
}

/** Bytes of one read of a range of which parts are left out. */
const peekSize = 128 * KiB;

/**
 * Reads a range of an open file in chunks, of which a consumer may leave out what it does not want to see. Nothing is read ahead.
 * @throws IO
 */
export class SkippingRange implements AsyncIterableIterator<Uint8Array> {
  readonly #file: { readonly handle: FileHandle; readonly offset: number; readonly size: number };
  readonly #signal: AbortSignal;
  #at = 0;

  constructor(
    file: { readonly handle: FileHandle; readonly offset: number; readonly size: number },
    signal: AbortSignal,
  ) {
    this.#file = file;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.#signal.throwIfAborted();
    const { handle, offset, size } = this.#file;
    const chunk = await readAt(handle, offset + this.#at, Math.min(peekSize, size - this.#at));
    this.#at += chunk.length;
    return chunk.length === 0 ? { done: true, value: undefined } : { done: false, value: chunk };
  }

  /** Leaves out the next bytes. Returns how many there were: fewer only at the end of the range. */
  skip(count: number): number {
    const skipped = Math.min(count, this.#file.size - this.#at);
    this.#at += skipped;
    return skipped;
  }
}

/** Reads up to `length` bytes into a fresh array: fewer only at the end of the file. @throws IO */
export async function readAt(handle: FileHandle, start: number, length: number): Promise<Uint8Array> {
  // Uninitialized memory: what is not written to is cut off below.
  const chunk = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let filled = 0;
  try {
    while (filled < length) {
      const { bytesRead } = await handle.read(chunk, filled, length - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
  } catch (error) {
    throw fileError('read a file', error);
  }
  return chunk.subarray(0, filled);
}

/** Writes all of the bytes at a position of the file. Passes the system's errors on. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** Where and how `writeStream` writes. */
export interface StreamWriting {
  readonly handle: FileHandle;
  /** Byte of the file at which the stream begins. */
  readonly position: number;
  /** Receives every chunk that is in the file, in order, also of a stream that fails later. */
  readonly onWritten: (chunk: Uint8Array) => void;
  /** Turns an error of the file into the error to throw. */
  readonly onFailure: (error: unknown) => unknown;
  readonly signal: AbortSignal;
}

/**
 * Writes a stream into a file in large pieces, one of which is under way while the next is gathered. When it returns or
 * throws, no write is under way. @throws the stream's errors as they are, and those of the file by way of `onFailure`
 */
export async function writeStream(stream: ByteStream, writing: StreamWriting): Promise<void> {
  const { signal } = writing;
  const behind = new WriteBehind(writing);
  try {
    for await (const chunk of stream) {
      signal.throwIfAborted();
      behind.gather(chunk);
      if (behind.isPiece) await behind.advance();
    }
    await behind.settle();
    signal.throwIfAborted();
    behind.write();
    await behind.settle();
  } finally {
    await behind.settle().catch(() => {});
  }
}

/** Gathers chunks while the chunks before them are being written. */
class WriteBehind {
  readonly #writing: StreamWriting;
  #end: number;
  #gathered: Uint8Array[] = [];
  #size = 0;
  /** The write under way, or the last one. */
  #last = Promise.resolve();
  #isWriting = false;

  constructor(writing: StreamWriting) {
    this.#writing = writing;
    this.#end = writing.position;
  }

  gather(chunk: Uint8Array): void {
    this.#gathered.push(chunk);
    this.#size += chunk.length;
  }

  /** Whether enough has been gathered for a write. */
  get isPiece(): boolean {
    return this.#size >= chunkSize || this.#gathered.length >= maxChunks;
  }

  /** Writes what has been gathered, or goes on gathering while a write is under way and there is room. */
  async advance(): Promise<void> {
    const isFull = this.#size >= maxGathered || this.#gathered.length >= maxChunks;
    if (this.#isWriting && isFull) await this.#last;
    if (!this.#isWriting) this.write();
  }

  /** Starts writing what has been gathered. No other write may be under way. */
  write(): void {
    if (this.#gathered.length === 0) return;
    const chunks = this.#gathered;
    const from = this.#end;
    this.#end += this.#size;
    this.#gathered = [];
    this.#size = 0;
    this.#isWriting = true;
    this.#last = this.#put(chunks, from);
    // A failure is thrown when the write is waited for.
    this.#last.catch(() => {});
  }

  /** Waits for the write under way. */
  settle(): Promise<void> {
    return this.#last;
  }

  async #put(chunks: readonly Uint8Array[], from: number): Promise<void> {
    const { handle, onWritten, onFailure } = this.#writing;
    try {
      await writeChunks(handle, chunks, from);
    } catch (error) {
      throw onFailure(error);
    }
    this.#isWriting = false;
    for (const chunk of chunks) onWritten(chunk);
  }
}

async function writeChunks(
  handle: FileHandle,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<void> {
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  let { bytesWritten } = await handle.writev(chunks, position);
  if (bytesWritten === total) return;
  // The disk is full, or nearly: chunk by chunk, until the system tells what is wrong.
  let at = position;
  for (const chunk of chunks) {
    const done = Math.min(bytesWritten, chunk.length);
    bytesWritten -= done;
    await writeAt(handle, chunk.subarray(done), at + done);
    at += chunk.length;
  }
}

/** Reads a whole small file; null where it does not exist. `limit` in bytes. @throws LIMIT, IO */
export async function readSmallFile(
  path: string,
  limit: number,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  signal.throwIfAborted();
  const file = await openFile(path);
  if (file === null) return null;
  await using handle = file.handle;
  if (file.size > limit) throw new OcislimError('LIMIT', `${path} is larger than ${limit} bytes`);
  return await readAt(handle, 0, file.size);
}
