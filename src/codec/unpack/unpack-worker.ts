/**
 * The worker thread that unpacks streams and hashes the result, so that the main thread need not. `threads.ts` starts it and
 * exchanges the messages of `messages.ts` with it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { OcislimError } from '../../errors.ts';
import { type Digest, hasherOf } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { decode } from '../decode.ts';
import { NativeGunzip } from '../gunzip-native.ts';
import { loadFound } from '../native.ts';
import { nativeOf } from '../worker-pool.ts';
import { ChunkFiller, type Filler, NativeFiller } from './filler.ts';
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

const native = loadFound(nativeOf(workerData));
const streams = new Map<number, Stream>();
const port = parentPort;

port?.on('message', (order: Order) => {
  const { id } = order;
  if (order.kind === 'open') {
    const stream = { inputs: new Queue<Input>(), rooms: new Queue<Room>(), stop: new AbortController() };
    streams.set(id, stream);
    void unpack(order, stream);
    return;
  }
  // Messages for a stream that has failed may still be on their way.
  const stream = streams.get(id);
  if (stream === undefined) return;
  if (order.kind === 'close') {
    streams.delete(id);
    stream.stop.abort();
    stream.inputs.close();
    stream.rooms.close();
  } else if (order.kind === 'room') stream.rooms.put(order.memory);
  else stream.inputs.put(order);
});

async function unpack(order: Extract<Order, { kind: 'open' }>, stream: Stream): Promise<void> {
  const { id } = order;
  try {
    await fill(id, stream, fillerOf(order, stream));
  } catch (error) {
    if (streams.has(id)) answer({ kind: 'failed', id, error: failureOf(error) }, []);
  } finally {
    streams.delete(id);
  }
}

function fillerOf(
  { id, compression, maxWindow, hash }: Extract<Order, { kind: 'open' }>,
  stream: Stream,
): Filler {
  const { signal } = stream.stop;
  const inputs = inputOf(id, stream);
  const hasher = hasherOf(hash);
  if (compression === 'gzip' && native !== null)
    return new NativeFiller(new NativeGunzip(inputs, native, signal), hasher);
  // The decoder of gzip leaves the memory of its chunks to this thread.
  return new ChunkFiller(decode(inputs, compression, { signal, maxWindow }), hasher, compression === 'gzip');
}

async function* inputOf(id: number, { inputs }: Stream): ByteStream {
  for (let input = await inputs.take(); input.kind === 'input'; input = await inputs.take()) {
    yield input.bytes;
    answer({ kind: 'taken', id }, []);
  }
}

/** Fills and hands over the blocks asked for. Each is full except the last, which has the digest. */
async function fill(id: number, { rooms }: Stream, filler: Filler): Promise<void> {
  for (;;) {
    const block = blockIn(await rooms.take());
    const { size, last } = await filler.fill(block);
    give(id, block.subarray(0, size), last ? filler.hash.digest() : null);
    if (last) return;
  }
}

function blockIn(room: Room): Uint8Array {
  return typeof room === 'number' ? new Uint8Array(room) : new Uint8Array(room);
}

function give(id: number, bytes: Uint8Array, digest: Digest | null): void {
  const { buffer } = bytes;
  answer({ kind: 'filled', id, bytes, digest }, buffer instanceof ArrayBuffer ? [buffer] : []);
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof OcislimError)) return { kind: 'other', error };
  const { code, message, advice } = error;
  return { kind: 'known', code, message, advice };
}

function answer(message: Answer, transfer: ArrayBuffer[]): void {
  port?.postMessage(message, transfer);
}
