/**
 * The worker thread that unpacks streams and hashes the result, so that the main thread need not. `threads.ts` starts it and
 * exchanges the messages of `messages.ts` with it.
 */
import { parentPort } from 'node:worker_threads';
import { OcislimError } from '../../errors.ts';
import { type Digest, type Hasher, hasherOf } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { decode } from '../decode.ts';
import { decodedChunk } from '../native-decoder.ts';
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
  const { id, compression, maxWindow } = order;
  try {
    const decoded = decode(inputOf(id, stream), compression, {
      signal: stream.stop.signal,
      maxWindow,
    });
    await fill(id, stream, { decoded, hash: hasherOf(order.hash), canFree: compression === 'gzip' });
  } catch (error) {
    if (streams.has(id)) answer({ kind: 'failed', id, error: failureOf(error) }, []);
  } finally {
    streams.delete(id);
  }
}

async function* inputOf(id: number, { inputs }: Stream): ByteStream {
  for (let input = await inputs.take(); input.kind === 'input'; input = await inputs.take()) {
    yield input.bytes;
    answer({ kind: 'taken', id }, []);
  }
}

interface Decoding {
  readonly decoded: ByteStream;
  readonly hash: Hasher;
  /** Whether the decoder leaves the memory of its chunks to this thread. */
  readonly canFree: boolean;
}

/** Hashes what is unpacked and copies it into the blocks asked for. Each is full except the last, which has the digest. */
async function fill(id: number, { rooms }: Stream, { decoded, hash, canFree }: Decoding): Promise<void> {
  let block: Uint8Array | null = null;
  let filled = 0;
  for await (const chunk of decoded) {
    hash.update(chunk);
    for (let at = 0; at < chunk.length; ) {
      // A full block waits for the byte behind it: only that byte shows that it is not the last.
      if (block !== null && filled === block.length) {
        give(id, block, null);
        block = null;
      }
      if (block === null) {
        block = blockIn(await rooms.take());
        filled = 0;
      }
      const count = Math.min(block.length - filled, chunk.length - at);
      block.set(count === chunk.length ? chunk : chunk.subarray(at, at + count), filled);
      filled += count;
      at += count;
    }
    if (canFree) free(chunk);
  }
  block ??= blockIn(await rooms.take());
  give(id, block.subarray(0, filled), hash.digest());
}

function blockIn(room: Room): Uint8Array {
  return typeof room === 'number' ? new Uint8Array(room) : new Uint8Array(room);
}

function give(id: number, bytes: Uint8Array, digest: Digest | null): void {
  const { buffer } = bytes;
  answer({ kind: 'filled', id, bytes, digest }, buffer instanceof ArrayBuffer ? [buffer] : []);
}

/**
 * Frees the memory of a decoder's output once the decoder has filled it and has moved on to the next. The garbage collector would let hundreds
 * of megabytes of it pile up.
 */
function free(chunk: Uint8Array): void {
  const { buffer, byteOffset, byteLength } = chunk;
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== decodedChunk) return;
  if (byteOffset + byteLength === decodedChunk) buffer.transfer(0);
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof OcislimError)) return { kind: 'other', error };
  const { code, message, advice } = error;
  return { kind: 'known', code, message, advice };
}

function answer(message: Answer, transfer: ArrayBuffer[]): void {
  port?.postMessage(message, transfer);
}
