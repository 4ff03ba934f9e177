/**
 * Unpacks gzip and says where its deflate blocks begin, from where unpacking can be taken up again. Indexes of foreign layers are made
 * of that; the public API exports it.
 */
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { coalesce } from '../stream/coalesce.ts';
import { decode } from './decode.ts';
import { makeRoom, PackedInput } from './gunzip-native.ts';
import type { GzipBlock } from './gzip-block.ts';
import { GzipScanner } from './gzip-scan.ts';
import { findNative, loadFound, type NativeEngine } from './native.ts';
import { decodedChunk } from './native-decoder.ts';

/** Unpacked bytes, and the blocks that begin in them or right behind them. Either may be empty. */
export interface GzipPiece {
  readonly bytes: Uint8Array;
  readonly blocks: readonly GzipBlock[];
}

export interface GzipBlocksOptions {
  readonly signal: AbortSignal;
  /** The native engine; null for Node's. Both find the same blocks. Default: as OCISLIM_NATIVE says. */
  readonly native?: NativeEngine | null;
}

/**
 * Unpacks a gzip stream of any number of members (RFC 1952), and yields each block once, in order, no later than its first byte. The
 * bytes of a block follow from the packed stream from its `bit` on, with at most 32 KiB of unpacked bytes before its `byte` as
 * dictionary; the first block of a member needs none. Memory is bounded, whatever the stream holds. Pieces may have come before an
 * error, so act on nothing before the end of the stream.
 * @throws CODEC for what is damaged, cut off or empty, and for stray bytes; USAGE, UNSUPPORTED as `findNative` does
 */
export function gzipBlocks(
  stream: ByteStream,
  { signal, native = nativeHere() }: GzipBlocksOptions,
): AsyncIterable<GzipPiece> {
  return native === null ? besideNode(stream, signal) : withEngine(stream, native, signal);
}

function nativeHere(): NativeEngine | null {
  const found = findNative();
  return loadFound(found.kind === 'found' ? found.path : null);
}

async function* withEngine(
  stream: ByteStream,
  { BlockInflater }: NativeEngine,
  signal: AbortSignal,
): AsyncIterable<GzipPiece> {
  const inflater = new BlockInflater();
  const input = new PackedInput(stream, signal);
  let room = makeRoom();
  try {
    signal.throwIfAborted();
    while (await input.more())
      for (let more = true; more; ) {
        const memory = room;
        const done = await input.read((bytes) => inflater.fill(bytes, memory));
        ({ more } = done);
        room = done.written === room.length ? makeRoom() : room.subarray(done.written);
        if (done.written > 0 || done.blocks.length > 0)
          yield { bytes: memory.subarray(0, done.written), blocks: blocksOf(done.blocks) };
        signal.throwIfAborted();
      }
  } finally {
    await input.close();
  }
}

/** Reads the blocks that the engine tells in three numbers each. */
function blocksOf(numbers: Float64Array): readonly GzipBlock[] {
  return Array.from({ length: numbers.length / 3 }, (_, i) => {
    const [bit = 0, byte = 0, member = -1] = numbers.subarray(3 * i, 3 * i + 3);
    return { bit, byte, member: member < 0 ? null : member };
  });
}

/** The most blocks that wait for the bytes before them, beside those of one chunk. */
const mostWaiting = 4096;

const nothing = new Uint8Array(0);

/** Unpacks with Node's decoder. A scanner reads what goes into it, and blocks wait until the bytes before them have come out. */
async function* besideNode(stream: ByteStream, signal: AbortSignal): AsyncIterable<GzipPiece> {
  const scan = new ScanAhead();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const unpacked = decode(scan.watch(stream), 'gzip', { signal: either })[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<Uint8Array, unknown>> | null = null;
  let end = 0;
  try {
    for (;;) {
      next ??= unpacked.next();
      const result = await Promise.race([next, scan.crowded]);
      if (result !== null) next = null;
      if (result?.done === true) break;
      const bytes = result?.value ?? nothing;
      end += bytes.length;
      const blocks = scan.take(end);
      if (bytes.length > 0 || blocks.length > 0) yield { bytes, blocks };
    }
    const blocks = scan.finish(end);
    if (blocks.length > 0) yield { bytes: nothing, blocks };
  } finally {
    // The decoder may never give out another byte.
    if (next !== null) stop.abort();
    scan.close();
    await unpacked.return?.();
  }
}

/** Scans what a decoder reads, and holds the decoder back while many blocks wait: a stream may have any number of blocks without bytes. */
class ScanAhead {
  readonly #scanner = new GzipScanner();
  #crowd = Promise.withResolvers<null>();
  #taking = Promise.withResolvers<void>();
  #closed = false;

  /** Settles when many blocks wait. */
  get crowded(): Promise<null> {
    return this.#crowd.promise;
  }

  /** Yields the bytes of the stream when they have been scanned. */
  async *watch(stream: ByteStream): ByteStream {
    for await (const chunk of coalesce(stream))
      for (let at = 0; at < chunk.length; at += decodedChunk) {
        const part = chunk.subarray(at, at + decodedChunk);
        this.#scanner.push(part);
        if (this.#scanner.waiting > mostWaiting && !this.#closed) {
          this.#taking = Promise.withResolvers();
          this.#crowd.resolve(null);
          await this.#taking.promise;
        }
        yield part;
      }
  }

  /** Takes the blocks that begin at most `end` bytes into the unpacked stream. */
  take(end: number): readonly GzipBlock[] {
    this.#crowd = Promise.withResolvers();
    this.#taking.resolve();
    return this.#scanner.take(end);
  }

  /** Takes the blocks that are left of a stream that unpacks to `end` bytes. @throws INTERNAL where the scanner saw another stream */
  finish(end: number): readonly GzipBlock[] {
    if (this.#scanner.isWhole(end)) return this.take(end);
    throw new OcislimError('INTERNAL', 'blocks of a gzip stream were not found that Node unpacks');
  }

  close(): void {
    this.#closed = true;
    this.#taking.resolve();
  }
}
