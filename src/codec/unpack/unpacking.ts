import { OcislimError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { coalesce } from '../../stream/coalesce.ts';
import type { Block, BlockSource } from '../block.ts';
import { release } from '../pass-through.ts';
import type { Answer, Failure, Order } from './messages.ts';
import { KiB } from '../../units.ts';

/** Bytes of input in a message, and how many of those may be on their way. */
const inputSize = 256 * KiB;
const inputsAhead = 4;

/** Bytes of a chunk of output, and how many are made before they are asked for. */
const chunkSize = 512 * KiB;
const chunksAhead = 3;

/** Shared memory, or the size of memory that the thread is to make and hand over. */
export type Room = SharedArrayBuffer | number;

interface Waiting {
  readonly resolve: (unpacked: Block) => void;
  readonly reject: (error: unknown) => void;
}

/** One stream that a thread unpacks. Its source is read as the thread reads, no further than a few messages ahead. */
export class Unpacking implements BlockSource {
  readonly #id: number;
  readonly #source: ByteStream;
  readonly #signal: AbortSignal;
  readonly #send: (order: Order, transfer: ArrayBuffer[]) => void;
  readonly #onClose: () => void;
  readonly #onAbort = () => this.fail(this.#signal.reason);
  readonly #waiting: Waiting[] = [];
  #ahead = 0;
  #onTaken: () => void = () => {};
  #feeding: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #digest: Digest | null = null;
  #closed = false;

  constructor(
    id: number,
    source: ByteStream,
    signal: AbortSignal,
    send: (order: Order, transfer: ArrayBuffer[]) => void,
    onClose: () => void,
  ) {
    this.#id = id;
    this.#source = source;
    this.#signal = signal;
    this.#send = send;
    this.#onClose = onClose;
    if (signal.aborted) this.fail(signal.reason);
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Of all unpacked bytes. Throws a plain Error before the last of them are there. */
  digest(): Digest {
    if (this.#digest === null) throw new Error('asked for a digest before the end of the stream');
    return this.#digest;
  }

  /**
   * The next unpacked bytes, as many as there is room for unless they are the last. May be asked for again before they are there.
   * @throws CODEC, and whatever the source throws
   */
  next(room: Room): Promise<Block> {
    const unpacked = new Promise<Block>((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure.error);
      this.#waiting.push({ resolve, reject });
      this.#send({ kind: 'room', id: this.#id, memory: room }, []);
    });
    // Whoever awaits it sees the error; nobody may.
    unpacked.catch(() => {});
    this.#feeding ??= this.#feed().catch((error: unknown) => this.fail(error));
    return unpacked;
  }

  /**
   * All of it; the thread works a few chunks ahead. `lent`: a chunk is good until the next one is asked for, and its memory used
   * again. Without, its memory is the consumer's.
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

  /** For the thread's owner. */
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

  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure.error);
    this.#onTaken();
  }

  /** Ends the thread's work on the stream, and lets go of the source. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.fail(new OcislimError('INTERNAL', 'a stream was closed while it was being unpacked'));
    this.#send({ kind: 'close', id: this.#id }, []);
    this.#onClose();
    if (this.#feeding === null) await this.#source[Symbol.asyncIterator]().return?.();
    else await release(this.#feeding, this.#signal);
  }

  async #feed(): Promise<void> {
    for await (const bytes of movable(this.#source)) {
      this.#ahead++;
      this.#send({ kind: 'input', id: this.#id, bytes }, [bytes.buffer]);
      while (this.#ahead >= inputsAhead && this.#failure === null)
        await new Promise<void>((resolve) => {
          this.#onTaken = resolve;
        });
      if (this.#failure !== null) return;
    }
    this.#send({ kind: 'end', id: this.#id }, []);
  }
}

/** The same bytes, in memory that can be moved to a thread: of chunks that have theirs to themselves, and of copies. */
async function* movable(stream: ByteStream): AsyncIterable<Uint8Array<ArrayBuffer>> {
  for await (const chunk of coalesce(stream, inputSize)) yield isAlone(chunk) ? chunk : new Uint8Array(chunk);
}

function isAlone(chunk: Uint8Array): chunk is Uint8Array<ArrayBuffer> {
  const { buffer, length } = chunk;
  return length >= inputSize / 2 && buffer instanceof ArrayBuffer && buffer.byteLength === length;
}

function errorOf(failure: Failure): unknown {
  if (failure.kind === 'other') return failure.error;
  const { code, message, advice } = failure;
  return new OcislimError(code, message, advice === undefined ? {} : { advice });
}
