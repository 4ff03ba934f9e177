/**
 * Files that a person named for reading: regular files, pipes (`<(command)`), devices. Options, credentials and certificates are
 * read here, so that no wait for the other end of a pipe outlasts the run's signal.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { KiB } from '../units.ts';
import { endingWaits } from './pipe-wait.ts';

const chunkSize = 256 * KiB;

/**
 * Reads a whole file of at most `limit` bytes. Passes the system's errors on.
 * @throws LIMIT, the signal's reason
 */
export async function readGiven(path: string, limit: number, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of streamGiven(path, signal)) {
    size += chunk.length;
    if (size > limit) throw new OcislimError('LIMIT', `${path} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** Streams a file. Passes the system's errors on. @throws the signal's reason */
export async function* streamGiven(path: string, signal: AbortSignal): ByteStream {
  signal.throwIfAborted();
  const found = await stat(path);
  const wait = found.isFIFO()
    ? <T>(work: Promise<T>): Promise<T> => endingWaits(work, { path, end: 'reading' }, signal)
    : <T>(work: Promise<T>): Promise<T> => work;
  const handle = await wait(open(path, constants.O_RDONLY));
  try {
    for (;;) {
      signal.throwIfAborted();
      const chunk = await wait(readNext(handle));
      signal.throwIfAborted();
      if (chunk.length === 0) return;
      yield chunk;
    }
  } finally {
    await handle.close();
  }
}

async function readNext(handle: FileHandle): Promise<Uint8Array> {
  const chunk = Buffer.allocUnsafeSlow(chunkSize);
  const { bytesRead } = await handle.read(chunk, 0, chunkSize, null);
  return new Uint8Array(chunk.buffer, 0, bytesRead);
}
