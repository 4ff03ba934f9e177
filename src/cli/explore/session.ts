/**
 * Runs `explore` on a terminal: gives keys to the model, draws what it makes, and does what it asks for. The command calls it once the
 * image has been scanned.
 */
import { displayPath } from '../../report/escape.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import type { Path } from '../../bytes/path.ts';
import type { Steps } from '../../steps.ts';
import { chooseTheme, type Theme } from './draw/theme.ts';
import { frameOf } from './draw/frame.ts';
import { filterSteps } from './filter.ts';
import { type Keypress, keyName } from './keymap.ts';
import { presetSteps } from './marks.ts';
import type { Effect, Pending, State } from './state.ts';
import { Terminal, type TerminalStreams } from './terminal.ts';
import { type Event, update } from './update.ts';
import { viewFile } from './viewed.ts';
import { extractFile, writeRules } from './write-files.ts';

const escape = '\u001b';
/** Milliseconds of work between two looks at the keys. */
const slice = 10;

/** Opens the contents of one entry of a layer, and passes them to `use`. With `verify` the layer is checked when they end. */
export type OpenEntry = <T>(
  place: { readonly layer: number; readonly entry: number; readonly verify: boolean },
  use: (contents: ByteStream) => Promise<T>,
) => Promise<T>;

export interface SessionOptions {
  readonly streams: TerminalStreams;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly openEntry: OpenEntry;
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
  readonly #openEntry: OpenEntry;
  readonly #end: { resolve(state: State): void; reject(reason: unknown): void };
  readonly #onAbort = () => {
    // What is told about the signal comes after this, and must not land on the alternate screen.
    this[Symbol.dispose]();
    this.#end.reject(this.#signal.reason);
  };
  #work: { readonly pending: Pending; readonly steps: Steps<Event> } | null = null;
  #isDrawing = false;
  #isOver = false;

  constructor(state: State, { streams, env, signal, openEntry }: SessionOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<State>();
    this.ended = promise;
    this.#end = { resolve, reject };
    this.#state = state;
    this.#theme = chooseTheme(env);
    this.#signal = signal;
    this.#openEntry = openEntry;
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
        void this.#answer(writeRules(this.#state, effect, this.#signal));
        return;
      case 'view':
        void this.#answer(this.#view(effect.change));
        return;
      case 'extract': {
        const place = this.#placeOf(effect.change);
        void this.#answer(
          this.#openEntry({ ...place, verify: true }, (bytes) => extractFile(bytes, effect, this.#signal)),
        );
        return;
      }
    }
  }

  #placeOf(id: number): { readonly layer: number; readonly entry: number } {
    const change = this.#state.contents.changes.all[id];
    return { layer: change?.layer ?? 0, entry: change?.entry ?? 0 };
  }

  /** Reads a file no further than it is shown: the layer is not checked. */
  async #view(id: number): Promise<Event> {
    const { contents } = this.#state;
    const { layer, entry } = this.#placeOf(id);
    const index = contents.indexes.get(layer);
    const name = `/${displayPath(contents.table.paths[contents.changes.path[id] as number] as Path)}`;
    const size = index?.lengths.get(entry) ?? index?.sizes[entry] ?? 0;
    const viewed = await this.#openEntry({ layer, entry, verify: false }, (bytes) =>
      viewFile(bytes, { name, size }),
    );
    return { kind: 'viewed', viewed };
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
