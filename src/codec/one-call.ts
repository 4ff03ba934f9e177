import type { DeflateRaw, ZstdCompress } from 'node:zlib';

/**
 * Packs a block by one native call on Node's thread pool, and ends the engine. The engine's `flush` says how the block ends, and
 * it has `roomFor` all of it. Node's own one-shot functions make two calls, which costs zstd 1 % of the size
 * (it does not know that it sees everything at once), and their streams append an empty frame on `end()`.
 */
export function packInOneCall(engine: DeflateRaw | ZstdCompress, bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    engine.on('error', reject);
    engine.write(bytes, (error) => {
      if (error) return reject(error);
      const packed: Uint8Array | null = engine.read();
      engine.destroy();
      resolve(packed ?? new Uint8Array(0));
    });
  });
}

/** Room for so many bytes of output in one piece, which a stream takes without being read. */
export function roomFor(bytes: number): {
  readonly chunkSize: number;
  readonly readableHighWaterMark: number;
} {
  return { chunkSize: bytes, readableHighWaterMark: bytes + 1 };
}
