/**
 * Unpacks and hashes streams as the orders of `messages.ts` say. The unpacking thread runs one; the main thread runs one for the
 * native engine, which has threads of its own.
 */
import { OcislimError } from '../../errors.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import type { Filler } from './filler.ts';
import type { Answer, Failure, Order } from './messages.ts';

type Input = Extract<Order, { kind: 'input' | 'end' }>;
type Room = SharedArrayBuffer | number;

/** Hands values to one taker in their order. After `close`, taking rejects. */
class Queue<T> {
  readonly #values: T[] = [];
  #waiting: { readonly resolve: (value: T) => void; readonly reject: (error: unknown) => void } | null = null;
  #closed = false;

  put(value: T): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#values.push(value);
    else waiting.resolve(value);
  }

  take(): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('closed'));
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift() as T);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  close(): void {
    this.#closed = true;
    this.#waiting?.reject(new Error('closed'));
  }
}

interface Stream {
  readonly inputs: Queue<Input>;
  readonly rooms: Queue<Room>;
  readonly stop: AbortController;
}

/** The order that begins a stream. */
export type Opening = Extract<Order, { kind: 'open' }>;

/** Makes what unpacks a stream of packed bytes. */
export type OpenFiller = (inputs: ByteStream, opening: Opening, signal: AbortSignal) => Filler;

/** Unpacks any number of streams at once. */
export class Unpacker {
  readonly #open: OpenFiller;
  readonly #answer: (answer: Answer, transfer: ArrayBuffer[]) => void;
  readonly #streams = new Map<number, Stream>();

  constructor(open: OpenFiller, answer: (answer: Answer, transfer: ArrayBuffer[]) => void) {
    this.#open = open;
    this.#answer = answer;
  }

  /** Follows an order. It never throws: errors are answers. */
  handle(order: Order): void {
    const { id } = order;
    if (order.kind === 'open') {
      const stream = { inputs: new Queue<Input>(), rooms: new Queue<Room>(), stop: new AbortController() };
      this.#streams.set(id, stream);
      void this.#unpack(order, stream);
      return;
    }
    // Messages for a stream that has failed may still be on their way.
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (order.kind === 'close') {
      this.#streams.delete(id);
      stream.stop.abort();
      stream.inputs.close();
      stream.rooms.close();
    } else if (order.kind === 'room') stream.rooms.put(order.memory);
    else stream.inputs.put(order);
  }

  async #unpack(opening: Opening, stream: Stream): Promise<void> {
    const { id } = opening;
    try {
      await this.#fill(id, stream, this.#open(this.#inputs(id, stream), opening, stream.stop.signal));
    } catch (error) {
      if (this.#streams.has(id)) this.#answer({ kind: 'failed', id, error: failureOf(error) }, []);
    } finally {
      this.#streams.delete(id);
    }
  }

  async *#inputs(id: number, { inputs }: Stream): ByteStream {
    for (let input = await inputs.take(); input.kind === 'input'; input = await inputs.take()) {
      yield input.bytes;
      this.#answer({ kind: 'taken', id }, []);
    }
  }

  /** Fills and hands over the blocks asked for. Each is full except the last, which has the digest. */
  async #fill(id: number, { rooms }: Stream, filler: Filler): Promise<void> {
    for (;;) {
      const block = blockIn(await rooms.take());
      const { size, last } = await filler.fill(block);
      const bytes = block.subarray(0, size);
      const { buffer } = bytes;
      const answer = { kind: 'filled', id, bytes, digest: last ? filler.digest() : null } as const;
      this.#answer(answer, buffer instanceof ArrayBuffer ? [buffer] : []);
      if (last) return;
    }
  }
}

function blockIn(room: Room): Uint8Array {
  return typeof room === 'number' ? new Uint8Array(room) : new Uint8Array(room);
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof OcislimError)) return { kind: 'other', error };
  const { code, message, advice } = error;
  return { kind: 'known', code, message, advice };
}
