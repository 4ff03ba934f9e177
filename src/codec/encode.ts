import { constants, crc32, deflateRaw, type ZlibOptions, type ZstdOptions, zstdCompress } from 'node:zlib';
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { type Block, BlockReader } from './block.ts';
import type { EncoderPool } from './encoder-pool.ts';
import { type PackedEncoding, validateEncoding } from './encoding.ts';
import { zstdLevel } from './zstd-level.ts';

export interface EncodeOptions {
  readonly signal: AbortSignal;
  readonly pool: EncoderPool;
}

/** Input bytes of a gzip member by libdeflate; larger ones save 0.05 %. */
export const memberSize = 1024 * 1024;
/** Input bytes of a deflate block by zlib, which sees the 32 KiB before it. */
export const blockSize = 512 * 1024;
const dictionarySize = 32 * 1024;
/** Blocks up to this size are filled again. */
const recycledSize = 8 * 1024 * 1024;

/**
 * Packs a stream. The bytes that come out depend on the bytes that go in and on the encoding alone: not on how they
 * are cut into chunks, nor on how many blocks are worked on at once.
 * @throws USAGE for a level that there is not, CODEC where an engine fails
 */
export function encode(stream: ByteStream, encoding: PackedEncoding, options: EncodeOptions): ByteStream {
  validateEncoding(encoding);
  switch (encoding.kind) {
    case 'none':
      return pass(stream, options.signal);
    case 'zstd':
      return encodeZstd(stream, encoding.level, options);
    case 'gzip':
      switch (encoding.engine) {
        case 'libdeflate':
          return encodeMembers(stream, encoding.level, options);
        case 'zlib':
          return encodeSingleMember(stream, encoding.level, options);
        case 'pako':
          return encodePako(stream, encoding.level, options);
      }
  }
}

async function* pass(stream: ByteStream, signal: AbortSignal): ByteStream {
  for await (const chunk of stream) {
    signal.throwIfAborted();
    yield chunk;
  }
}

type Work = (block: Block, index: number) => Promise<Uint8Array>;

/** Works on several blocks at once and gives the results out in their order. */
async function* inOrder(
  stream: ByteStream,
  size: number,
  { signal, pool }: EncodeOptions,
  start: (reader: BlockReader) => Work,
): ByteStream {
  const reader = new BlockReader(stream, size);
  const work = start(reader);
  const pending: Promise<Uint8Array>[] = [];
  const depth = 2 * pool.jobs + 1;
  let index = 0;
  let ended = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      while (!ended && pending.length < depth) {
        // Who holds nothing may wait for memory; others first give out what is ready, or two streams could wait for each other.
        if (pending.length === 0) await pool.hold(size);
        else if (!pool.tryHold(size)) break;
        let block: Block;
        try {
          block = await reader.next();
        } catch (error) {
          pool.letGo(size);
          throw error;
        }
        ended = block.last;
        const result = work(block, index++).finally(() => pool.letGo(size));
        result.catch(() => {});
        pending.push(result);
      }
      const first = pending.shift();
      if (first === undefined) return;
      const packed = await first;
      if (packed.length > 0) yield packed;
    }
  } finally {
    await Promise.allSettled(pending);
    await reader.close();
  }
}

/** One gzip member for each block, in worker threads: RFC 1952, section 2.2 lets members follow each other. */
function encodeMembers(stream: ByteStream, level: number, options: EncodeOptions): ByteStream {
  const { pool, signal } = options;
  return inOrder(
    stream,
    memberSize,
    options,
    (reader) =>
      ({ bytes }) =>
        pool.run(signal, async () => {
          const thread = pool.lend();
          try {
            const { output, memory } = await thread.ask({
              engine: 'libdeflate',
              level,
              memory: bytes.buffer,
              length: bytes.length,
              last: true,
            });
            reader.recycle(memory);
            return output;
          } finally {
            await pool.takeBack(thread, true);
          }
        }),
  );
}

/** One frame for each block. One-shot calls only: Node's stream encoder and its own threads lose or add bytes. */
function encodeZstd(stream: ByteStream, level: number, options: EncodeOptions): ByteStream {
  const { frameSize, params } = zstdLevel(level);
  const { pool, signal } = options;
  return inOrder(
    stream,
    frameSize,
    options,
    (reader) =>
      ({ bytes }) =>
        pool.run(signal, async () => {
          const frame = await oneShot<ZstdOptions>(zstdCompress, bytes, {
            params,
            pledgedSrcSize: bytes.length,
          });
          // Spare memory for large frames would cost more than making it anew; detaching frees it at once.
          if (frameSize <= recycledSize) reader.recycle(bytes.buffer);
          else bytes.buffer.transfer(0);
          return frame;
        }),
  );
}

/** One member as pigz writes it: blocks end on a byte boundary, and each knows the 32 KiB before it. */
async function* encodeSingleMember(stream: ByteStream, level: number, options: EncodeOptions): ByteStream {
  const { pool, signal } = options;
  const header = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  let crc = 0;
  let size = 0;
  let dictionary: Uint8Array | null = null;
  yield* inOrder(stream, blockSize, options, (reader) => async ({ bytes, last }, index) => {
    const before = dictionary;
    dictionary = bytes.slice(-dictionarySize);
    crc = crc32(bytes, crc);
    size += bytes.length;
    return pool.run(signal, async () => {
      const settings: ZlibOptions = {
        level,
        finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
        ...(before === null ? {} : { dictionary: before }),
      };
      const packed = await oneShot<ZlibOptions>(deflateRaw, bytes, settings);
      reader.recycle(bytes.buffer);
      return index === 0 ? Buffer.concat([header, packed]) : packed;
    });
  });
  const trailer = new Uint8Array(8);
  const view = new DataView(trailer.buffer);
  view.setUint32(0, crc, true);
  view.setUint32(4, size % 2 ** 32, true);
  yield trailer;
}

/** One member by pako, block after block in one thread. */
async function* encodePako(stream: ByteStream, level: number, { pool, signal }: EncodeOptions): ByteStream {
  const reader = new BlockReader(stream, memberSize);
  const thread = pool.lend();
  let finished = false;
  try {
    for (let last = false; !last; ) {
      signal.throwIfAborted();
      const block = await reader.next();
      last = block.last;
      const request = {
        engine: 'pako',
        level,
        memory: block.bytes.buffer,
        length: block.bytes.length,
        last,
      } as const;
      const { output, memory } = await pool.run(signal, () => thread.ask(request));
      reader.recycle(memory);
      finished = last;
      if (output.length > 0) yield output;
    }
  } finally {
    // A thread in the middle of a member is of no use to another stream.
    await pool.takeBack(thread, finished);
    await reader.close();
  }
}

function oneShot<Options>(
  pack: (bytes: Uint8Array, options: Options, done: (error: Error | null, packed: Buffer) => void) => void,
  bytes: Uint8Array,
  options: Options,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    pack(bytes, options, (error, packed) => {
      if (error === null) resolve(packed);
      else reject(new OcislimError('CODEC', `packing failed: ${error.message}`, { cause: error }));
    });
  });
}
