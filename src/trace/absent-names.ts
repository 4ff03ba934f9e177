/**
 * The names that a run asked for and that were not there. A sink collects them where its options say so: `slim --record` compares those of a pruned
 * image with what the original has.
 */
import { type ByteString } from '../bytes/bytes.ts';
import type { Limits } from '../limits.ts';
import type { TracedPath } from './trace.ts';
import { own } from './own-copy.ts';

export class AbsentNames {
  readonly #limits: Pick<Limits, 'trace-paths' | 'trace-path-bytes'>;
  readonly #names = new Set<TracedPath>();
  #bytes = 0;
  #isFull = false;

  constructor(limits: Pick<Limits, 'trace-paths' | 'trace-path-bytes'>) {
    this.#limits = limits;
  }

  /** Lists the names in the order in which they were asked for first. */
  get all(): readonly TracedPath[] {
    return [...this.#names];
  }

  /** Adds a name. Those beyond the limits are left out: a program may ask for any number of names. */
  add(name: TracedPath): void {
    if (this.#isFull || name === '' || this.#names.has(name)) return;
    this.#bytes += name.length;
    this.#isFull =
      this.#names.size >= this.#limits['trace-paths'] || this.#bytes > this.#limits['trace-path-bytes'];
    if (!this.#isFull) this.#names.add(own(name));
  }

  /** Adds a name that was to be created, and its directory, whose absence would be the reason too. */
  addCreated(name: TracedPath): void {
    this.add(name);
    this.add(directoryOf(name));
  }
}

function directoryOf(name: ByteString): ByteString {
  return name.slice(0, Math.max(name.lastIndexOf('/'), 0));
}
