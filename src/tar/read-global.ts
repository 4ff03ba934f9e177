import type { ByteStream } from '../stream/byte-stream.ts';
import { collect } from '../stream/collect.ts';
import { MiB } from '../units.ts';
import type { TarEntry } from './entry.ts';
import type { TarReader } from './reader.ts';

/** Returns the records of the global header that the reader stands at. @throws LIMIT, and the errors of the stream */
export async function readGlobal(reader: TarReader, { size }: TarEntry): Promise<Uint8Array> {
  return (await collect(copied(reader.body()), 2 * MiB, 'a global tar header')).subarray(0, size);
}

/** Copies chunks, so that they stay valid while the reader continues. */
async function* copied(stream: ByteStream): ByteStream {
  for await (const chunk of stream) yield chunk.slice();
}
