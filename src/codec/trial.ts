import type { BlockEncoder } from './block-encoder.ts';
import { type EncodeOptions, openBlockEncoder } from './encode.ts';
import type { BlockEncoding } from './encoding.ts';

/** The result of packing some bytes. */
export interface Trial {
  /** Bytes that went in. */
  readonly input: number;
  /** Bytes that came out. */
  readonly output: number;
  /** Seconds of one thread. */
  readonly seconds: number;
}

/**
 * Packs pieces as if they were one stream, a block at a time, to find out how small they get and how long it takes. The pieces are
 * in shared memory, so that worker threads need no copies. No more trials should run at once than the pool has jobs: they would
 * wait for each other and seem slow.
 * @throws CODEC when a worker fails; UNSUPPORTED when an engine cannot run
 */
export async function tryEncoding(
  pieces: readonly Uint8Array<SharedArrayBuffer>[],
  encoding: BlockEncoding,
  { pool, signal }: EncodeOptions,
): Promise<Trial> {
  const lane = pool.open(signal);
  let encoder: BlockEncoder | null = null;
  try {
    encoder = await openBlockEncoder(encoding, pool);
    const trial = { input: 0, output: encoder.head?.length ?? 0, seconds: 0 };
    const { blockSize } = encoder;
    const blocks = pieces.flatMap((piece) => cut(piece, blockSize));
    for (const [i, bytes] of blocks.entries()) {
      const task = encoder.prepare({ bytes, last: i === blocks.length - 1 });
      const start = performance.now();
      const packed = await lane.run(task);
      trial.seconds += (performance.now() - start) / 1000;
      trial.input += bytes.length;
      trial.output += packed.length;
    }
    trial.output += encoder.tail()?.length ?? 0;
    return trial;
  } finally {
    lane.close();
    encoder?.close();
  }
}

/** Cuts a piece into blocks; an empty piece is one empty block. */
function cut(piece: Uint8Array<SharedArrayBuffer>, size: number): Uint8Array<SharedArrayBuffer>[] {
  const count = Math.max(1, Math.ceil(piece.length / size));
  return Array.from({ length: count }, (_, i) => piece.subarray(i * size, (i + 1) * size));
}
