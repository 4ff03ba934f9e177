import { Worker } from 'node:worker_threads';
import { OcislimError } from '../errors.ts';

/** Bytes of input that all encoders of a process may hold at once, for so many processors. */
const heldBytes = (jobs: number): number => Math.max(64, 12 * jobs) * 1024 * 1024;

/** What a worker is asked, and what it answers. Buffers are transferred, not copied. */
export interface WorkerRequest {
  readonly engine: 'libdeflate' | 'pako';
  readonly level: number;
  readonly memory: ArrayBuffer;
  readonly length: number;
  /** For pako, which keeps state from block to block. */
  readonly last: boolean;
}

export type WorkerAnswer =
  | { readonly output: Uint8Array<ArrayBuffer>; readonly memory: ArrayBuffer }
  | { readonly failure: string };

/** A worker thread and its unanswered question. */
export class EncoderThread {
  readonly #worker: Worker;
  #settle: { resolve(answer: WorkerAnswer): void; reject(error: unknown): void } | null = null;
  #broken: OcislimError | null = null;

  constructor() {
    const file = import.meta.url.endsWith('.ts') ? './encoder-worker.ts' : './encoder-worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url));
    this.#worker.on('message', (answer: WorkerAnswer) => this.#answer(answer));
    this.#worker.on('error', (cause) => this.#fail(cause));
    this.#worker.on('exit', () => this.#fail(new Error('the thread has ended')));
    this.#worker.unref();
  }

  get isBroken(): boolean {
    return this.#broken !== null;
  }

  async ask(request: WorkerRequest): Promise<Exclude<WorkerAnswer, { failure: string }>> {
    if (this.#broken !== null) throw this.#broken;
    // A thread at work keeps the process alive, an idle one does not.
    this.#worker.ref();
    const answer = await new Promise<WorkerAnswer>((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#worker.postMessage(request, [request.memory]);
    });
    if ('failure' in answer) throw engineError(request.engine, new Error(answer.failure));
    return answer;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #answer(answer: WorkerAnswer): void {
    this.#worker.unref();
    this.#settle?.resolve(answer);
    this.#settle = null;
  }

  #fail(cause: unknown): void {
    this.#broken ??= engineError('worker', cause);
    this.#settle?.reject(this.#broken);
    this.#settle = null;
  }
}

function engineError(engine: string, cause: unknown): OcislimError {
  return new OcislimError(
    'CODEC',
    `the ${engine === 'worker' ? 'encoder thread' : engine} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      cause,
      advice: 'Where WebAssembly or worker threads cannot run, --gzip-engine zlib does without them.',
    },
  );
}

/**
 * One bound for everything that encodes in this process: at most `jobs` blocks are worked on at once, first come first
 * served, and so many bytes of input are held. Threads are started when first needed.
 */
export class EncoderPool {
  readonly jobs: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #held = 0;
  readonly #holdWaiting: { readonly bytes: number; readonly go: () => void }[] = [];
  readonly #idle: EncoderThread[] = [];
  readonly #threads = new Set<EncoderThread>();
  #closed = false;

  constructor(jobs: number) {
    this.jobs = jobs;
  }

  /** Runs one task when a processor is free. */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.jobs) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      signal.throwIfAborted();
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /** Takes memory for a block if there is some; a stream that holds nothing yet must `hold` instead, and may wait. */
  tryHold(bytes: number): boolean {
    if (this.#holdWaiting.length > 0 || (this.#held > 0 && this.#held + bytes > heldBytes(this.jobs)))
      return false;
    this.#held += bytes;
    return true;
  }

  async hold(bytes: number): Promise<void> {
    if (this.tryHold(bytes)) return;
    await new Promise<void>((go) => this.#holdWaiting.push({ bytes, go }));
  }

  letGo(bytes: number): void {
    this.#held -= bytes;
    for (let next = this.#holdWaiting[0]; next !== undefined; next = this.#holdWaiting[0]) {
      if (this.#held > 0 && this.#held + next.bytes > heldBytes(this.jobs)) return;
      this.#holdWaiting.shift();
      this.#held += next.bytes;
      next.go();
    }
  }

  /** Lends a thread, to be given back. */
  lend(): EncoderThread {
    if (this.#closed) throw new OcislimError('INTERNAL', 'the encoders have been closed');
    const thread = this.#idle.pop() ?? new EncoderThread();
    this.#threads.add(thread);
    return thread;
  }

  async takeBack(thread: EncoderThread, reusable: boolean): Promise<void> {
    if (reusable && !thread.isBroken) {
      this.#idle.push(thread);
      return;
    }
    this.#threads.delete(thread);
    await thread.end();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads].map((thread) => thread.end()));
    this.#threads.clear();
    this.#idle.length = 0;
  }
}

/** `jobs`: blocks encoded at once, one for each processor. */
export function createEncoderPool({ jobs }: { readonly jobs: number }): EncoderPool {
  return new EncoderPool(Math.max(1, jobs));
}
