import type { Transform } from 'node:stream';
import { KiB } from '../units.ts';

/**
 * Packs a block by one native call on Node's thread pool, and ends the engine: a stream of `node:zlib` whose `flush` says how the
 * block ends, and which has `roomFor` all of it. Node's own one-shot functions make two calls, which costs zstd 1 % of the size
 * (it does not know that it sees everything at once), and their streams append an empty frame on `end()`.
 */
export function packInOneCall(engine: Transform, bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    engine.on('error', reject);
    engine.write(bytes, (error) => {
      if (error) return reject(error);
      const packed = engine.read() as Uint8Array | null;
      engine.destroy();
      resolve(packed === null ? new Uint8Array(0) : fitted(packed));
    });
  });
}

/** Returns stream options with room for so many bytes of output in one piece, so that the stream need not be read meanwhile. */
export function roomFor(bytes: number): {
  readonly chunkSize: number;
  readonly readableHighWaterMark: number;
} {
  return { chunkSize: bytes, readableHighWaterMark: bytes + 1 };
}

/** Bytes. Smaller rooms may be parts of memory that Node shares among many. */
const ownRoom = 256 * KiB;

/**
 * Copies the bytes into memory of their size and frees the room at once. The garbage collector, if the rooms of all blocks are left
 * to it, takes a sixth of the main thread's time.
 */
function fitted(packed: Uint8Array): Uint8Array {
  const { buffer } = packed;
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < ownRoom) return packed;
  const copy = new Uint8Array(packed);
  buffer.transfer(0);
  return copy;
}
