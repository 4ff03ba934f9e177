import { promisify } from 'node:util';
import { constants, createZstdDecompress, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { OcislimError } from '../errors.ts';
import { exceeded } from '../limits.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { coalesce } from '../stream/coalesce.ts';
import { concat } from '../stream/collect.ts';
import type { DecoderOptions } from './formats.ts';
import { decoderBuffers, runDecoder } from './native-decoder.ts';
import { release } from './pass-through.ts';
import { ZstdFrameScanner } from './zstd-frame.ts';
import { KiB, MiB } from '../units.ts';

/** Frames that say that they unpack to no more than this are decoded whole, some at once; larger ones are streamed. */
const wholeLimit = 8 * MiB;
/** Whole frames in flight, which with `wholeLimit` bounds the memory. */
const wholeFrames = 3;
/** Below this a trip to the thread pool costs more than decoding (zstd:chunked has a frame for each file). */
const syncLimit = 32 * KiB;

/** As much as Node takes: how much is taken is decided before, by the frame's header. */
const params = { [constants.ZSTD_d_windowLogMax]: 31 };
const decompress = promisify(zstdDecompress) as (
  frame: Uint8Array,
  options: { chunkSize: number; maxOutputLength: number; params: Record<number, number> },
) => Promise<Uint8Array>;

/**
 * All frames of a zstd stream (RFC 8878 section 3.1), skippable ones passed over wherever they stand. We find the frames
 * ourselves and give each to a decoder of its own: that of Node 24 stops after the first, skippable or not, and drops the
 * rest without a word.
 * @throws CODEC, LIMIT
 */
export async function* unzstd(stream: ByteStream, { signal, maxWindow }: DecoderOptions): ByteStream {
  signal.throwIfAborted();
  const frames = new FrameReader(stream);
  const whole: Promise<Uint8Array>[] = [];
  try {
    for (let scanner = await frames.next(); scanner !== null; scanner = await frames.next()) {
      const { header } = scanner;
      if (header?.kind !== 'frame') {
        for await (const _ of frames.rest(scanner)) signal.throwIfAborted();
        continue;
      }
      if (header.windowSize > maxWindow)
        throw exceeded(
          'window-bytes',
          { 'window-bytes': maxWindow },
          'a zstd frame needs too much memory',
          `its window has ${header.windowSize} bytes`,
        );
      const size = header.contentSize;
      const packed =
        size === null || size > wholeLimit ? null : await frames.collect(scanner, packedLimit(size));
      if (size === null || packed === null) {
        while (whole.length > 0) yield (await whole.shift()) as Uint8Array;
        yield* decodeStreaming(frames.rest(scanner), signal);
      } else if (size <= syncLimit) {
        // In turn behind those in flight; when there are none, at once.
        while (whole.length > 0) yield (await whole.shift()) as Uint8Array;
        const bytes = decodeWhole(size, () => zstdDecompressSync(packed, wholeOptions(size)));
        if (bytes.length > 0) yield bytes;
      } else {
        const decoding = decompress(packed, wholeOptions(size)).then(
          (bytes) => decodeWhole(size, () => bytes),
          (error: unknown) => {
            throw describe(error);
          },
        );
        decoding.catch(() => {});
        whole.push(decoding);
        if (whole.length >= wholeFrames) yield (await whole.shift()) as Uint8Array;
      }
      signal.throwIfAborted();
    }
    while (whole.length > 0) {
      yield (await whole.shift()) as Uint8Array;
      signal.throwIfAborted();
    }
  } finally {
    // A native call cannot be stopped; what it holds is let go when it ends.
    await Promise.allSettled(whole);
    await release(frames.close(), signal);
  }
}

/** Frames grow a little on what cannot be packed; what is longer is full of empty blocks, and streamed. */
function packedLimit(size: number): number {
  return size + size / 64 + 4096;
}

function wholeOptions(size: number) {
  // One byte more than needed, so that Node does not go round again with a second buffer.
  return { chunkSize: Math.max(64, size + 1), maxOutputLength: Math.max(1, size), params };
}

function decodeWhole(size: number, run: () => Uint8Array): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = run();
  } catch (error) {
    throw describe(error);
  }
  if (bytes.length !== size) {
    throw new OcislimError(
      'CODEC',
      `the zstd stream is damaged: a frame of ${size} bytes unpacked to ${bytes.length}`,
    );
  }
  return bytes;
}

async function* decodeStreaming(frame: ByteStream, signal: AbortSignal): ByteStream {
  try {
    yield* runDecoder(createZstdDecompress({ ...decoderBuffers, params }), frame, signal, () => {
      throw new OcislimError('CODEC', 'the zstd stream is damaged: a frame is longer than its blocks');
    });
  } catch (error) {
    throw describe(error);
  }
}

function describe(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  switch (error.code) {
    case 'ZSTD_error_checksum_wrong':
      return new OcislimError(
        'CODEC',
        'the zstd stream is damaged: the checksum (XXH64) of a frame does not match its bytes',
        {
          cause: error,
        },
      );
    case 'ZSTD_error_memory_allocation':
    case 'ZSTD_error_frameParameter_windowTooLarge':
      return new OcislimError('CODEC', 'the zstd stream needs more memory for its window than there is', {
        cause: error,
      });
    case 'ERR_BUFFER_TOO_LARGE':
      return new OcislimError('CODEC', 'the zstd stream is damaged: a frame unpacks to more than it says', {
        cause: error,
      });
    default:
      if (!/^(?:ZSTD_|Z_)/.test(error.code)) return error;
      return new OcislimError('CODEC', `the zstd stream is damaged: ${error.message}`, { cause: error });
  }
}

/** Cuts a stream into frames. `next`, then `collect` or `rest` to the frame's end, then `next` again. */
class FrameReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #frames = 0;
  /** Bytes of the frame at hand that were read but not given out: its header, and what `collect` gave up on. */
  #held: Uint8Array[] = [];

  constructor(stream: ByteStream) {
    this.#chunks = coalesce(stream)[Symbol.asyncIterator]();
  }

  /** The next frame, read up to behind its header; null at the end of the stream. */
  async next(): Promise<ZstdFrameScanner | null> {
    if (!(await this.#fill())) {
      if (this.#frames === 0) throw new OcislimError('CODEC', 'the zstd stream is empty');
      return null;
    }
    this.#frames++;
    this.#held = [];
    const scanner = new ZstdFrameScanner();
    while (scanner.header === null) this.#held.push(await this.#take(scanner));
    return scanner;
  }

  /** The whole frame as one array; null, with nothing lost to `rest`, when it is longer than `limit`. */
  async collect(scanner: ZstdFrameScanner, limit: number): Promise<Uint8Array | null> {
    let length = this.#held.reduce((sum, piece) => sum + piece.length, 0);
    while (!scanner.done) {
      const piece = await this.#take(scanner);
      this.#held.push(piece);
      length += piece.length;
      if (length > limit) return null;
    }
    const pieces = this.#held;
    this.#held = [];
    return concat(pieces);
  }

  async *rest(scanner: ZstdFrameScanner): ByteStream {
    const held = this.#held;
    this.#held = [];
    yield* held;
    while (!scanner.done) yield await this.#take(scanner);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #take(scanner: ZstdFrameScanner): Promise<Uint8Array> {
    if (!(await this.#fill())) throw new OcislimError('CODEC', 'the zstd stream is cut off');
    const start = this.#offset;
    this.#offset = scanner.push(this.#chunk, start);
    return this.#chunk.subarray(start, this.#offset);
  }

  async #fill(): Promise<boolean> {
    while (this.#offset === this.#chunk.length) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      this.#chunk = value;
      this.#offset = 0;
    }
    return true;
  }
}
