import { OcislimError } from '../errors.ts';
import type { ByteStream } from './byte-stream.ts';

/**
 * Reads a whole stream into one array, for small things.
 * @param limit bytes
 * @param what the subject of the error message
 * @throws LIMIT, and the errors of the stream
 */
export async function collect(stream: ByteStream, limit: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > limit) throw new OcislimError('LIMIT', `${what} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return concat(chunks);
}

/** Joins chunks. A single chunk is returned as it is, not copied. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Makes a stream of one chunk. */
export async function* streamOf(bytes: Uint8Array): ByteStream {
  yield bytes;
}
