/**
 * The side of the main thread for the gzip engines that run in worker threads. The encoders of libdeflate and pako call it, through
 * the pool.
 */
import type { Worker } from 'node:worker_threads';
import { OcislimError } from '../errors.ts';
import { type NativePacker, openNativePacker, type Packed } from './gzip-native.ts';
import type { GzipReply, GzipRequest } from './gzip-worker.ts';
import {
  type NativePath,
  type PooledThread,
  type ThreadOptions,
  watchWorker,
  WorkerPool,
} from './worker-pool.ts';
import { startWorker, workerFile } from './worker-thread.ts';

/** One pako stream, which lives in one worker. Await each push before the next. */
export interface PakoSession {
  push(bytes: Uint8Array, last: boolean): Promise<Packed>;
  close(): void;
}

const gzipWorker = workerFile('gzip-worker', import.meta.url);

type Engine = 'libdeflate' | 'pako';

/** The worker threads of the gzip engines that are not part of Node. At most `limit` start, when they are needed. */
export class GzipWorkers {
  readonly #pool: WorkerPool<Thread>;
  readonly #file: URL;
  readonly #native: NativePath;
  /** Undefined before the first piece; null where there is no native engine. */
  #packer: NativePacker | null | undefined;
  #sessions = 0;

  constructor(limit: number, { file = gzipWorker, native = () => null }: ThreadOptions = {}) {
    this.#pool = new WorkerPool(limit);
    this.#file = file;
    this.#native = native;
  }

  /**
   * Packs a piece of a raw deflate stream and sums it up (CRC-32), with the native engine where it is there. Bytes in shared
   * memory are read in place; a worker gets copies of others. @throws CODEC, UNSUPPORTED
   */
  async libdeflate(
    bytes: Uint8Array,
    { level, last }: { readonly level: number; readonly last: boolean },
  ): Promise<Packed> {
    if (this.#packer === undefined) this.#packer = openNativePacker(this.#native());
    if (this.#packer !== null) return this.#packer.pack(bytes, { level, last });
    return this.#thread('libdeflate').ask({ engine: 'libdeflate', level, bytes, last });
  }

  /** Opens one raw deflate stream. @throws UNSUPPORTED */
  pako(level: number): PakoSession {
    const thread = this.#thread('pako');
    const session = ++this.#sessions;
    thread.sessions++;
    let open = true;
    return {
      push: (bytes, last) => thread.ask({ engine: 'pako', level, bytes, session, last }),
      close: () => {
        if (!open) return;
        open = false;
        thread.sessions--;
        thread.forget(session);
      },
    };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #thread(engine: Engine): Thread {
    return this.#pool.idlest((onGone) => new Thread(start(this.#file, engine), onGone));
  }
}

function start(file: URL, engine: Engine): Worker {
  try {
    return startWorker(file);
  } catch (cause) {
    throw unavailable(engine, cause);
  }
}

function unavailable(engine: Engine, cause: unknown): OcislimError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new OcislimError('UNSUPPORTED', `the gzip engine ${engine} cannot run here: ${reason}`, {
    cause,
    advice: 'Use --gzip-engine zlib, which needs neither WebAssembly nor worker threads (its bytes differ).',
  });
}

interface Waiting {
  readonly engine: Engine;
  readonly resolve: (packed: Packed) => void;
  readonly reject: (error: unknown) => void;
}

class Thread implements PooledThread {
  sessions = 0;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #ids = 0;
  #gone: string | null = null;

  constructor(worker: Worker, onGone: () => void) {
    this.#worker = worker;
    const gone = (reason: string, cause?: unknown) => {
      this.#gone ??= reason;
      onGone();
      for (const waiting of this.#waiting.values()) waiting.reject(crashed(waiting.engine, reason, cause));
      this.#waiting.clear();
    };
    worker.on('message', (reply: GzipReply) => this.#settle(reply));
    watchWorker(worker, gone);
  }

  get load(): number {
    return this.sessions + this.#waiting.size;
  }

  ask(
    request:
      | Omit<GzipRequest & { engine: 'libdeflate' }, 'id'>
      | Omit<GzipRequest & { engine: 'pako' }, 'id'>,
  ): Promise<Packed> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== null) return reject(crashed(request.engine, this.#gone));
      const id = ++this.#ids;
      this.#waiting.set(id, { engine: request.engine, resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ ...request, id });
    });
  }

  forget(session: number): void {
    if (this.#gone === null) this.#worker.postMessage({ engine: 'forget', session } satisfies GzipRequest);
  }

  async end(): Promise<void> {
    this.#gone ??= 'the encoder pool was closed';
    await this.#worker.terminate();
  }

  #settle(reply: GzipReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    switch (reply.kind) {
      case 'packed':
        return waiting.resolve(reply);
      case 'unavailable':
        return waiting.reject(unavailable(waiting.engine, reply.error));
      case 'failed':
        return waiting.reject(crashed(waiting.engine, String(reply.error), reply.error));
    }
  }
}

function crashed(engine: Engine, reason: string, cause?: unknown): OcislimError {
  return new OcislimError('CODEC', `a worker of the gzip engine ${engine} failed: ${reason}`, {
    cause,
    advice: 'Try again, or use --gzip-engine zlib (its bytes differ).',
  });
}
