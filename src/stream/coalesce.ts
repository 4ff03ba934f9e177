import type { ByteStream } from './byte-stream.ts';

/**
 * Gathers small chunks into larger ones: hashing and encoding pay for each chunk. Chunks that are large already pass
 * as they are.
 */
export async function* coalesce(stream: ByteStream, size = 256 * 1024): ByteStream {
  let block = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of stream) {
    if (filled === 0 && chunk.length >= size) {
      yield chunk;
      continue;
    }
    let rest = chunk;
    while (rest.length > 0) {
      const part = rest.subarray(0, size - filled);
      block.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled === size) {
        yield block;
        block = new Uint8Array(size);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
