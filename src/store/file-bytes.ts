import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { fileError, systemCode } from './file-error.ts';

const chunkSize = 256 * 1024;

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

/** Bytes of an open file; fewer when the file ends before. @throws IO */
export async function* readRange(
  handle: FileHandle,
  start: number,
  length: number,
  signal: AbortSignal,
): ByteStream {
  for (let at = 0; at < length; ) {
    signal.throwIfAborted();
    const chunk = await readAt(handle, start + at, Math.min(chunkSize, length - at));
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}

/** Up to `length` bytes in a fresh array; fewer only at the end of the file. @throws IO */
export async function readAt(handle: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const chunk = new Uint8Array(length);
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
