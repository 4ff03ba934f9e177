import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import { fileError } from '../../files/file-error.ts';

/**
 * Whether the cache is still written to. The first error of the disk ends that, with one warning; what is in the cache is
 * still read. So a cache never fails a run.
 */
export class CacheHealth {
  readonly #folder: string;
  readonly #listener: Listener;
  #isGood = true;

  constructor(folder: string, listener: Listener) {
    this.#folder = folder;
    this.#listener = listener;
  }

  get isGood(): boolean {
    return this.#isGood;
  }

  /** Ends writing because of an error. Only the first call warns. */
  fail(error: unknown): void {
    if (!this.#isGood) return;
    this.#isGood = false;
    const told = fileError(`write into the cache ${this.#folder}`, error);
    const reason = told instanceof OcislimError ? told.message : String(told);
    this.warn(`${reason}; the work goes on without it`);
  }

  warn(message: string): void {
    this.#listener({ type: 'warning', code: 'CACHE_OFF', message });
  }
}
