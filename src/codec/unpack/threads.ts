import { Worker } from 'node:worker_threads';
import { OcislimError } from '../../errors.ts';
import type { Algorithm } from '../../oci/digest.ts';
import type { Compression } from '../../oci/media-type.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import type { Answer, Order } from './messages.ts';
import { Unpacking } from './unpacking.ts';

// The compiler leaves the file name alone, so it is chosen here: sources run as they are, too.
const threadFile = new URL(
  import.meta.url.endsWith('.ts') ? './unpack-worker.ts' : './unpack-worker.js',
  import.meta.url,
);

export interface UnpackOptions {
  readonly compression: Compression;
  /** Of all unpacked bytes. */
  readonly hash: Algorithm;
  readonly signal: AbortSignal;
}

/**
 * Threads that unpack and hash streams: at most `limit`, started when needed, none of them keeps the process alive. One that
 * has several streams gives each its turn.
 */
export class UnpackThreads {
  readonly #limit: number;
  readonly #file: URL;
  readonly #threads: Thread[] = [];

  constructor(limit: number, file: URL = threadFile) {
    this.#limit = limit;
    this.#file = file;
  }

  /** The source is read from the first block asked for on. @throws UNSUPPORTED */
  open(source: ByteStream, options: UnpackOptions): Unpacking {
    return this.#thread().open(source, options);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.end()));
  }

  /** The one with the least to do. */
  #thread(): Thread {
    const idlest = this.#threads.toSorted((a, b) => a.load - b.load)[0];
    if (idlest !== undefined && (idlest.load === 0 || this.#threads.length >= this.#limit)) return idlest;
    const thread: Thread = new Thread(start(this.#file), () => {
      const index = this.#threads.indexOf(thread);
      if (index >= 0) this.#threads.splice(index, 1);
    });
    this.#threads.push(thread);
    return thread;
  }
}

function start(file: URL): Worker {
  try {
    // Flags of this process, such as --input-type, may not be fit for a file.
    return new Worker(file, { execArgv: [] });
  } catch (cause) {
    throw new OcislimError('UNSUPPORTED', `no thread can be started: ${(cause as Error).message}`, { cause });
  }
}

class Thread {
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
    worker.unref();
    worker.on('message', (answer: Answer) => this.#streams.get(answer.id)?.take(answer));
    worker.on('messageerror', (error) => gone('its answer could not be read', error));
    worker.on('error', (error) => gone(error instanceof Error ? error.message : String(error), error));
    worker.on('exit', (code) => gone(`it ended with status ${code}`));
  }

  get load(): number {
    return this.#streams.size;
  }

  open(source: ByteStream, { compression, hash, signal }: UnpackOptions): Unpacking {
    const id = ++this.#ids;
    const send = (order: Order, transfer: ArrayBuffer[]) => {
      if (this.#gone === null) this.#worker.postMessage(order, transfer);
    };
    const stream = new Unpacking(id, source, signal, send, () => {
      this.#streams.delete(id);
      if (this.#streams.size === 0) this.#worker.unref();
    });
    this.#streams.set(id, stream);
    this.#worker.ref();
    send({ kind: 'open', id, compression, hash }, []);
    if (this.#gone !== null) stream.fail(this.#gone);
    return stream;
  }

  async end(): Promise<void> {
    this.#gone ??= new OcislimError('INTERNAL', 'the threads were closed while a layer was being unpacked');
    await this.#worker.terminate();
  }
}
