import { Closeable } from '../closeable.ts';
import { OcislimError } from '../errors.ts';
import { BlockMemory } from './block.ts';
import { GzipWorkers } from './gzip-workers.ts';
import { UnpackThreads } from './unpack/threads.ts';

/**
 * The one bound on encoding for a whole process: no more than `jobs` blocks are encoded at a time, be it in worker threads or
 * on Node's thread pool, however many streams there are; those take turns, block by block. Streams still open when the
 * pool closes fail.
 */
export class EncoderPool extends Closeable {
  readonly jobs: number;
  /** For the engines of this room. */
  readonly workers: GzipWorkers;
  /** Threads that unpack what is to be encoded. */
  readonly unpackers: UnpackThreads;
  /** Of the blocks of all streams. */
  readonly memory: BlockMemory;
  /** In the order of their turns. */
  readonly #lanes: Lane[] = [];
  #running = 0;
  #closed = false;

  constructor(jobs: number, workers: GzipWorkers, unpackers: UnpackThreads) {
    super();
    this.jobs = jobs;
    this.workers = workers;
    this.unpackers = unpackers;
    this.memory = new BlockMemory(jobs + 4);
  }

  /** A place in the queue for one stream, whose turn is next. @throws INTERNAL when the pool is closed */
  open(signal: AbortSignal): Lane {
    if (this.#closed) throw closedError();
    signal.throwIfAborted();
    const lane: Lane = new Lane(
      signal,
      () => this.#schedule(),
      () => {
        const index = this.#lanes.indexOf(lane);
        if (index >= 0) this.#lanes.splice(index, 1);
      },
    );
    this.#lanes.unshift(lane);
    return lane;
  }

  /** How many blocks a stream may hold, encoded or waiting: all may hold `jobs + ahead`, but each at least one. */
  depth(ahead: number): number {
    return Math.max(1, Math.ceil((this.jobs + ahead) / Math.max(1, this.#lanes.length)));
  }

  /** Ends the worker threads. What runs on Node's thread pool runs on to the end of its block, for nobody. */
  async close(): Promise<void> {
    this.#closed = true;
    // Each leaves the list as it fails.
    while (this.#lanes.length > 0) this.#lanes[0]?.fail(closedError());
    await Promise.all([this.workers.close(), this.unpackers.close()]);
  }

  #schedule(): void {
    while (this.#running < this.jobs) {
      const index = this.#lanes.findIndex((lane) => lane.ready);
      const [lane] = index < 0 ? [] : this.#lanes.splice(index, 1);
      if (lane === undefined) return;
      this.#lanes.push(lane);
      this.#running++;
      void lane.start().finally(() => {
        this.#running--;
        this.#schedule();
      });
    }
  }
}

/**
 * `jobs`: blocks encoded at a time, at least 1. Threads start when they are needed and do not keep the process alive. Node's
 * own thread pool, which zstd and the gzip engine zlib use, has four threads unless UV_THREADPOOL_SIZE says
 * otherwise before its first use.
 * @throws USAGE
 */
export function createEncoderPool(options: { readonly jobs: number }): EncoderPool {
  const { jobs } = options;
  if (!Number.isInteger(jobs) || jobs < 1) {
    throw new OcislimError('USAGE', `the number of jobs must be a whole number from 1 on, not ${jobs}`);
  }
  return new EncoderPool(jobs, new GzipWorkers(jobs), new UnpackThreads(jobs));
}

function closedError(): OcislimError {
  return new OcislimError('INTERNAL', 'the encoder pool was closed while a stream was being encoded');
}

/** The tasks of one stream. Once it has failed or is closed, nothing waits any longer, whatever still runs. */
export class Lane {
  readonly #signal: AbortSignal;
  readonly #schedule: () => void;
  readonly #leave: () => void;
  readonly #queue: (() => Promise<void>)[] = [];
  readonly #waiting = new Set<(error: unknown) => void>();
  readonly #onAbort = () => this.fail(this.#signal.reason);
  #serial = false;
  #running = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(signal: AbortSignal, schedule: () => void, leave: () => void) {
    this.#signal = signal;
    this.#schedule = schedule;
    this.#leave = leave;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** From now on one task at a time, in order. */
  serial(): void {
    this.#serial = true;
  }

  /** For the pool: whether a task could start. */
  get ready(): boolean {
    return this.#queue.length > 0 && !(this.#serial && this.#running > 0);
  }

  /** For the pool: starts the next task; never rejects. */
  async start(): Promise<void> {
    this.#running++;
    try {
      await this.#queue.shift()?.();
    } finally {
      this.#running--;
    }
  }

  /** Runs a task in its turn. Its promise may be left alone: a rejection is only seen by who awaits it. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = new Promise<T>((resolve, reject) => {
      this.#queue.push(() => task().then(resolve, reject));
    });
    const guarded = this.guard(result);
    if (this.#failure === null) this.#schedule();
    return guarded;
  }

  /** The promise, or the lane's failure where that comes first. May be left alone too. */
  guard<T>(promise: Promise<T>): Promise<T> {
    const guarded = new Promise<T>((resolve, reject) => {
      if (this.#failure !== null) reject(this.#failure.error);
      this.#waiting.add(reject);
      promise.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
    guarded.catch(() => {});
    return guarded;
  }

  fail(error: unknown): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#failure ??= { error };
    this.#queue.length = 0;
    for (const reject of this.#waiting) reject(this.#failure.error);
    this.#waiting.clear();
    this.#leave();
  }

  close(): void {
    this.fail(closedError());
  }
}
