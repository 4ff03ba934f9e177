/** What goes wrong with one request, or several. */
export interface Fault {
  /** Which requests: the method and a pattern for path and query. */
  readonly method: string;
  readonly path: RegExp;
  /** On the registry itself unless told. */
  readonly server?: ServerName;
  /** How many requests it leaves alone first. */
  readonly skip?: number;
  /** How many it then hits; 1 unless told. */
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
    }
  /** A refusal that repeats the credentials which came with the request, as they came and unpacked. */
  | { readonly kind: 'echo'; readonly status: number }
  /** The connection breaks before anything was done. */
  | { readonly kind: 'reset' }
  /** The request has its effect, but the answer is another, or the connection breaks. */
  | { readonly kind: 'after'; readonly status: number | 'reset' }
  /** Of the answer's body only so many bytes arrive; then the connection breaks, or the answer ends there as if whole. */
  | { readonly kind: 'cut'; readonly bytes: number; readonly ending: 'reset' | 'whole' | 'stall' }
  /** No answer at all, and the request's body is read or not, until the client gives up. Nothing is done. */
  | { readonly kind: 'silent'; readonly reads: boolean }
  /** The answer's body arrives in pieces, one by one: slow, but never still for long. */
  | { readonly kind: 'drip'; readonly pieces: number }
  /** Of a range that was asked for, an honest answer of so many bytes only. */
  | { readonly kind: 'short'; readonly bytes: number }
  /** Of the request's body only so many bytes are taken in (and kept, or not); then the connection breaks. */
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

/** The faults of a test, in the order given; the first that fits a request hits it. */
export class FaultScript {
  readonly #pending: Pending[] = [];
  /** The requests that were hit, by what. */
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

  /** Faults that never happened: a test that expects them proves nothing. */
  get unused(): readonly Fault[] {
    return this.#pending.filter(({ left }) => left > 0).map(({ fault }) => fault);
  }
}
