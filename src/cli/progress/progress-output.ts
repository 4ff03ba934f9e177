/**
 * Writes progress to stderr: a frame that is redrawn in a terminal, lines elsewhere. What the lines say is in `progress.ts`.
 */
import type { Listener } from '../../events.ts';
import type { Style } from '../../report/style.ts';
import { Progress, type ProgressMode } from './progress.ts';

/** The part of a terminal or pipe that is used: `process.stderr` has it. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** How to show progress. The clock and the timer are injected in tests. */
export interface ProgressOptions {
  readonly mode: ProgressMode;
  readonly stream: ProgressStream;
  readonly style: Style;
  /** Whether to show details, and in a terminal the outcome of each task. */
  readonly verbose: boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Calls back about every `milliseconds` until the returned function is called. */
  readonly every?: (milliseconds: number, callback: () => void) => () => void;
  /** Calls back when the process ends in any way, until the returned function is called. */
  readonly onExit?: (callback: () => void) => () => void;
}

/** Progress that is being shown. */
export interface ProgressOutput {
  readonly listener: Listener;
  /** Removes the frame, shows the cursor and stops. Call it before printing a result; a second call has no effect. */
  stop(): void;
}

/** Resolves `auto`: `tty` in a terminal that can move its cursor, outside of CI; else `plain`. */
export function chooseProgressMode(
  wanted: ProgressMode | 'auto',
  stream: ProgressStream,
  environment: Readonly<Record<string, string | undefined>>,
): ProgressMode {
  if (wanted !== 'auto') return wanted;
  const { TERM: term, CI: ci } = environment;
  const inCi = ci !== undefined && ci !== '' && ci !== '0' && ci !== 'false';
  return stream.isTTY === true && term !== 'dumb' && !inCi ? 'tty' : 'plain';
}

const frameEvery = 100;
const plainEvery = 1000;
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const clearBelow = '\u001b[J';
const clearRight = '\u001b[K';

/** Shows events on a stream until `stop`. A terminal is redrawn at most ten times a second. */
export function startProgress(options: ProgressOptions): ProgressOutput {
  const { mode, stream, style, verbose, now = Date.now, every = repeat, onExit = atExit } = options;
  const progress = new Progress(mode, style, verbose);
  let drawn = 0;
  let cursorHidden = false;

  /** Moves back to the first line of the frame, so that the next text overwrites it. */
  const rewind = (): string => (drawn === 0 ? '' : `\u001b[${drawn}A`);
  const print = (lines: readonly string[]): void => {
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    stream.write(drawn === 0 ? text : `${rewind()}${clearBelow}${text}`);
    drawn = 0;
  };
  const draw = (): void => {
    const frame = progress.frame(now(), stream.columns ?? 80, stream.rows ?? 24);
    if (frame.length === 0 && drawn === 0) return;
    const hide = cursorHidden ? '' : hideCursor;
    cursorHidden = true;
    stream.write(`${hide}${rewind()}${frame.map((line) => `${line}${clearRight}\n`).join('')}${clearBelow}`);
    drawn = frame.length;
  };
  const leave = (): void => {
    if (drawn > 0) stream.write(`${rewind()}${clearBelow}`);
    drawn = 0;
    if (cursorHidden) stream.write(showCursor);
    cursorHidden = false;
  };

  const stops: (() => void)[] = [];
  if (mode === 'tty') stops.push(every(frameEvery, draw), onExit(leave));
  if (mode === 'plain') stops.push(every(plainEvery, () => print(progress.tick(now()))));
  let stopped = false;
  return {
    listener: (event) => {
      if (!stopped) print(progress.handle(event, now()));
    },
    stop: () => {
      if (stopped) return;
      stopped = true;
      for (const stop of stops) stop();
      leave();
    },
  };
}

function repeat(milliseconds: number, callback: () => void): () => void {
  const timer = setInterval(callback, milliseconds);
  timer.unref();
  return () => clearInterval(timer);
}

function atExit(callback: () => void): () => void {
  process.once('exit', callback);
  return () => process.off('exit', callback);
}
