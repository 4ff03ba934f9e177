/**
 * The pool that bounds encoding: every stream that is packed has a lane in it, and lanes take turns. A run opens one and shares it
 * among all its layers.
 */
import { Closeable } from '../closeable.ts';
import { OcislimError } from '../errors.ts';
import { type Listener, silent } from '../events.ts';
import { BlockMemory } from './block.ts';
import { GzipWorkers } from './gzip-workers.ts';
import { describeNative, findNative } from './native.ts';
import { UnpackThreads } from './unpack/threads.ts';

/**
 * Bounds encoding for a whole process: at most `jobs` blocks are encoded at a time, in worker threads and on Node's thread pool
 * together, however many streams there are. Threads get a few small blocks more (`BlockEncoder.early`). Streams take turns, block by
 * block. A stream that is still open when the pool closes fails.
 */
export class EncoderPool extends Closeable {
  readonly jobs: number;
  /** The threads of those gzip engines that need their own. */
  readonly workers: GzipWorkers;
  /** The threads that unpack layers before they are encoded. */
  readonly unpackers: UnpackThreads;
  /** The memory of the blocks of all streams. */
  readonly memory: BlockMemory;
  /** Lanes in the order of their turns. */
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

  /** Opens a lane for one stream, whose turn is next. @throws INTERNAL when the pool is closed */
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

  /** Returns how many blocks one stream may hold, encoded or waiting. All streams share `jobs + ahead`, and each may hold one. */
  depth(ahead: number): number {
    return Math.max(1, Math.ceil((this.jobs + ahead) / Math.max(1, this.#lanes.length)));
  }

  /** Ends the worker threads. A task on Node's thread pool cannot be stopped: it runs to the end of its block, and its result is discarded. */
  async close(): Promise<void> {
    this.#closed = true;
    // A lane leaves the list when it fails.
    while (this.#lanes.length > 0) this.#lanes[0]?.fail(closedError());
    await Promise.all([this.workers.close(), this.unpackers.close()]);
  }

  #schedule(): void {
    for (;;) {
      const index = this.#lanes.findIndex((each) => each.ready);
      const lane = this.#lanes[index];
      // A lane that may start none early still gets its turn before those behind it.
      if (lane === undefined || this.#running >= this.jobs + lane.early) return;
      this.#lanes.splice(index, 1);
      this.#lanes.push(lane);
      this.#running++;
      void lane.start().finally(() => {
        this.#running--;
        this.#schedule();
      });
    }
  }
}

export interface PoolOptions {
  /** The number of blocks that are encoded at a time, at least 1. */
  readonly jobs: number;
  /** What OCISLIM_NATIVE says: see `findNative`. Default: the environment of this process. */
  readonly native?: string | undefined;
  /** Is told which gzip engine runs, when one is first needed. */
  readonly listener?: Listener;
}

/**
 * Creates a pool that encodes `jobs` blocks at a time. Threads start when they are needed and do not keep the process
 * alive. Node's own thread pool, which some engines use, has four threads unless UV_THREADPOOL_SIZE says otherwise before its
 * first use.
 * @throws USAGE; UNSUPPORTED where a native engine is demanded and missing
 */
export function createEncoderPool({
  jobs,
  native = process.env['OCISLIM_NATIVE'],
  listener = silent,
}: PoolOptions): EncoderPool {
  if (!Number.isInteger(jobs) || jobs < 1) {
    throw new OcislimError('USAGE', `the number of jobs must be a whole number of 1 or more, not ${jobs}`);
  }
  const find = memoized(() => {
    const search = findNative(native);
    listener({ type: 'detail', message: describeNative(search) });
    return search.kind === 'found' ? search.path : null;
  });
  // What the user asks for by name is looked for at once; else loading waits until there is work.
  if (native !== undefined && native !== '' && native !== '0') find();
  return new EncoderPool(
    jobs,
    new GzipWorkers(jobs, { native: find }),
    new UnpackThreads(jobs, { native: find }),
  );
}

function memoized<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

function closedError(): OcislimError {
  return new OcislimError('INTERNAL', 'the encoder pool was closed while it encoded a stream');
}

/** The tasks of one stream. When it fails or is closed, all waiting promises reject at once, even while a task still runs. */
export class Lane {
  readonly #signal: AbortSignal;
  readonly #schedule: () => void;
  readonly #leave: () => void;
  readonly #queue: (() => Promise<void>)[] = [];
  readonly #waiting = new Set<(error: unknown) => void>();
  readonly #onAbort = () => this.fail(this.#signal.reason);
  /** Tasks that may start before one of the `jobs` has ended. */
  early = 0;
  #serial = false;
  #running = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(signal: AbortSignal, schedule: () => void, leave: () => void) {
    this.#signal = signal;
    this.#schedule = schedule;
    this.#leave = leave;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Makes the lane run one task at a time, in order, from now on. */
  serial(): void {
    this.#serial = true;
  }

  /** Whether a task could start; for the pool. */
  get ready(): boolean {
    return this.#queue.length > 0 && !(this.#serial && this.#running > 0);
  }

  /** Starts the next task, for the pool. Never rejects. */
  async start(): Promise<void> {
    this.#running++;
    try {
      await this.#queue.shift()?.();
    } finally {
      this.#running--;
    }
  }

  /** Runs a task in its turn. The promise need not be awaited: its rejection is not reported as unhandled. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = new Promise<T>((resolve, reject) => {
      this.#queue.push(() => task().then(resolve, reject));
    });
    const guarded = this.guard(result);
    if (this.#failure === null) this.#schedule();
    return guarded;
  }

  /** Returns a promise that settles as the given one, or rejects when the lane fails before. It need not be awaited. */
  guard<T>(promise: Promise<T>): Promise<T> {
    const guarded = new Promise<T>((resolve, reject) => {
      if (this.#failure !== null) reject(this.#failure.error);
      this.#waiting.add(reject);
      promise.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
    guarded.catch(() => {});
    return guarded;
  }

  /** Discards all waiting tasks and rejects their promises. The first error counts. */
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
