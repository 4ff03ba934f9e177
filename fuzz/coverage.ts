/**
 * Tells which blocks of the sources an input reached, by V8's precise coverage. The fuzzer keeps inputs that reach
 * something new.
 */
import { type Profiler, Session } from 'node:inspector';

/** A byte for each character of a source file, by URL: 1 where it ran. */
type Painted = ReadonlyMap<string, Uint8Array>;

/** Counts the blocks that have run. A report takes a millisecond or two, so one is made for many inputs at a time. */
export class Coverage {
  readonly #session = new Session();
  readonly #isCounted: (url: string) => boolean;
  readonly #lengths = new Map<string, number>();
  readonly #known = new Map<string, Uint8Array>();
  /** Offsets at which blocks begin and end, from all reports so far. */
  readonly #edges = new Map<string, Set<number>>();

  constructor(isCounted: (url: string) => boolean) {
    this.#isCounted = isCounted;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Returns what ran since the last call. */
  take(): Painted {
    const painted = new Map<string, Uint8Array>();
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType;
    for (const { url, functions } of result) {
      if (!this.#isCounted(url)) continue;
      const ranges = functions.flatMap((each) => each.ranges);
      const map = new Uint8Array(this.#lengthOf(url, ranges));
      let edges = this.#edges.get(url);
      if (edges === undefined) this.#edges.set(url, (edges = new Set()));
      // Outer blocks come before inner ones. Functions that were not called are reported where the one around them
      // was.
      for (const { startOffset, endOffset, count } of ranges) {
        map.fill(count > 0 ? 1 : 0, startOffset, endOffset);
        edges.add(startOffset).add(endOffset);
      }
      painted.set(url, map);
    }
    return painted;
  }

  /** Returns whether something in the report never ran before. */
  isNew(painted: Painted): boolean {
    for (const [url, map] of painted) {
      const known = this.#known.get(url);
      if (known === undefined) return true;
      for (let i = 0; i < map.length; i++) if ((map[i] as number) > (known[i] ?? 0)) return true;
    }
    return false;
  }

  /** Remembers the report, so that nothing in it is new any more. */
  learn(painted: Painted): void {
    for (const [url, map] of painted) {
      const known = this.#known.get(url);
      if (known === undefined) this.#known.set(url, map);
      else for (let i = 0; i < map.length; i++) known[i] = (known[i] as number) | (map[i] as number);
    }
  }

  /** Returns how many blocks have run so far. */
  get blocks(): number {
    let blocks = 0;
    for (const [url, edges] of this.#edges) {
      const known = this.#known.get(url);
      for (const edge of edges) if (known?.[edge] === 1) blocks++;
    }
    return blocks;
  }

  close(): void {
    this.#session.disconnect();
  }

  /** The function around a whole file is only in its first report. */
  #lengthOf(url: string, ranges: readonly Profiler.CoverageRange[]): number {
    let length = this.#lengths.get(url);
    if (length === undefined) {
      length = Math.max(...ranges.map(({ endOffset }) => endOffset));
      this.#lengths.set(url, length);
    }
    return length;
  }

  /** A session with its own thread answers before `post` returns. */
  #post(method: string, parameters: object = {}): unknown {
    let answer: unknown;
    this.#session.post(method, parameters, (error, result) => {
      if (error !== null) throw new Error(`${method} failed`, { cause: error });
      answer = result;
    });
    return answer;
  }
}
