import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { fileError, systemCode } from './file-error.ts';
import { KiB, MiB } from '../units.ts';

const chunkSize = 256 * KiB;
/** What is gathered while a write is under way. */
const mostGathered = MiB;
const mostChunks = 512;

/** A regular file open for reading; null when it is not there. @throws IO also for what is no regular file */
export async function openFile(path: string): Promise<{ handle: FileHandle; size: number } | null> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK, opening a fifo would wait for a writer for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw fileError(`read ${path}`, error);
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new OcislimError('IO', `cannot read ${path}: it is not a regular file`);
    return { handle, size: stat.size };
  } catch (error) {
    await handle.close();
    throw fileError(`read ${path}`, error);
  }
}

/** Bytes of an open file; fewer when the file ends before. The next ones are read while those are used. @throws IO */
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
      // Heard of when it is its turn.
      next?.catch(() => {});
      if (chunk.length > 0) yield chunk;
    }
  } finally {
    // The file may be closed from here on.
    await next?.catch(() => {});
  }
}

/** Up to `length` bytes in a fresh array; fewer only at the end of the file. @throws IO */
export async function readAt(handle: FileHandle, start: number, length: number): Promise<Uint8Array> {
  // All of it is written to, or cut off.
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

/** Writes all of the bytes at a place in the file. Lets the system's error through. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/**
 * Writes a stream into a file, from a place in it on: in large pieces, one of which is under way while the next is
 * gathered. `onWritten` gets all chunks that have been written, in their order, also of a stream that fails. Lets the
 * errors of both sides through, those of the file by way of `onFailure`.
 */
export async function writeStream(
  handle: FileHandle,
  stream: ByteStream,
  position: number,
  onWritten: (chunk: Uint8Array) => void,
  onFailure: (error: unknown) => unknown,
  signal: AbortSignal,
): Promise<void> {
  let writing = Promise.resolve();
  let isWriting = false;
  let gathered: Uint8Array[] = [];
  let size = 0;
  let end = position;
  const put = async (chunks: readonly Uint8Array[], from: number): Promise<void> => {
    try {
      await writeChunks(handle, chunks, from);
    } catch (error) {
      throw onFailure(error);
    }
    isWriting = false;
    for (const chunk of chunks) onWritten(chunk);
  };
  const write = (): void => {
    const chunks = gathered;
    const from = end;
    end += size;
    gathered = [];
    size = 0;
    isWriting = true;
    writing = put(chunks, from);
    // Heard of when the next piece is ready.
    writing.catch(() => {});
  };
  try {
    for await (const chunk of stream) {
      signal.throwIfAborted();
      gathered.push(chunk);
      size += chunk.length;
      if (size < chunkSize && gathered.length < mostChunks) continue;
      if (isWriting && (size >= mostGathered || gathered.length >= mostChunks)) await writing;
      if (!isWriting) write();
    }
    await writing;
    signal.throwIfAborted();
    if (size > 0) write();
    await writing;
  } finally {
    await writing.catch(() => {});
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
  // A disk that is full, or nearly so: chunk by chunk, until it says what is wrong.
  let at = position;
  for (const chunk of chunks) {
    const done = Math.min(bytesWritten, chunk.length);
    bytesWritten -= done;
    await writeAt(handle, chunk.subarray(done), at + done);
    at += chunk.length;
  }
}

/** A whole small file; null when it is not there. @throws LIMIT, IO */
export async function readSmallFile(
  path: string,
  limit: number,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  signal.throwIfAborted();
  const file = await openFile(path);
  if (file === null) return null;
  try {
    if (file.size > limit) throw new OcislimError('LIMIT', `${path} is larger than ${limit} bytes`);
    return await readAt(file.handle, 0, file.size);
  } finally {
    await file.handle.close();
  }
}
