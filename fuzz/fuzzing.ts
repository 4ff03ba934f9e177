/**
 * The loop of the fuzzer: makes inputs from those that reached something new, runs a target on them, and reports
 * findings. It runs in a thread (worker.ts), or in tests without coverage.
 */
import { Coverage } from './coverage.ts';
import { type Finding, judge, signatureOf } from './judge.ts';
import { minimise } from './minimise.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import type { Target } from './target.ts';
import { MiB } from '../src/units.ts';

/** A finding with its input. */
export interface FoundInput extends Finding {
  readonly bytes: Uint8Array;
}

export interface Limits {
  /** Milliseconds. */
  readonly time: number;
  readonly executions: number;
}

/** Callbacks. Each returns before the next input runs. */
export interface Observer {
  /** Called before an input runs. */
  readonly before?: (bytes: Uint8Array) => void;
  readonly after?: () => void;
  /** Called with an input that reached something new. */
  readonly onKept?: (bytes: Uint8Array) => void;
  readonly onFinding?: (found: FoundInput) => void;
  readonly onBatch?: (fuzzing: Fuzzing) => void;
}

/** The inputs between two reports of coverage, and the milliseconds that they may take together. */
const batchSize = 64;
const batchTime = 40;
const mostInputs = 2000;
const mostBytes = 64 * MiB;

/** Runs one target on inputs that it makes from those that reached something new. */
export class Fuzzing {
  readonly #target: Target;
  readonly #random: Random;
  readonly #coverage: Coverage | null;
  readonly #observer: Observer;
  readonly #corpus: Uint8Array[] = [];
  #corpusBytes = 0;
  readonly #signatures = new Set<string>();
  executions = 0;
  findings = 0;

  constructor(target: Target, seed: number, coverage: Coverage | null, observer: Observer = {}) {
    this.#target = target;
    this.#random = new Random(seed);
    this.#coverage = coverage;
    this.#observer = observer;
  }

  get inputs(): number {
    return this.#corpus.length;
  }

  get blocks(): number {
    return this.#coverage?.blocks ?? 0;
  }

  /** @param further inputs that an earlier run kept */
  async run({ time, executions }: Limits, further: readonly Uint8Array[] = []): Promise<void> {
    const end = performance.now() + time;
    for (const bytes of [...this.#target.seeds(), ...further]) {
      this.#keep(bytes);
      await this.#execute(bytes);
      if (performance.now() >= end) break;
    }
    this.#coverage?.learn(this.#coverage.take());
    while (performance.now() < end && this.executions < executions) {
      const batch = await this.#runBatch(Math.min(batchSize, executions - this.executions));
      if (this.#coverage !== null) {
        const painted = this.#coverage.take();
        if (this.#coverage.isNew(painted)) await this.#search(batch, this.#coverage);
        // Blocks that ran only once, or by a timer, do not count for an input.
        this.#coverage.learn(painted);
      }
      this.#observer.onBatch?.(this);
    }
  }

  async #runBatch(atMost: number): Promise<readonly Uint8Array[]> {
    const end = performance.now() + batchTime;
    const batch: Uint8Array[] = [];
    while (batch.length < atMost && (this.#coverage === null || performance.now() < end)) {
      const bytes = mutate(this.#choose(), this.#random, this.#choose(), this.#target);
      batch.push(bytes);
      await this.#execute(bytes);
    }
    return batch;
  }

  /** Finds the inputs of a batch that reach something new: runs it again, and halves of it where it still does. */
  async #search(batch: readonly Uint8Array[], coverage: Coverage): Promise<void> {
    if (batch.length === 0) return;
    for (const bytes of batch) await this.#execute(bytes);
    const painted = coverage.take();
    if (!coverage.isNew(painted)) return;
    if (batch.length === 1) {
      const [bytes = new Uint8Array(0)] = batch;
      coverage.learn(painted);
      this.#keep(bytes);
      this.#observer.onKept?.(bytes);
      return;
    }
    const middle = batch.length >> 1;
    await this.#search(batch.slice(0, middle), coverage);
    await this.#search(batch.slice(middle), coverage);
  }

  async #execute(bytes: Uint8Array): Promise<void> {
    this.executions++;
    const found = await this.#judge(bytes);
    if (found === null) return;
    const signature = signatureOf(found);
    if (this.#signatures.has(signature)) return;
    this.#signatures.add(signature);
    this.findings++;
    const smaller =
      found.kind === 'slow'
        ? bytes
        : await minimise(bytes, async (candidate) => {
            const other = await this.#judge(candidate);
            return other !== null && signatureOf(other) === signature;
          });
    this.#observer.onFinding?.({ ...found, bytes: smaller });
  }

  async #judge(bytes: Uint8Array): Promise<Finding | null> {
    this.#observer.before?.(bytes);
    const found = await judge(this.#target, bytes);
    this.#observer.after?.();
    return found;
  }

  #keep(bytes: Uint8Array): void {
    this.#corpus.push(bytes);
    this.#corpusBytes += bytes.length;
    while (this.#corpus.length > mostInputs || this.#corpusBytes > mostBytes)
      this.#corpusBytes -= this.#corpus.splice(this.#random.below(this.#corpus.length), 1)[0]?.length ?? 0;
  }

  /**
   * Chooses an input, half of the time one of the latest. Of two it mostly takes the shorter one, which costs less
   * time.
   */
  #choose(): Uint8Array {
    const [one, other] = [this.#pick(), this.#pick()];
    return one.length <= other.length || this.#random.once(4) ? one : other;
  }

  #pick(): Uint8Array {
    const { length } = this.#corpus;
    const latest = Math.min(length, 16);
    const at = this.#random.once(2) ? length - 1 - this.#random.below(latest) : this.#random.below(length);
    return this.#corpus[at] ?? new Uint8Array(0);
  }
}
