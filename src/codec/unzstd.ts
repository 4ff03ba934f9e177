/**
 * Unpacks zstd frame by frame: small frames whole and some at once, large ones as streams. `decode.ts` loads it for the format zstd.
 */
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
import { damaged, type ZstdFrameHeader, ZstdFrameScanner } from './zstd-frame.ts';
import { KiB, MiB } from '../units.ts';

/** Bytes. A frame that states no more than this is decoded whole, several at once; larger frames are streamed. */
const wholeLimit = 8 * MiB;
/** Whole frames in flight, which with `wholeLimit` bounds the memory. */
const wholeFrames = 3;
/** Bytes. Below this a trip to the thread pool costs more than decoding (zstd:chunked has a frame for each file). */
const syncLimit = 32 * KiB;

/** The largest window of a decoder is what Node allows: `checkWindow` has refused what is too large. */
const params = { [constants.ZSTD_d_windowLogMax]: 31 };
const decompress = promisify(zstdDecompress) as (
  frame: Uint8Array,
  options: { chunkSize: number; maxOutputLength: number; params: Record<number, number> },
) => Promise<Uint8Array>;

/**
 * Unpacks all frames of a zstd stream (RFC 8878 section 3.1) and skips skippable ones wherever they stand. Each frame gets a
 * decoder of its own, since the decoder of Node 24 stops after the first frame and drops the rest without an error.
 * @throws CODEC, LIMIT
 */
export async function* unzstd(stream: ByteStream, { signal, maxWindow }: DecoderOptions): ByteStream {
  signal.throwIfAborted();
  const frames = new FrameReader(stream);
  const inFlight: Promise<Uint8Array>[] = [];
  try {
    for (let scanner = await frames.next(); scanner !== null; scanner = await frames.next()) {
      const { header } = scanner;
      if (header?.kind !== 'frame') {
        for await (const _ of frames.rest(scanner)) signal.throwIfAborted();
        continue;
      }
      checkWindow(header, maxWindow);
      const size = header.contentSize;
      const packed =
        size === null || size > wholeLimit ? null : await frames.collect(scanner, packedLimit(size));
      if (size === null || packed === null) {
        yield* drain(inFlight);
        yield* decodeStreaming(frames.rest(scanner), signal);
      } else if (size <= syncLimit) {
        if (inFlight.length > 0) yield* drain(inFlight);
        const bytes = decodeNow(packed, size);
        if (bytes.length > 0) yield bytes;
      } else {
        inFlight.push(decodeInPool(packed, size));
        yield* drain(inFlight, wholeFrames - 1);
      }
      signal.throwIfAborted();
    }
    for await (const bytes of drain(inFlight)) {
      yield bytes;
      signal.throwIfAborted();
    }
  } finally {
    // A native call cannot be stopped: its memory is released when it ends.
    await Promise.allSettled(inFlight);
    await release(frames.close(), signal);
  }
}

/** Checks the window of a frame. @throws LIMIT for a frame that needs more history than allowed */
function checkWindow({ windowSize }: ZstdFrameHeader, maxWindow: number): void {
  if (windowSize <= maxWindow) return;
  throw exceeded('window-bytes', { 'window-bytes': maxWindow }, 'a zstd frame needs too much memory', {
    says: `its window has ${windowSize} bytes`,
    needed: windowSize,
  });
}

/** Yields frames in flight in their order, until no more than `left` are in flight. */
async function* drain(inFlight: Promise<Uint8Array>[], left = 0): ByteStream {
  while (inFlight.length > left) yield (await inFlight.shift()) as Uint8Array;
}

/** Returns the most packed bytes of a whole frame. Frames grow a little on random bytes; a longer one has many empty blocks, and is streamed. */
function packedLimit(size: number): number {
  return size + size / 64 + 4096;
}

function wholeOptions(size: number) {
  // With one byte more than needed, Node does not allocate a second buffer.
  return { chunkSize: Math.max(64, size + 1), maxOutputLength: Math.max(1, size), params };
}

function decodeNow(packed: Uint8Array, size: number): Uint8Array {
  try {
    return checkSize(zstdDecompressSync(packed, wholeOptions(size)), size);
  } catch (error) {
    throw asCodecError(error);
  }
}

/** Decodes on Node's thread pool. The promise need not be awaited. */
function decodeInPool(packed: Uint8Array, size: number): Promise<Uint8Array> {
  const decoding = decompress(packed, wholeOptions(size)).then(
    (bytes) => checkSize(bytes, size),
    (error: unknown) => {
      throw asCodecError(error);
    },
  );
  decoding.catch(() => {});
  return decoding;
}

function checkSize(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length === size) return bytes;
  throw damaged(`a frame of ${size} bytes unpacked to ${bytes.length}`);
}

async function* decodeStreaming(frame: ByteStream, signal: AbortSignal): ByteStream {
  try {
    yield* runDecoder(createZstdDecompress({ ...decoderBuffers, params }), frame, signal, () => {
      throw damaged('a frame is longer than its blocks');
    });
  } catch (error) {
    throw asCodecError(error);
  }
}

/** Translates an error of libzstd or of Node's binding; others stay as they are. */
function asCodecError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  switch (error.code) {
    case 'ZSTD_error_checksum_wrong':
      return damaged('the checksum (XXH64) of a frame does not match its bytes', error);
    case 'ZSTD_error_memory_allocation':
    case 'ZSTD_error_frameParameter_windowTooLarge':
      return new OcislimError('CODEC', 'the zstd stream needs more memory for its window than there is', {
        cause: error,
      });
    case 'ERR_BUFFER_TOO_LARGE':
      return damaged('a frame unpacks to more than it says', error);
    default:
      return /^(?:ZSTD_|Z_)/.test(error.code) ? damaged(error.message, error) : error;
  }
}

/** Cuts a stream into frames. Call `next`, then `collect` or `rest` to the end of the frame, then `next` again. */
class FrameReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #offset = 0;
  #frames = 0;
  /** Bytes of the current frame that were read but not given out: its header, and those that `collect` has gathered in vain. */
  #held: Uint8Array[] = [];

  constructor(stream: ByteStream) {
    this.#chunks = coalesce(stream)[Symbol.asyncIterator]();
  }

  /** Returns the next frame, read up to the end of its header; null at the end of the stream. */
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

  /** Returns the whole frame; null when it is longer than `limit`, and then `rest` still gives all of it. */
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
