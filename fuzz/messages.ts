import type { FoundInput, Limits } from './fuzzing.ts';
import { MiB } from '../src/units.ts';

/** What a fuzzing thread is started with. */
export interface Job {
  /** The module of the target, as a URL. */
  readonly module: string;
  readonly seed: number;
  readonly limits: Limits;
  /** Inputs that a thread before this one kept. */
  readonly corpus: readonly Uint8Array[];
  /** Where the thread notes the input at hand, for when it does not come back. */
  readonly slate: SharedArrayBuffer;
  /** Sources whose coverage counts: the beginning of their URLs. */
  readonly counted: string;
  /** Run this, and nothing else. */
  readonly only: Uint8Array | null;
}

/** What it tells. */
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
