import { type Profiler, Session } from 'node:inspector';

/** The characters of each source file that ran in some time, by URL: 1 for each that did. */
type Painted = ReadonlyMap<string, Uint8Array>;

/**
 * Which blocks of the sources have run, as V8 counts them. Taking stock takes a millisecond or two, so that it is done for
 * many inputs at a time.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #isCounted: (url: string) => boolean;
  readonly #lengths = new Map<string, number>();
  readonly #known = new Map<string, Uint8Array>();
  /** Where blocks begin and end, as far as any report said. */
  readonly #edges = new Map<string, Set<number>>();

  constructor(isCounted: (url: string) => boolean) {
    this.#isCounted = isCounted;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** What ran since this was last called. */
  take(): Painted {
    const painted = new Map<string, Uint8Array>();
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType;
    for (const { url, functions } of result) {
      if (!this.#isCounted(url)) continue;
      const ranges = functions.flatMap((each) => each.ranges);
      const map = new Uint8Array(this.#lengthOf(url, ranges));
      let edges = this.#edges.get(url);
      if (edges === undefined) this.#edges.set(url, (edges = new Set()));
      // Outer blocks come before inner ones, and functions that were not called are there where the one around them was.
      for (const { startOffset, endOffset, count } of ranges) {
        map.fill(count > 0 ? 1 : 0, startOffset, endOffset);
        edges.add(startOffset).add(endOffset);
      }
      painted.set(url, map);
    }
    return painted;
  }

  /** Is there anything in it that never ran before? */
  isNew(painted: Painted): boolean {
    for (const [url, map] of painted) {
      const known = this.#known.get(url);
      if (known === undefined) return true;
      for (let i = 0; i < map.length; i++) if ((map[i] as number) > (known[i] ?? 0)) return true;
    }
    return false;
  }

  /** From now on this is not new any more. */
  learn(painted: Painted): void {
    for (const [url, map] of painted) {
      const known = this.#known.get(url);
      if (known === undefined) this.#known.set(url, map);
      else for (let i = 0; i < map.length; i++) known[i] = (known[i] as number) | (map[i] as number);
    }
  }

  /** How many blocks have run so far. */
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

  /** The function around all of a file is in the first report of it only. */
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
