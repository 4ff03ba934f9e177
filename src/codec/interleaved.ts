/**
 * Packs several streams whose bytes come in turns, as a reader of tars deals them out. The writer of split layers calls it; one stream
 * by itself goes through `encode.ts`, with the same result.
 */
import { hasher } from '../oci/digest.ts';
import type { Seal } from '../stream/seal.ts';
import type { BlockEncoder } from './block-encoder.ts';
import { openBlockEncoder } from './encode.ts';
import type { EncoderPool, Lane } from './encoder-pool.ts';
import { engineOf, isPacked, type PackedEncoding } from './encoding.ts';
import { KiB } from '../units.ts';

/** Bytes of a block that is not packed. */
const plainBlock = 256 * KiB;

/** One of the streams to pack. */
export interface InterleavedStream {
  readonly encoding: PackedEncoding;
  /** The expected number of its bytes, by which memory is taken. It may be wrong. */
  readonly expected: number;
}

/** Receives the packed bytes of a stream, in their order. The next are not asked for before it resolves. */
export type TakePacked = (stream: number, bytes: Uint8Array) => Promise<void>;

interface State {
  readonly blockSize: number;
  readonly expected: number;
  /** Null for a stream that is not packed. */
  readonly encoder: BlockEncoder | null;
  readonly hash: ReturnType<typeof hasher>;
  size: number;
  block: Uint8Array;
  filled: number;
  /** The packing of the block before, where blocks wait for each other. */
  before: Promise<unknown>;
  isBegun: boolean;
}

/** A block on its way. */
interface Pending {
  readonly stream: number;
  readonly packed: Promise<Uint8Array>;
  readonly isLast: boolean;
}

/** Returns the bytes of memory in which a stream gathers its next block. */
export function gatheredBytes({ encoding, expected }: InterleavedStream): number {
  return Math.min(blockSizeOf(encoding), Math.max(expected, 1024));
}

function blockSizeOf(encoding: PackedEncoding): number {
  return isPacked(encoding) ? engineOf(encoding).blocks.size(encoding.level) : plainBlock;
}

/**
 * Packs streams side by side: `add` copies bytes at once, `ready` waits while enough blocks are on their way, `end` ends all streams.
 * The bytes of each stream are those that `encode` gives. Memory: a block for each stream, and a few that are being packed.
 */
export class InterleavedEncoder {
  readonly #states: readonly State[];
  readonly #lane: Lane;
  readonly #pool: EncoderPool;
  readonly #take: TakePacked;
  readonly #pending: Pending[] = [];
  /** Blocks that may be held in addition to those that are being packed. */
  readonly #ahead: number;

  private constructor(states: readonly State[], lane: Lane, pool: EncoderPool, take: TakePacked) {
    this.#states = states;
    this.#lane = lane;
    this.#pool = pool;
    this.#take = take;
    this.#ahead = states.reduce((most, { encoder }) => Math.max(most, encoder?.ahead ?? 0), 0);
  }

  /** Opens encoders for streams. The caller closes it. @throws USAGE, UNSUPPORTED */
  static async open(
    streams: readonly InterleavedStream[],
    take: TakePacked,
    { pool, signal }: { readonly pool: EncoderPool; readonly signal: AbortSignal },
  ): Promise<InterleavedEncoder> {
    const states: State[] = [];
    for (const { encoding, expected } of streams) {
      states.push({
        blockSize: blockSizeOf(encoding),
        expected,
        encoder: isPacked(encoding) ? await openBlockEncoder(encoding, pool) : null,
        hash: hasher(),
        size: 0,
        block: nothing,
        filled: 0,
        before: Promise.resolve(),
        isBegun: false,
      });
    }
    const lane = pool.open(signal);
    lane.early = states.reduce((least, { encoder }) => Math.min(least, encoder?.early ?? 0), Infinity);
    return new InterleavedEncoder(states, lane, pool, take);
  }

  /** Adds bytes to a stream. They are copied before it returns. */
  add(stream: number, bytes: Uint8Array): void {
    const state = this.#states[stream] as State;
    for (let rest = bytes; rest.length > 0; ) {
      if (state.filled === state.block.length) this.#makeRoom(stream, state);
      const part = rest.subarray(0, state.block.length - state.filled);
      state.block.set(part, state.filled);
      state.filled += part.length;
      rest = rest.subarray(part.length);
    }
  }

  /** Whether `ready` would wait. */
  get isFull(): boolean {
    return this.#pending.length > this.#most;
  }

  /** Gives out packed blocks until few are on their way. @throws CODEC, and what the receiver throws */
  async ready(): Promise<void> {
    while (this.isFull) await this.#giveFirst();
  }

  /** Ends all streams, and gives out the rest. Returns digest and length of each. @throws as `ready` */
  async end(): Promise<readonly Seal[]> {
    for (const [stream, state] of this.#states.entries()) {
      this.#submit(stream, state, true);
      await this.ready();
    }
    while (this.#pending.length > 0) await this.#giveFirst();
    return this.#states.map(({ hash, size }) => ({ digest: hash.digest(), size }));
  }

  /** Releases the encoders. Blocks on their way are discarded. */
  close(): void {
    this.#lane.close();
    for (const { encoder } of this.#states) encoder?.close();
  }

  get #most(): number {
    return this.#pool.depth(this.#ahead);
  }

  /** Grows the block of a stream up to its size, then packs it: only the next byte shows that it is not the last. */
  #makeRoom(stream: number, state: State): void {
    const { length } = state.block;
    if (length === state.blockSize) this.#submit(stream, state, false);
    const size = length === 0 ? Math.min(state.blockSize, Math.max(state.expected, 1024)) : state.blockSize;
    // What is not packed belongs to the receiver: it may be read later.
    const isPooled = state.encoder !== null && size === state.blockSize;
    const block = new Uint8Array(isPooled ? this.#pool.memory.take(size) : new SharedArrayBuffer(size));
    block.set(state.block.subarray(0, state.filled));
    state.block = block;
  }

  #submit(stream: number, state: State, isLast: boolean): void {
    const bytes = state.block.subarray(0, state.filled);
    state.hash.update(bytes);
    state.size += bytes.length;
    state.block = nothing;
    state.filled = 0;
    const packed = this.#pack(state, bytes, isLast);
    // A failure is thrown where the block is given out.
    packed.catch(() => {});
    this.#pending.push({ stream, packed, isLast });
  }

  #pack(state: State, bytes: Uint8Array, last: boolean): Promise<Uint8Array> {
    const { encoder } = state;
    if (encoder === null) return Promise.resolve(bytes);
    const task = encoder.prepare({ bytes, last });
    const run = () => this.#lane.run(task);
    const packed = encoder.serial ? state.before.then(run) : run();
    state.before = packed.catch(() => {});
    return packed.then((result) => {
      this.#pool.memory.give(bytes.buffer);
      return result;
    });
  }

  async #giveFirst(): Promise<void> {
    const { stream, packed, isLast } = this.#pending.shift() as Pending;
    const bytes = await packed;
    const state = this.#states[stream] as State;
    const head = state.isBegun ? null : (state.encoder?.head ?? null);
    state.isBegun = true;
    const tail = isLast ? (state.encoder?.tail() ?? null) : null;
    for (const piece of [head, bytes, tail])
      if (piece !== null && piece.length > 0) await this.#take(stream, piece);
  }
}

const nothing = new Uint8Array(0);
