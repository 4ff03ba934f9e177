import type { ByteStream } from '../stream/byte-stream.ts';
import { describeEncoder } from './describe.ts';
import { encode, type EncodeOptions } from './encode.ts';
import type { PackedEncoding } from './encoding.ts';

/** What packing so many bytes came to. */
export interface Trial {
  /** Bytes that went in. */
  readonly input: number;
  readonly output: number;
  /** Of one thread at work. */
  readonly seconds: number;
}

/** Blocks of encoders that pack in one piece. */
const pieceSize = 1024 * 1024;

/**
 * Packs pieces block by block, one at a time, to see how small they get and how long it takes. Of several trials at once no
 * more should run than the pool has jobs, or they wait for each other and seem slow.
 */
export async function tryEncoding(
  pieces: readonly Uint8Array[],
  encoding: PackedEncoding,
  options: EncodeOptions,
): Promise<Trial> {
  const size = describeEncoder(encoding).blockSize ?? pieceSize;
  const trial = { input: 0, output: 0, seconds: 0 };
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += size) {
      const block = piece.subarray(at, at + size);
      const start = performance.now();
      for await (const chunk of encode(once(block), encoding, options)) trial.output += chunk.length;
      trial.seconds += (performance.now() - start) / 1000;
      trial.input += block.length;
    }
  }
  return trial;
}

async function* once(bytes: Uint8Array): ByteStream {
  yield bytes;
}
