/**
 * The text of progress for people and for programs. It knows neither terminals nor timers: see `progress-output.ts`.
 */
import type { ProgressEvent, TaskPhase } from '../../events.ts';
import { escapeText } from '../../report/escape.ts';
import { formatDuration, formatSize } from '../../report/figures.ts';
import { renderJsonLine } from '../../report/json.ts';
import type { Style } from '../../report/style.ts';
import { layOut, truncate, widthOf } from '../../report/table.ts';

export type ProgressMode = 'tty' | 'plain' | 'json' | 'none';

/** A running task as it is shown. Bytes, and milliseconds of the clock of the caller. */
interface Task {
  readonly phase: TaskPhase;
  readonly label: string;
  readonly total: number | null;
  readonly started: number;
  bytes: number;
  /** The positions of the last seconds, oldest first, for the rate. */
  readonly trail: { readonly time: number; readonly bytes: number }[];
  /** The time of its last line in plain or JSON mode. */
  told: number;
}

const words: Readonly<Record<TaskPhase, string>> = {
  run: 'running',
  scan: 'reading',
  rewrite: 'rewriting',
  recompress: 'recompressing',
  copy: 'copying',
  publish: 'publishing',
};

const rateWindow = 5000;
const trailStep = 250;
const plainEvery = 10_000;
const jsonEvery = 1000;

/**
 * Keeps the running tasks and turns them into text. Pure: events and times (milliseconds of any clock) go in, escaped lines
 * come out. Lines stay on the screen, except those of a frame.
 */
export class Progress {
  readonly #mode: ProgressMode;
  readonly #style: Style;
  readonly #verbose: boolean;
  readonly #tasks = new Map<string, Task>();

  constructor(mode: ProgressMode, style: Style, verbose: boolean) {
    this.#mode = mode;
    this.#style = style;
    this.#verbose = verbose;
  }

  /** Whether a task is running. */
  get active(): boolean {
    return this.#tasks.size > 0;
  }

  /** Takes in an event and returns its lines. */
  handle(event: ProgressEvent, now: number): string[] {
    const lines = this.#mode === 'json' ? this.#tellMachine(event, now) : this.#tellPerson(event, now);
    this.#note(event, now);
    return lines;
  }

  /** Returns the lines that are due: in plain mode, one for each task every ten seconds. */
  tick(now: number): string[] {
    if (this.#mode !== 'plain') return [];
    const lines: string[] = [];
    for (const task of this.#tasks.values()) {
      if (now - task.told < plainEvery) continue;
      task.told = now;
      const known = figures(task, now).filter((part) => part !== '');
      // A task without bytes, such as the run of a program, has said that it began.
      if (known.length > 0) lines.push(`${task.label}: ${known.join(', ')}`);
    }
    return lines;
  }

  /** Returns a line for each running task, oldest first: at most `columns - 1` wide, at most `rows - 1` of them. */
  frame(now: number, columns: number, rows: number): string[] {
    const tasks = [...this.#tasks.values()];
    const room = Math.max(1, rows - 1);
    const shown = tasks.length <= room ? tasks : tasks.slice(0, room - 1);
    const table = shown.map((task) => [task.label, words[task.phase], ...figures(task, now)]);
    const width = Math.max(1, columns - 1);
    const lines = fitting(table, width);
    const widest = lines.reduce((most, line) => Math.max(most, widthOf(line)), 0);
    const space = Math.min(30, width - widest - 4);
    const withBar = lines.map((line, i) => {
      const { total, bytes } = shown[i] as Task;
      if (space < 8 || total === null) return truncate(line, width);
      return `${line}${' '.repeat(widest - widthOf(line) + 2)}${this.#bar(total === 0 ? 1 : bytes / total, space)}`;
    });
    return shown.length === tasks.length
      ? withBar
      : [...withBar, truncate(`and ${tasks.length - shown.length} more`, width)];
  }

  #bar(share: number, width: number): string {
    const full = Math.round(Math.min(1, share) * width);
    return `${this.#style.good('━'.repeat(full))}${this.#style.dim('─'.repeat(width - full))}`;
  }

  #note(event: ProgressEvent, now: number): void {
    switch (event.type) {
      case 'task-start':
        this.#tasks.set(event.id, {
          phase: event.phase,
          label: escapeText(event.label),
          total: event.total,
          started: now,
          bytes: 0,
          trail: [{ time: now, bytes: 0 }],
          told: now,
        });
        break;
      case 'task-progress': {
        const task = this.#tasks.get(event.id);
        if (task === undefined) break;
        task.bytes = event.bytes;
        const { trail } = task;
        if (now - (trail.at(-1)?.time ?? 0) >= trailStep) trail.push({ time: now, bytes: event.bytes });
        while (trail.length > 1 && now - (trail[1]?.time ?? now) >= rateWindow) trail.shift();
        break;
      }
      case 'task-end':
        this.#tasks.delete(event.id);
        break;
      case 'warning':
      case 'detail':
      case 'note':
        break;
    }
  }

  #tellPerson(event: ProgressEvent, now: number): string[] {
    const plain = this.#mode === 'plain';
    switch (event.type) {
      case 'warning':
        return [
          `${this.#style.warning('warning:')} ${escapeText(event.message)} ${this.#style.dim(`(${event.code})`)}`,
        ];
      case 'detail':
        return this.#verbose ? [this.#style.dim(escapeText(event.message))] : [];
      case 'note':
        return this.#mode === 'none' ? [] : [escapeText(event.message)];
      case 'task-start': {
        if (!plain) return [];
        const size = event.total === null ? '' : `, ${formatSize(event.total)}`;
        return [`${escapeText(event.label)}: ${words[event.phase]}${size}`];
      }
      case 'task-progress':
        return [];
      case 'task-end': {
        const task = this.#tasks.get(event.id);
        if (task === undefined || !(plain || (this.#verbose && this.#mode === 'tty'))) return [];
        const time = now - task.started >= 1000 ? ` in ${formatDuration((now - task.started) / 1000)}` : '';
        return [`${task.label}: ${escapeText(event.outcome)}${time}`];
      }
    }
  }

  #tellMachine(event: ProgressEvent, now: number): string[] {
    if (event.type === 'detail' && !this.#verbose) return [];
    if (event.type === 'task-progress') {
      const task = this.#tasks.get(event.id);
      if (task === undefined || now - task.told < jsonEvery) return [];
      task.told = now;
    }
    return [renderJsonLine({ time: new Date(now).toISOString(), ...event })];
  }
}

/** The cells of a task's line, and which of them go first where there is no room for all: the rate, then the phase, … */
const [cells, leastNeeded] = ['llrrrr', [[], [4], [4, 1], [4, 1, 5], [4, 1, 5, 2]]] as const;

/** Lays out the lines of tasks with as many of their figures as fit. */
function fitting(table: readonly (readonly string[])[], width: number): string[] {
  const layouts = leastNeeded.map((left: readonly number[]) => {
    const stays = (_: unknown, i: number) => !left.includes(i);
    return layOut(
      table.map((row) => row.filter(stays)),
      cells.split('').filter(stays).join(''),
    );
  });
  const fits = layouts.find((lines) => lines.every((line) => widthOf(line) <= width));
  return fits ?? layouts.at(-1) ?? [];
}

/** Formats `12.0 MB of 31.2 MB`, `38%`, `4.0 MB/s`, `0:05 left`; empty texts where a figure is unknown. */
function figures(task: Task, now: number): [amount: string, percent: string, rate: string, left: string] {
  const { bytes, total, trail } = task;
  const oldest = trail[0];
  const seconds = oldest === undefined ? 0 : (now - oldest.time) / 1000;
  const rate = oldest === undefined || seconds < 0.5 ? 0 : (bytes - oldest.bytes) / seconds;
  return [
    total === null ? (bytes === 0 ? '' : formatSize(bytes)) : `${formatSize(bytes)} of ${formatSize(total)}`,
    total === null || total === 0 ? '' : `${Math.floor(Math.min(1, bytes / total) * 100)}%`,
    rate > 0 ? `${formatSize(rate)}/s` : '',
    rate > 0 && total !== null && total > bytes ? `${formatDuration((total - bytes) / rate)} left` : '',
  ];
}
