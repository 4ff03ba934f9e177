/**
 * The threads that unpack and hash layers, seen from the main thread. The encoder pool owns them, and the layer reader opens streams
 * in them.
 */
import type { Worker } from 'node:worker_threads';
import { OcislimError } from '../../errors.ts';
import { defaultLimits } from '../../limits.ts';
import type { Algorithm } from '../../oci/digest.ts';
import type { Compression } from '../../oci/media-type.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import {
  type NativePath,
  type PooledThread,
  type ThreadOptions,
  watchWorker,
  WorkerPool,
} from '../worker-pool.ts';
import { startWorker, workerFile } from '../worker-thread.ts';
import { NativeGunzip } from '../gunzip-native.ts';
import { loadFound, type NativeEngine } from '../native.ts';
import type { Answer, Order } from './messages.ts';
import { Unpacker } from './unpacker.ts';
import { Unpacking } from './unpacking.ts';
import { MiB } from '../../units.ts';

const threadFile = workerFile('unpack-worker', import.meta.url);

export interface UnpackOptions {
  readonly compression: Compression;
  /** The largest window that a zstd frame may ask for, in bytes. Default: that of `defaultLimits`. */
  readonly maxWindow?: number;
  /** The algorithm of the digest of all unpacked bytes. */
  readonly hash: Algorithm;
  readonly signal: AbortSignal;
}

/**
 * Threads that unpack and hash streams. At most `limit` start, when they are needed, and none keeps the process alive. A thread
 * with several streams gives each its turn.
 */
export class UnpackThreads {
  readonly #pool: WorkerPool<Thread>;
  readonly #file: URL;
  readonly #native: NativePath;
  /** Undefined before the first gzip stream; null where there is no native engine. */
  #streams: NativeStreams | null | undefined;

  constructor(limit: number, { file = threadFile, native = () => null }: ThreadOptions = {}) {
    this.#pool = new WorkerPool(limit);
    this.#file = file;
    this.#native = native;
  }

  /** Opens a stream in a thread. Its source is not read before the first block is asked for. @throws UNSUPPORTED */
  open(source: ByteStream, options: UnpackOptions): Unpacking {
    if (options.compression === 'gzip') {
      if (this.#streams === undefined) this.#streams = openNative(this.#native());
      if (this.#streams !== null) return this.#streams.open(source, options);
    }
    return this.#pool.idlest((onGone) => new Thread(start(this.#file), onGone)).open(source, options);
  }

  async close(): Promise<void> {
    this.#streams?.end();
    await this.#pool.close();
  }
}

function start(file: URL): Worker {
  try {
    return startWorker(file);
  } catch (cause) {
    throw new OcislimError('UNSUPPORTED', `cannot start a thread: ${(cause as Error).message}`, { cause });
  }
}

class Thread implements PooledThread {
  readonly #worker: Worker;
  readonly #streams = new Map<number, Unpacking>();
  #ids = 0;
  #gone: OcislimError | null = null;

  constructor(worker: Worker, onGone: () => void) {
    this.#worker = worker;
    const gone = (reason: string, cause?: unknown) => {
      this.#gone ??= new OcislimError('INTERNAL', `a thread that unpacks layers failed: ${reason}`, {
        cause,
      });
      onGone();
      for (const stream of this.#streams.values()) stream.fail(this.#gone);
    };
    worker.on('message', (answer: Answer) => this.#streams.get(answer.id)?.take(answer));
    watchWorker(worker, gone);
  }

  get load(): number {
    return this.#streams.size;
  }

  open(
    source: ByteStream,
    { compression, maxWindow = defaultLimits['window-bytes'], hash, signal }: UnpackOptions,
  ): Unpacking {
    const id = ++this.#ids;
    const send = (order: Order, transfer: ArrayBuffer[]) => {
      if (this.#gone === null) this.#worker.postMessage(order, transfer);
    };
    const onClose = () => {
      this.#streams.delete(id);
      if (this.#streams.size === 0) this.#worker.unref();
    };
    const stream = new Unpacking({ id, source, signal, send, onClose });
    this.#streams.set(id, stream);
    this.#worker.ref();
    send({ kind: 'open', id, compression, maxWindow, hash }, []);
    if (this.#gone !== null) stream.fail(this.#gone);
    return stream;
  }

  async end(): Promise<void> {
    this.#gone ??= closedError();
    await this.#worker.terminate();
  }
}

/** Each call of the engine costs a trip to the thread pool and back: it gets more at a time than a thread. */
const nativeInputs = { size: MiB, ahead: 2 };

/** The streams that the native engine unpacks, on Node's thread pool. */
class NativeStreams {
  readonly #unpacker: Unpacker;
  readonly #streams = new Map<number, Unpacking>();
  #ids = 0;

  constructor(engine: NativeEngine) {
    this.#unpacker = new Unpacker(
      (inputs, { hash }, signal) => new NativeGunzip(inputs, engine, { hash, signal }),
      (answer) => this.#streams.get(answer.id)?.take(answer),
    );
  }

  open(source: ByteStream, options: UnpackOptions): Unpacking {
    const { compression, maxWindow = defaultLimits['window-bytes'], hash, signal } = options;
    const id = ++this.#ids;
    const send = (order: Order) => this.#unpacker.handle(order);
    const onClose = () => this.#streams.delete(id);
    const stream = new Unpacking({ id, source, signal, send, onClose, inputs: nativeInputs });
    this.#streams.set(id, stream);
    send({ kind: 'open', id, compression, maxWindow, hash });
    return stream;
  }

  /** Fails what is open. A call that runs is not stopped; its result is discarded. */
  end(): void {
    for (const stream of this.#streams.values()) stream.fail(closedError());
  }
}

function openNative(path: string | null): NativeStreams | null {
  const engine = loadFound(path);
  return engine === null ? null : new NativeStreams(engine);
}

function closedError(): OcislimError {
  return new OcislimError('INTERNAL', 'the threads were closed while they unpacked a layer');
}
