import { OcislimError } from '../errors.ts';
import type { ByteStream } from './byte-stream.ts';

/** The whole stream as one array, for small things. @throws LIMIT beyond `limit` bytes, naming `what`. */
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
