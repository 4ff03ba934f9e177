/** Progress on stderr for the length of one command. */
import type { Listener } from '../events.ts';
import { chooseStyle } from '../report/style.ts';
import type { SettingsOf } from '../settings/option.ts';
import type { output } from '../settings/tables/reports.ts';
import type { Console } from './command.ts';
import { chooseProgressMode, startProgress } from './progress/progress-output.ts';

type ScreenSettings = Pick<SettingsOf<typeof output>, 'quiet' | 'verbose' | 'progress'>;

/** Shows events until it is stopped. */
export class Screen implements Disposable {
  readonly listener: Listener;
  readonly #start: () => ReturnType<typeof startProgress>;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.stop();
  #progress: ReturnType<typeof startProgress>;
  #isStopped = false;

  constructor({ quiet, verbose, progress }: ScreenSettings, { stderr, env, signal }: Console) {
    const style = chooseStyle(env, stderr.isTTY === true);
    const mode = chooseProgressMode(progress, stderr, env);
    this.#start = () => startProgress({ mode: quiet ? 'none' : mode, stream: stderr, style, verbose });
    this.#progress = this.#start();
    this.listener = (event) => this.#progress.listener(event);
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  /** Clears the progress while something else is printed. The next event shows it again. */
  pause(): void {
    this.#progress.stop();
    if (!this.#isStopped) this.#progress = this.#start();
  }

  /** Clears the progress for good: at the end, or when the command is interrupted. */
  stop(): void {
    this.#isStopped = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#progress.stop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
