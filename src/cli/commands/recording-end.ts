/**
 * What ends the command of a recording before it ends by itself: a signal, `--for`, and the limit `time`. `trace record` makes one for
 * each recording.
 */
import { exceededTime, type Limits } from '../../limits.ts';
import type { RunEnd } from '../../trace/trace.ts';

/** The longest delay of a timer, in seconds. Node runs a longer one at once. */
const longestTimer = (2 ** 31 - 1) / 1000;

export interface RecordingEndOptions {
  /** Seconds of --for; null for as long as it takes. */
  readonly seconds: number | null;
  readonly limits: Pick<Limits, 'time'>;
  /** Whether the command gets Ctrl-C from the terminal. */
  readonly hasTerminal: boolean;
  /** What ends the command, unless a person sends another signal. Default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
}

export class RecordingEnd implements Disposable {
  readonly #options: RecordingEndOptions;
  readonly #stop = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];
  #isOver = false;
  #stopped: RunEnd['stopped'] = null;
  readonly #onSignal = (name: 'SIGINT' | 'SIGTERM'): void => {
    this.#stopped ??= 'signal';
    this.#stop.abort(name === 'SIGINT' && this.#options.hasTerminal ? null : name);
  };

  constructor(options: RecordingEndOptions) {
    this.#options = options;
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
    this.#after(options.seconds ?? Infinity, () => this.finish());
    this.#after(options.limits.time, () => {
      this.#isOver = true;
      this.#stop.abort(this.#stopSignal);
    });
  }

  get #stopSignal(): NodeJS.Signals {
    return this.#options.stopSignal ?? 'SIGTERM';
  }

  /** Ends the command, since it has run for long enough. */
  finish(): void {
    this.#stopped ??= 'for';
    this.#stop.abort(this.#stopSignal);
  }

  /** Fires when the command must end. The reason is the signal to send; null where the command has got one already. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Why the command was told to end; null if it was not. */
  get stopped(): RunEnd['stopped'] {
    return this.#stopped;
  }

  /** @throws LIMIT where the recording took longer than a run may take */
  check(): void {
    const { limits } = this.#options;
    if (this.#isOver) throw exceededTime(limits, 'the recording takes too long');
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }

  #after(seconds: number, work: () => void): void {
    if (seconds <= longestTimer) this.#timers.push(setTimeout(work, seconds * 1000));
  }
}
