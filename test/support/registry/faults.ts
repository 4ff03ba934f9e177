/**
 * The faults that a test plans for requests to a fake registry, in the order in which they act. A fault that no
 * request met is reported, because the test that expects it proves nothing.
 */
/** A fault of one request, or of several. */
export interface Fault {
  /** The method, and a pattern for path and query. */
  readonly method: string;
  readonly path: RegExp;
  /** The server that it acts on. Default: the registry itself. */
  readonly server?: ServerName;
  /** The number of fitting requests that pass first. Default: 0. */
  readonly skip?: number;
  /** The number of requests that it then hits. Default: 1. */
  readonly times?: number;
  readonly effect: Effect;
}

export type ServerName = 'registry' | 'storage' | 'tokens';

export type Effect =
  /** An answer instead of the real one; the request has no effect. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body?: string | Uint8Array;
      /** What the answer waits for. */
      readonly after?: Promise<void>;
    }
  /** A refusal that repeats the credentials of the request, as they came and decoded. */
  | { readonly kind: 'echo'; readonly status: number }
  /** The connection breaks before the request has an effect. */
  | { readonly kind: 'reset' }
  /** The request has its effect, but the answer is another, or the connection breaks. */
  | { readonly kind: 'after'; readonly status: number | 'reset' }
  /**
   * Only so many bytes of the answer's body arrive; then the connection breaks, or the answer ends there as if
   * whole.
   */
  | { readonly kind: 'cut'; readonly bytes: number; readonly ending: 'reset' | 'whole' | 'stall' }
  /** No answer, whether or not the request's body is read, until the client gives up. The request has no effect. */
  | { readonly kind: 'silent'; readonly reads: boolean }
  /** The answer's body arrives in pieces, one by one: slow, but never still for long. */
  | { readonly kind: 'drip'; readonly pieces: number }
  /** An honest answer with only so many bytes of the requested range. */
  | { readonly kind: 'short'; readonly bytes: number }
  /** Only so many bytes of the request's body are received (and kept, or not); then the connection breaks. */
  | { readonly kind: 'swallow'; readonly bytes: number; readonly keep: boolean }
  /** The answer's bytes and headers are changed. */
  | {
      readonly kind: 'change';
      readonly body?: (bytes: Buffer) => Uint8Array;
      readonly headers?: Readonly<Record<string, string | null>>;
    };

interface Pending {
  readonly fault: Fault;
  skip: number;
  left: number;
}

/** The faults of a test, in the order given. The first that fits a request hits it. */
export class FaultScript {
  readonly #pending: Pending[] = [];
  /** The requests that were hit, each with its fault. */
  readonly hits: { readonly method: string; readonly path: string; readonly effect: Effect }[] = [];

  add(fault: Fault): void {
    this.#pending.push({ fault, skip: fault.skip ?? 0, left: fault.times ?? 1 });
  }

  next(server: ServerName, method: string, path: string): Effect | null {
    for (const pending of this.#pending) {
      const { fault } = pending;
      if (pending.left === 0 || (fault.server ?? 'registry') !== server) continue;
      if (fault.method !== method || !fault.path.test(path)) continue;
      if (pending.skip > 0) {
        pending.skip -= 1;
        continue;
      }
      pending.left -= 1;
      this.hits.push({ method, path, effect: fault.effect });
      return fault.effect;
    }
    return null;
  }

  /** Returns the faults that never happened. */
  get unused(): readonly Fault[] {
    return this.#pending.filter(({ left }) => left > 0).map(({ fault }) => fault);
  }
}
