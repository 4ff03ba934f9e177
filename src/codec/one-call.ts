import type { DeflateRaw, ZstdCompress } from 'node:zlib';
import { KiB } from '../units.ts';

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
      resolve(packed === null ? new Uint8Array(0) : fitted(packed));
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

/** Smaller rooms may be parts of memory that Node shares among many. */
const ownRoom = 256 * KiB;

/**
 * In memory of its own size. The room is given back at once: left to the collector, the rooms of all blocks make it run all
 * the time, which took a sixth of the main thread.
 */
function fitted(packed: Uint8Array): Uint8Array {
  const { buffer } = packed;
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < ownRoom) return packed;
  const copy = new Uint8Array(packed);
  buffer.transfer(0);
  return copy;
}
