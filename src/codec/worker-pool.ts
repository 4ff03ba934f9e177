import { Worker } from 'node:worker_threads';

/** The file of a worker thread. The compiler leaves file names alone, so it is chosen here: sources run as they are, too. */
export function workerFile(name: string, importer: string): URL {
  return new URL(`./${name}.${importer.endsWith('.ts') ? 'ts' : 'js'}`, importer);
}

/** Throws what Node throws where no thread can be started. */
export function startWorker(file: URL): Worker {
  // Flags of this process, such as --input-type, may not be fit for a file.
  return new Worker(file, { execArgv: [] });
}

/** Does not keep the process alive. `onGone` may be called more than once. */
export function watchWorker(worker: Worker, onGone: (reason: string, cause?: unknown) => void): void {
  worker.unref();
  worker.on('messageerror', (error) => onGone('its answer could not be read', error));
  worker.on('error', (error) => onGone(error instanceof Error ? error.message : String(error), error));
  worker.on('exit', (code) => onGone(`it ended with status ${code}`));
}

export interface PooledThread {
  /** How much it has to do. */
  readonly load: number;
  end(): Promise<void>;
}

/** Threads that are started when there is work for them, at most `limit`. */
export class WorkerPool<Thread extends PooledThread> {
  readonly #limit: number;
  readonly #threads: Thread[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The one with the least to do, or one that `start` makes; that calls `onGone` when nothing more is to be had of it. */
  idlest(start: (onGone: () => void) => Thread): Thread {
    const idlest = this.#threads.toSorted((a, b) => a.load - b.load)[0];
    if (idlest !== undefined && (idlest.load === 0 || this.#threads.length >= this.#limit)) return idlest;
    const thread: Thread = start(() => {
      const index = this.#threads.indexOf(thread);
      if (index >= 0) this.#threads.splice(index, 1);
    });
    this.#threads.push(thread);
    return thread;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.end()));
  }
}
