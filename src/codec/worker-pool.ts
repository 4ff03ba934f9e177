/**
 * Worker threads: how they end, and how their work is shared out. The threads that pack gzip and those that
 * unpack layers are made here.
 */
import type { Worker } from 'node:worker_threads';

/** Finds the file of the native engine when it is first needed; null without one. */
export type NativePath = () => string | null;

/** Reports the end of a thread, which does not keep the process alive. `onGone` may be called more than once. */
export function watchWorker(worker: Worker, onGone: (reason: string, cause?: unknown) => void): void {
  worker.unref();
  worker.on('messageerror', (error) => onGone('its answer could not be read', error));
  worker.on('error', (error) => onGone(error instanceof Error ? error.message : String(error), error));
  worker.on('exit', (code) => onGone(`it ended with status ${code}`));
}

/** How threads are made. */
export interface ThreadOptions {
  /** The file that a thread runs. Default: that of the room. */
  readonly file?: URL;
  /** Default: no native engine. */
  readonly native?: NativePath;
}

export interface PooledThread {
  /** The number of tasks and streams that it has. */
  readonly load: number;
  end(): Promise<void>;
}

/** Threads that start when there is work for them, at most `limit`. */
export class WorkerPool<Thread extends PooledThread> {
  readonly #limit: number;
  readonly #threads: Thread[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns the thread with the least to do, or a new one from `start`, which calls `onGone` when its thread has ended. */
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
