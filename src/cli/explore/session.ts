/**
 * Runs `explore` on a terminal: gives keys to the model, draws what it makes, and does what it asks for. The command calls it once the
 * image has been scanned.
 */
import { writeFile } from 'node:fs/promises';
import { OcislimError } from '../../errors.ts';
import type { Steps } from '../../steps.ts';
import { chooseTheme, type Theme } from './draw/theme.ts';
import { frameOf } from './draw/frame.ts';
import { filterSteps } from './filter.ts';
import { type Keypress, keyName } from './keymap.ts';
import { presetSteps } from './marks.ts';
import { pruneCommand, rulesText } from './rules-file.ts';
import type { Effect, Pending, State } from './state.ts';
import { Terminal, type TerminalStreams } from './terminal.ts';
import { type Event, update } from './update.ts';

const escape = '\u001b';
/** Milliseconds of work between two looks at the keys. */
const slice = 10;

export interface SessionOptions {
  readonly streams: TerminalStreams;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Shows a state on the terminal until the user quits, and returns the last one. @throws the reason of the signal */
export async function runSession(state: State, options: SessionOptions): Promise<State> {
  using session = new Session(state, options);
  return await session.ended;
}

class Session implements Disposable {
  readonly ended: Promise<State>;
  #state: State;
  readonly #theme: Theme;
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;
  readonly #end: { resolve(state: State): void; reject(reason: unknown): void };
  readonly #onAbort = () => {
    // What is told about the signal comes after this, and must not land on the alternate screen.
    this[Symbol.dispose]();
    this.#end.reject(this.#signal.reason);
  };
  #work: { readonly pending: Pending; readonly steps: Steps<Event> } | null = null;
  #isDrawing = false;
  #isOver = false;

  constructor(state: State, { streams, env, signal }: SessionOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<State>();
    this.ended = promise;
    this.#end = { resolve, reject };
    this.#state = state;
    this.#theme = chooseTheme(env);
    this.#signal = signal;
    signal.throwIfAborted();
    signal.addEventListener('abort', this.#onAbort);
    this.#terminal = new Terminal(streams, {
      onKey: (key) => this.#onKey(key),
      onMouse: (event) => this.#take(event),
      onResize: (size) => this.#take({ kind: 'resize', size }),
    });
    this.#take({ kind: 'resize', size: this.#terminal.size });
  }

  #onKey(key: Keypress): void {
    const { meta = false, sequence = '' } = key;
    // Escape and a key that follows at once arrive as one.
    if (meta && sequence.startsWith(escape) && Array.from(sequence).length === 2) {
      this.#take({ kind: 'key', key: 'escape' });
      this.#onKey({ ...key, meta: false, sequence: sequence.slice(1) });
      return;
    }
    const name = keyName(key);
    if (name === 'C-z') this.#terminal.suspend();
    else this.#take({ kind: 'key', key: name });
  }

  /** Passes an event to the model, and follows up on what it asks for. */
  #take(event: Event): void {
    if (this.#isOver) return;
    try {
      this.#state = update(this.#state, event);
    } catch (error) {
      this.#end.reject(error);
      return;
    }
    const { effect, pending } = this.#state;
    if (effect !== null) this.#act(effect);
    if (pending !== null && this.#work?.pending !== pending) this.#begin(pending);
    this.#drawSoon();
  }

  /** Draws once for all events that wait, so that a key that is held down does not lag behind. */
  #drawSoon(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    setImmediate(() => {
      this.#isDrawing = false;
      if (!this.#isOver) this.#terminal.draw(frameOf(this.#state, this.#theme));
    });
  }

  #begin(pending: Pending): void {
    const isRunning = this.#work !== null;
    this.#work = { pending, steps: workOf(this.#state, pending) };
    if (!isRunning) setImmediate(() => this.#continue());
  }

  /** Works for a moment, and then lets keys come first. */
  #continue(): void {
    const work = this.#work;
    if (work === null || this.#isOver) return;
    if (this.#state.pending !== work.pending) {
      this.#work = null;
      return;
    }
    const until = performance.now() + slice;
    do {
      const { done, value } = work.steps.next();
      if (done !== true) continue;
      this.#work = null;
      this.#take(value);
      return;
    } while (performance.now() < until);
    setImmediate(() => this.#continue());
  }

  /** Does what the model asks for. Its answer is an event. */
  #act(effect: Effect): void {
    switch (effect.kind) {
      case 'quit':
        this.#end.resolve(this.#state);
        return;
      case 'redraw':
        this.#terminal.forget();
        return;
      case 'write-rules':
        void this.#answer(writeRules(this.#state, effect));
        return;
    }
  }

  async #answer(result: Promise<Event>): Promise<void> {
    try {
      this.#take(await result);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#take({ kind: 'told', message });
    }
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#terminal[Symbol.dispose]();
  }
}

/** Yields while it does the work that is pending. Returns its result as an event. */
export function* workOf({ contents }: State, pending: Pending): Steps<Event> {
  if (pending.kind === 'preset')
    return { kind: 'preset', name: pending.name, taking: yield* presetSteps(contents, pending.name) };
  return { kind: 'filtered', filter: yield* filterSteps(contents, pending.words) };
}

/** Writes the marks as rules, unless the file is there already. @throws IO */
async function writeRules(
  { contents, source, marks }: State,
  effect: Extract<Effect, { readonly kind: 'write-rules' }>,
): Promise<Event> {
  const { file, isForced } = effect;
  const command = pruneCommand(source, marks, file);
  const lines = [
    'Prune the image with:',
    '',
    `  ${command}`,
    '',
    'The command is printed again when you quit.',
  ];
  if (marks.paths.size === 0) return { kind: 'wrote', file: 'no file: presets have names', lines };
  try {
    await writeFile(file, rulesText(contents, marks), { flag: isForced ? 'w' : 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      return { kind: 'exists', file, effect: { ...effect, isForced: true } };
    throw new OcislimError('IO', `cannot write ${file}: ${(error as Error).message}`, { cause: error });
  }
  return { kind: 'wrote', file, lines };
}
