import type { ByteStream } from '../stream/byte-stream.ts';
import { BlockReader } from './block.ts';
import type { BlockEncoder, EncodedBlock } from './block-encoder.ts';
import type { EncoderPool, Lane } from './encoder-pool.ts';
import { type PackedEncoding, validateEncoding } from './encoding.ts';
import { libdeflateEncoder } from './gzip-libdeflate.ts';
import { pakoEncoder } from './gzip-pako.ts';
import { zlibEncoder } from './gzip-zlib.ts';
import { passThrough, release } from './pass-through.ts';
import { zstdEncoder } from './zstd.ts';

export interface EncodeOptions {
  readonly signal: AbortSignal;
  readonly pool: EncoderPool;
}

/**
 * The packed bytes. They depend on the bytes that go in and on the encoding (and the version of its encoder, see
 * `describeEncoder`), not on how either side is chunked, nor on the jobs of the pool. An empty input gives a valid empty
 * member or frame. Memory is bounded: a few blocks (see `describeEncoder`) for each job.
 * @throws USAGE for an encoding that does not exist, at once; CODEC when a worker fails; UNSUPPORTED when an engine cannot run
 */
export function encode(stream: ByteStream, encoding: PackedEncoding, options: EncodeOptions): ByteStream {
  validateEncoding(encoding);
  if (encoding.kind === 'none') return passThrough(stream, options.signal);
  return encodeBlocks(stream, () => blockEncoder(encoding, options.pool), options);
}

function blockEncoder(encoding: Exclude<PackedEncoding, { kind: 'none' }>, pool: EncoderPool): BlockEncoder {
  if (encoding.kind === 'zstd') return zstdEncoder(encoding.level);
  switch (encoding.engine) {
    case 'libdeflate':
      return libdeflateEncoder(encoding.level, pool.workers);
    case 'zlib':
      return zlibEncoder(encoding.level);
    case 'pako':
      return pakoEncoder(encoding.level, pool.workers);
  }
}

async function* encodeBlocks(
  stream: ByteStream,
  makeEncoder: () => BlockEncoder,
  options: EncodeOptions,
): ByteStream {
  const { signal, pool } = options;
  const lane = pool.open(signal);
  let encoder: BlockEncoder | null = null;
  let blocks: BlockReader | null = null;
  try {
    encoder = makeEncoder();
    if (encoder.serial) lane.serial();
    blocks = new BlockReader(stream, encoder.blockSize);
    yield* inOrder(blocks, encoder, lane, pool);
  } finally {
    lane.close();
    encoder?.close();
    if (blocks !== null) await release(blocks.close(), signal);
  }
}

/** Reads and encodes ahead of the consumer, as far as the pool lets a stream go, and gives out in order. */
async function* inOrder(
  blocks: BlockReader,
  encoder: BlockEncoder,
  lane: Lane,
  pool: EncoderPool,
): ByteStream {
  const packed: Promise<Uint8Array>[] = [];
  const input: { filling: Promise<void> | null; ended: boolean } = { filling: null, ended: false };

  const fill = async () => {
    const block = await lane.guard(blocks.next());
    input.ended = block.last;
    packed.push(pack(encoder.prepare(block)));
    input.filling = null;
    fillUp();
  };
  const pack = (task: () => Promise<EncodedBlock>) => {
    const result = lane.run(task).then((encoded) => {
      blocks.recycle(encoded.memory);
      return encoded.packed;
    });
    // Whoever awaits it sees the error; nobody may.
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
