/**
 * Unpacks gzip with the native engine. `gunzip.ts` calls it, and the unpacking threads fill their blocks with it.
 */
import type { ByteStream } from '../stream/byte-stream.ts';
import { coalesce } from '../stream/coalesce.ts';
import { asCodecError, gzipError } from './gzip-error.ts';
import type { NativeEngine, NativeInflater } from './native.ts';
import { decodedChunk } from './native-decoder.ts';
import { release } from './pass-through.ts';

const nothing = new Uint8Array(0);

/** Where the engine says that a stream stands: within a member, behind one, or behind one and before a byte of zero. */
const place = { inside: 0, between: 1, stray: 2 } as const;

/** Unpacks with the native engine, in calls that block the thread: each unpacks as much as the room takes. */
export class NativeGunzip {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #inflater: NativeInflater;
  readonly #signal: AbortSignal;
  /** Input that was not used yet. */
  #input: Uint8Array = nothing;
  /** Whether any input came, and whether more may come. */
  #begun = false;
  #open = true;
  #place: number = place.inside;

  constructor(stream: ByteStream, { Inflater }: NativeEngine, signal: AbortSignal) {
    this.#chunks = coalesce(stream)[Symbol.asyncIterator]();
    this.#inflater = new Inflater();
    this.#signal = signal;
  }

  /** Returns how many bytes it has unpacked into the room, which may be few: 0 at the end only. @throws CODEC */
  async unpackInto(room: Uint8Array): Promise<number> {
    for (;;) {
      // What is unpacked may wait in the engine, without input.
      const { read, written, place: reached } = this.#push(room);
      this.#place = reached;
      this.#input = this.#input.subarray(read);
      if (written > 0) return written;
      if (reached === place.stray) throw gzipError('stray');
      if (this.#input.length > 0) continue;
      if (!(await this.#more())) return 0;
    }
  }

  /** Yields all that is unpacked, and releases the stream. */
  async *chunks(): ByteStream {
    try {
      this.#signal.throwIfAborted();
      for (;;) {
        const room = new Uint8Array(decodedChunk);
        const size = await this.unpackInto(room);
        if (size === 0) return;
        yield room.subarray(0, size);
        this.#signal.throwIfAborted();
      }
    } finally {
      await release(this.close(), this.#signal);
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #push(room: Uint8Array) {
    try {
      return this.#inflater.push(this.#input, room);
    } catch (error) {
      throw asCodecError(error);
    }
  }

  /** Reads the next input. Returns false at the end of the stream. @throws CODEC where it must not end */
  async #more(): Promise<boolean> {
    while (this.#open && this.#input.length === 0) {
      const { done, value } = await this.#chunks.next();
      this.#signal.throwIfAborted();
      if (done === true) this.#open = false;
      else this.#input = value;
    }
    this.#begun ||= this.#input.length > 0;
    if (this.#open) return true;
    if (!this.#begun) throw gzipError('empty');
    if (this.#place === place.inside) throw gzipError('short');
    return false;
  }
}
