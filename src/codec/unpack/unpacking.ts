/**
 * One stream that a thread unpacks, seen from the main thread: it feeds packed bytes and hands out unpacked ones. `threads.ts`
 * opens it, and the layer reader reads from it.
 */
import { OcislimError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { coalesce } from '../../stream/coalesce.ts';
import type { Block, BlockSource } from '../block.ts';
import { release } from '../pass-through.ts';
import type { Answer, Failure, Order } from './messages.ts';
import { KiB, MiB } from '../../units.ts';

/** Bytes of input in a message, and how many such messages may be unread. */
export interface Inputs {
  readonly size: number;
  readonly ahead: number;
}

const usualInputs: Inputs = { size: 256 * KiB, ahead: 4 };

/** Bytes of a chunk of output, each of which costs a trip to a thread and back, and how many chunks are made before the consumer asks. */
const chunkSize = MiB;
const chunksAhead = 3;

/** Shared memory to fill, or the size of memory that the thread shall make and move. */
export type Room = SharedArrayBuffer | number;

interface Waiting {
  readonly resolve: (unpacked: Block) => void;
  readonly reject: (error: unknown) => void;
}

export interface UnpackingOptions {
  /** The name of the stream in messages. */
  readonly id: number;
  readonly source: ByteStream;
  readonly signal: AbortSignal;
  readonly send: (order: Order, transfer: ArrayBuffer[]) => void;
  readonly onClose: () => void;
  /** Default: 256 KiB, four of them. */
  readonly inputs?: Inputs;
}

/** A stream that a thread unpacks. Its source is read a few messages ahead of the thread. */
export class Unpacking implements BlockSource {
  readonly #id: number;
  readonly #source: ByteStream;
  readonly #signal: AbortSignal;
  readonly #send: (order: Order, transfer: ArrayBuffer[]) => void;
  readonly #onClose: () => void;
  readonly #inputs: Inputs;
  readonly #onAbort = () => this.fail(this.#signal.reason);
  readonly #waiting: Waiting[] = [];
  #ahead = 0;
  #onTaken: () => void = () => {};
  #feeding: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #digest: Digest | null = null;
  #closed = false;

  constructor({ id, source, signal, send, onClose, inputs = usualInputs }: UnpackingOptions) {
    this.#id = id;
    this.#source = source;
    this.#signal = signal;
    this.#send = send;
    this.#onClose = onClose;
    this.#inputs = inputs;
    if (signal.aborted) this.fail(signal.reason);
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Returns the digest of all unpacked bytes. Throws a plain Error before the last block has come. */
  digest(): Digest {
    if (this.#digest === null) throw new Error('asked for a digest before the end of the stream');
    return this.#digest;
  }

  /**
   * Returns the next unpacked bytes: the room is full unless they are the last. May be called again before they have come.
   * @throws CODEC, and the errors of the source
   */
  next(room: Room): Promise<Block> {
    const unpacked = new Promise<Block>((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure.error);
      this.#waiting.push({ resolve, reject });
      this.#send({ kind: 'room', id: this.#id, memory: room }, []);
    });
    // A consumer that stops early never awaits it: the rejection must not end the process.
    unpacked.catch(() => {});
    this.#feeding ??= this.#feed().catch((error: unknown) => this.fail(error));
    return unpacked;
  }

  /**
   * Yields all unpacked bytes; the thread works a few chunks ahead. With `lent`, a chunk is valid until the next one is asked for,
   * and its memory is used again. Otherwise its memory belongs to the consumer.
   */
  async *chunks(lent = false): ByteStream {
    const room = () => (lent ? new SharedArrayBuffer(chunkSize) : chunkSize);
    const ahead = Array.from({ length: chunksAhead }, () => this.next(room()));
    for (;;) {
      const { bytes, last } = await (ahead.shift() as Promise<Block>);
      if (bytes.length > 0) yield bytes;
      if (last) return;
      ahead.push(this.next(bytes.buffer instanceof SharedArrayBuffer ? bytes.buffer : room()));
    }
  }

  /** Handles a message of the thread, for the thread's owner. */
  take(answer: Answer): void {
    switch (answer.kind) {
      case 'taken':
        this.#ahead--;
        return this.#onTaken();
      case 'filled': {
        const { bytes, digest } = answer;
        this.#digest = digest;
        return this.#waiting.shift()?.resolve({ bytes, last: digest !== null });
      }
      case 'failed':
        return this.fail(errorOf(answer.error));
    }
  }

  /** Rejects all blocks asked for. The first error counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure.error);
    this.#onTaken();
  }

  /** Ends the thread's work on the stream, and releases the source. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.fail(new OcislimError('INTERNAL', 'a stream was closed before it was unpacked to its end'));
    this.#send({ kind: 'close', id: this.#id }, []);
    this.#onClose();
    if (this.#feeding === null) await this.#source[Symbol.asyncIterator]().return?.();
    else await release(this.#feeding, this.#signal);
  }

  async #feed(): Promise<void> {
    for await (const bytes of movable(this.#source, this.#inputs.size)) {
      this.#ahead++;
      this.#send({ kind: 'input', id: this.#id, bytes }, [bytes.buffer]);
      while (this.#ahead >= this.#inputs.ahead && this.#failure === null)
        await new Promise<void>((resolve) => {
          this.#onTaken = resolve;
        });
      if (this.#failure !== null) return;
    }
    this.#send({ kind: 'end', id: this.#id }, []);
  }
}

/** Yields the same bytes in memory that can be moved to a thread: chunks that own their memory, and copies of the others. */
async function* movable(stream: ByteStream, size: number): AsyncIterable<Uint8Array<ArrayBuffer>> {
  for await (const chunk of coalesce(stream, size))
    yield chunk.length >= size / 2 && ownsMemory(chunk) ? chunk : new Uint8Array(chunk);
}

function ownsMemory(chunk: Uint8Array): chunk is Uint8Array<ArrayBuffer> {
  const { buffer, length } = chunk;
  return buffer instanceof ArrayBuffer && buffer.byteLength === length;
}

function errorOf(failure: Failure): unknown {
  if (failure.kind === 'other') return failure.error;
  const { code, message, advice } = failure;
  return new OcislimError(code, message, advice === undefined ? {} : { advice });
}
