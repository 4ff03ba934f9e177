import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** Writes a file that has another name until it is whole. */
export async function writeWhole(
  file: string,
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const partial = `${file}.partial-${process.pid}`;
  try {
    await pipeline(stream, createWriteStream(partial, { flags: 'wx', mode: 0o666 }), { signal });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
