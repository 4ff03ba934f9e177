/**
 * What a fuzzing thread and its watchdog tell each other. The input at hand lies in shared memory, so that it
 * outlives the thread.
 */
import type { FoundInput, Limits } from './fuzzing.ts';
import { MiB } from '../src/units.ts';

/** The start message of a fuzzing thread. */
export interface Job {
  /** The module of the target, as a URL. */
  readonly module: string;
  readonly seed: number;
  readonly limits: Limits;
  /** Inputs that an earlier thread kept. */
  readonly corpus: readonly Uint8Array[];
  /** The memory in which the thread notes the input at hand, in case it does not come back. */
  readonly slate: SharedArrayBuffer;
  /** The beginning of the URLs of sources whose coverage counts. */
  readonly counted: string;
  /** The only input to run; null for fuzzing. */
  readonly only: Uint8Array | null;
}

/** A message from the thread. */
export type Report =
  | { readonly kind: 'kept'; readonly bytes: Uint8Array }
  | { readonly kind: 'found'; readonly found: FoundInput }
  | {
      readonly kind: 'progress';
      readonly executions: number;
      readonly blocks: number;
      readonly inputs: number;
      readonly done: boolean;
    };

const noteSize = 4 * MiB;
const head = 12;

/** The input that a thread has at hand, in memory that outlives it. */
export class Slate {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(head + noteSize)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, 3);
    this.#bytes = new Uint8Array(memory, head);
  }

  begin(bytes: Uint8Array): void {
    const length = Math.min(bytes.length, noteSize);
    this.#bytes.set(bytes.subarray(0, length));
    this.#words[1] = length;
    Atomics.add(this.#words, 0, 1);
    Atomics.store(this.#words, 2, 1);
  }

  end(): void {
    Atomics.store(this.#words, 2, 0);
  }

  /** The number of the input at hand; null between two. */
  get running(): number | null {
    return Atomics.load(this.#words, 2) === 1 ? Atomics.load(this.#words, 0) : null;
  }

  read(): Uint8Array {
    return this.#bytes.slice(0, this.#words[1]);
  }
}
