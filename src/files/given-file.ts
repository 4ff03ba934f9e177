/**
 * Files that a person named for reading: regular files, pipes (`<(command)`), devices. Options, credentials and certificates are
 * read here, so that no wait for the other end of a pipe outlasts the run's signal.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { exceeded, type LimitName } from '../limits.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { KiB } from '../units.ts';
import { endingWaits } from './pipe-wait.ts';

const chunkSize = 256 * KiB;

/** How much of a file may be read. */
export interface GivenBound<Name extends LimitName = LimitName> {
  readonly limit: Name;
  /** The limits of the run, or of the caller. */
  readonly limits: Readonly<Record<Name, number>>;
  /** The file in the error: `the plan "x.yaml"`. Default: its path. */
  readonly what?: string;
  /** Bytes that other files have taken of the limit. Default: 0. */
  readonly taken?: number;
  /** Bytes of all files that share the limit. Default: those of this file and of `taken`. */
  readonly total?: number;
}

/**
 * Reads a whole file, if the limit allows its size. Passes the system's errors on.
 * @throws LIMIT, the signal's reason
 */
export async function readGiven<Name extends LimitName>(
  path: string,
  bound: GivenBound<Name>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamBounded(path, bound, signal)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * Streams a file, as far as the limit allows its size. Passes the system's errors on.
 * @throws LIMIT, the signal's reason
 */
export async function* streamBounded<Name extends LimitName>(
  path: string,
  bound: GivenBound<Name>,
  signal: AbortSignal,
): ByteStream {
  const { limit, limits, what = path, taken = 0 } = bound;
  const most = limits[limit] - taken;
  const others = taken === 0 ? '' : ` beside ${taken} of other files`;
  const found = await stat(path);
  if (found.isFile() && found.size > most)
    throw exceeded(limit, limits, what, {
      says: `it has ${found.size} bytes${others}`,
      needed: bound.total ?? found.size + taken,
    });
  let size = 0;
  for await (const chunk of streamGiven(path, signal)) {
    size += chunk.length;
    if (size > most) {
      const says = `it has more than ${most} bytes${others}`;
      throw exceeded(limit, limits, what, { says, atLeast: size + taken });
    }
    yield chunk;
  }
}

/** Streams a file. Passes the system's errors on. @throws the signal's reason */
export async function* streamGiven(path: string, signal: AbortSignal): ByteStream {
  signal.throwIfAborted();
  const found = await stat(path);
  const wait = found.isFIFO()
    ? <T>(work: Promise<T>): Promise<T> => endingWaits(work, { path, end: 'reading' }, signal)
    : <T>(work: Promise<T>): Promise<T> => work;
  // A small file gets a small buffer: the system clears each page of it. Files below /proc have no size.
  const room = found.isFile() && found.size > 0 ? Math.min(chunkSize, found.size + 1) : chunkSize;
  const handle = await wait(open(path, constants.O_RDONLY));
  try {
    for (;;) {
      signal.throwIfAborted();
      const chunk = await wait(readNext(handle, room));
      signal.throwIfAborted();
      if (chunk.length === 0) return;
      yield chunk;
    }
  } finally {
    await handle.close();
  }
}

/** Reads up to `room` bytes. */
async function readNext(handle: FileHandle, room: number): Promise<Uint8Array> {
  const chunk = Buffer.allocUnsafeSlow(room);
  const { bytesRead } = await handle.read(chunk, 0, room, null);
  const read = new Uint8Array(chunk.buffer, 0, bytesRead);
  // A pipe may give a byte at a time, which must not keep the whole chunk in memory.
  return bytesRead < room / 2 ? read.slice() : read;
}
