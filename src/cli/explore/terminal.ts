/**
 * The terminal while `explore` has it: the alternate screen, raw keys, the mouse, lines that changed. `close` gives it back as it was, and
 * so does any end of the process that Node hears of.
 */
import { emitKeypressEvents, type Interface } from 'node:readline';
import type { Keypress } from './keymap.ts';
import type { Size } from './state.ts';

const esc = '\u001b[';
/** Alternate screen, hidden cursor, no wrapping at the right edge; mouse presses and wheel in the form SGR (xterm, ctlseqs). */
const enter = `${esc}?1049h${esc}?25l${esc}?7l${esc}?1000h${esc}?1006h${esc}2J`;
const leave = `${esc}?1006l${esc}?1000l${esc}?7h${esc}?25h${esc}0m${esc}?1049l`;

/** The mouse as the terminal tells it; columns and rows count from 0. */
export interface MouseEvent {
  readonly kind: 'press' | 'wheel';
  readonly column: number;
  readonly row: number;
  /** Rows to scroll; 0 for a press. */
  readonly by: number;
}

/** What a terminal tells. */
export interface TerminalListener {
  readonly onKey: (key: Keypress) => void;
  readonly onMouse: (event: MouseEvent) => void;
  readonly onResize: (size: Size) => void;
}

/** The streams of a terminal: `process.stdin` and `process.stdout` have them. */
export interface TerminalStreams {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** Holds the terminal until it is closed. */
export class Terminal implements Disposable {
  readonly #streams: TerminalStreams;
  readonly #listener: TerminalListener;
  #lines: readonly string[] = [];
  #isHeld = false;
  /** A report of the mouse of which the rest is still to come. */
  #mouse = '';
  readonly #onKeypress = (_: string | undefined, key: Keypress) => this.#take(key);
  readonly #onResize = () => {
    this.#lines = [];
    this.#streams.output.write(`${esc}2J`);
    this.#listener.onResize(this.size);
  };
  readonly #onExit = () => this.#release();
  readonly #onContinue = () => this.#hold();
  /** The status is that of a program that the signal ended. */
  readonly #onHangUp = () => process.exit(129);

  constructor(streams: TerminalStreams, listener: TerminalListener) {
    this.#streams = streams;
    this.#listener = listener;
    const { input, output } = streams;
    // Of an interface only the time is read after which a lone ESC is the Escape key: by default half a second.
    emitKeypressEvents(input, { escapeCodeTimeout: 20 } as unknown as Interface);
    input.on('keypress', this.#onKeypress);
    output.on('resize', this.#onResize);
    process.on('exit', this.#onExit);
    process.on('SIGCONT', this.#onContinue);
    process.on('SIGHUP', this.#onHangUp);
    this.#hold();
  }

  get size(): Size {
    const { columns, rows } = this.#streams.output;
    return { columns: columns || 80, rows: rows || 24 };
  }

  /** Writes the lines that differ from those on the screen. */
  draw(lines: readonly string[]): void {
    if (!this.#isHeld) return;
    let text = '';
    for (const [i, drawn] of lines.entries())
      if (drawn !== this.#lines[i]) text += `${esc}${i + 1};1H${drawn}`;
    this.#lines = lines;
    // All changes in one write, between marks for terminals that wait for the whole (synchronized output, mode 2026).
    if (text !== '') this.#streams.output.write(`${esc}?2026h${text}${esc}0m${esc}?2026l`);
  }

  /** Forgets what is on the screen: the next lines are all written. */
  forget(): void {
    this.#lines = [];
    this.#streams.output.write(`${esc}2J`);
  }

  /** Stops the process as Ctrl-Z does, with the terminal as it was. A shell's `fg` continues it. */
  suspend(): void {
    this.#release();
    // The whole group, as the terminal would: a program that started this one stops with it.
    process.kill(0, 'SIGTSTP');
  }

  #hold(): void {
    const { input, output } = this.#streams;
    input.setRawMode(true);
    input.resume();
    output.write(enter);
    this.#isHeld = true;
    this.#lines = [];
    this.#listener.onResize(this.size);
  }

  /** Gives the terminal back. A second call has no effect. */
  #release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    const { input, output } = this.#streams;
    output.write(leave);
    input.setRawMode(false);
  }

  /** Takes a key, or a part of a report of the mouse: Node passes on `ESC [ <` and the rest character by character. */
  #take(key: Keypress): void {
    const { sequence = '' } = key;
    if (this.#mouse === '' && sequence === `${esc}<`) {
      this.#mouse = sequence;
      return;
    }
    if (this.#mouse === '') {
      this.#listener.onKey(key);
      return;
    }
    this.#mouse += sequence;
    if (/^[\d;]$/.test(sequence) && this.#mouse.length < 32) return;
    const event = mouseEvent(this.#mouse);
    this.#mouse = '';
    if (event !== null) this.#listener.onMouse(event);
  }

  [Symbol.dispose](): void {
    this.#release();
    const { input, output } = this.#streams;
    input.off('keypress', this.#onKeypress);
    output.off('resize', this.#onResize);
    process.off('exit', this.#onExit);
    process.off('SIGCONT', this.#onContinue);
    process.off('SIGHUP', this.#onHangUp);
    input.pause();
  }
}

/** Reads a report of the mouse: `ESC [ < button ; column ; row M`, `m` for a release. Null for what has no meaning here. */
function mouseEvent(report: string): MouseEvent | null {
  // oxlint-disable-next-line no-control-regex
  const match = /^\u001b\[<(\d+);(\d+);(\d+)M$/.exec(report);
  if (match === null) return null;
  const [button, column, row] = match.slice(1).map(Number) as [number, number, number];
  const place = { column: column - 1, row: row - 1 };
  if (button === 64 || button === 65) return { kind: 'wheel', ...place, by: button === 64 ? -3 : 3 };
  return button === 0 ? { kind: 'press', ...place, by: 0 } : null;
}
