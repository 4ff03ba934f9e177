/**
 * Packs streams: reads blocks ahead, encodes them in the turns of the pool, and gives them out in order. The layer writer calls
 * it, and `trial.ts` uses its encoders to try packings out.
 */
import type { ByteStream } from '../stream/byte-stream.ts';
import { type Block, BlockReader, type BlockSource } from './block.ts';
import type { BlockEncoder } from './block-encoder.ts';
import type { EncoderPool, Lane } from './encoder-pool.ts';
import { type BlockEncoding, engineOf, isPacked, type PackedEncoding, validateEncoding } from './encoding.ts';
import { passThrough, release } from './pass-through.ts';

export interface EncodeOptions {
  readonly signal: AbortSignal;
  readonly pool: EncoderPool;
}

/**
 * Packs a stream. The result depends on the bytes that go in and on the encoding (and the version of its encoder, see
 * `describeEncoder`), not on how either side is chunked, nor on the jobs of the pool. An empty input gives a valid empty
 * member or frame. Memory is bounded: a few blocks (see `describeEncoder`) for each job.
 * @throws USAGE for an encoding that does not exist, at once; CODEC when a worker fails; UNSUPPORTED when an engine cannot run
 */
export function encode(stream: ByteStream, encoding: PackedEncoding, options: EncodeOptions): ByteStream {
  validateEncoding(encoding);
  if (!isPacked(encoding)) return passThrough(stream, options.signal);
  return pack(() => new BlockReader(stream), encoding, options);
}

/** Packs, as `encode` does, a source of blocks. The source is asked for blocks of the size that the encoding wants. */
export function encodeBlocks(
  source: BlockSource,
  encoding: BlockEncoding,
  options: EncodeOptions,
): ByteStream {
  validateEncoding(encoding);
  return pack(() => source, encoding, options);
}

/** Loads the engine of an encoding and returns an encoder for one stream. The caller closes it. @throws USAGE, UNSUPPORTED */
export async function openBlockEncoder(encoding: BlockEncoding, pool: EncoderPool): Promise<BlockEncoder> {
  const { level } = encoding;
  const { encoder, blocks } = engineOf(encoding);
  const open = await encoder();
  return open({ level, blockSize: blocks.size(level), workers: pool.workers });
}

async function* pack(
  open: () => BlockSource,
  encoding: BlockEncoding,
  { signal, pool }: EncodeOptions,
): ByteStream {
  const lane = pool.open(signal);
  let encoder: BlockEncoder | null = null;
  let source: BlockSource | null = null;
  try {
    source = open();
    encoder = await openBlockEncoder(encoding, pool);
    if (encoder.serial) lane.serial();
    lane.early = encoder.early;
    yield* inOrder(source, encoder, lane, pool);
  } finally {
    // The lane goes first, so that no task of it starts with a closed encoder.
    lane.close();
    encoder?.close();
    if (source !== null) await release(source.close(), signal);
  }
}

/** Reads and encodes ahead of the consumer, as far as the pool lets a stream go, and gives out in order. */
async function* inOrder(
  source: BlockSource,
  encoder: BlockEncoder,
  lane: Lane,
  pool: EncoderPool,
): ByteStream {
  const packed: Promise<Uint8Array>[] = [];
  const input: { filling: Promise<void> | null; ended: boolean } = { filling: null, ended: false };

  const fill = async () => {
    const block = await lane.guard(source.next(pool.memory.take(encoder.blockSize)));
    input.ended = block.last;
    packed.push(start(block));
    input.filling = null;
    fillUp();
  };
  const start = (block: Block) => {
    const result = lane.run(encoder.prepare(block)).then((encoded) => {
      pool.memory.give(block.bytes.buffer);
      return encoded;
    });
    // A consumer that leaves early never awaits it: the rejection must not end the process.
    result.catch(() => {});
    return result;
  };
  const fillUp = () => {
    if (input.filling !== null || input.ended || packed.length >= pool.depth(encoder.ahead)) return;
    input.filling = fill();
    input.filling.catch(() => {});
  };

  let { head } = encoder;
  for (;;) {
    fillUp();
    const first = packed[0];
    if (first !== undefined) {
      const bytes = await first;
      void packed.shift();
      if (head !== null) yield head;
      head = null;
      if (bytes.length > 0) yield bytes;
    } else if (input.filling !== null) {
      await input.filling;
    } else {
      break;
    }
  }
  const tail = encoder.tail();
  if (tail !== null) yield tail;
}
