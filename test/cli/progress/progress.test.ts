import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Progress, type ProgressMode } from '../../../src/cli/progress/progress.ts';
import { chooseProgressMode, startProgress } from '../../../src/cli/progress/progress-output.ts';
import type { ProgressEvent } from '../../../src/events.ts';
import { colorStyle, plainStyle } from '../../../src/report/style.ts';
import { widthOf } from '../../../src/report/table.ts';

const start = (
  id: string,
  total: number | null = 31_200_000,
  label = `layer ${id} of linux/amd64`,
): ProgressEvent => ({
  type: 'task-start',
  id,
  phase: 'rewrite',
  label,
  total,
});
const moved = (id: string, bytes: number): ProgressEvent => ({ type: 'task-progress', id, bytes });
const end = (id: string, outcome = '31.2 MB → 12.0 MB'): ProgressEvent => ({ type: 'task-end', id, outcome });
const warning: ProgressEvent = {
  type: 'warning',
  code: 'RULE_UNUSED',
  message: 'the rule "x" matched nothing',
};
const detail: ProgressEvent = { type: 'detail', message: 'GET /v2/' };

describe('plain progress', () => {
  it('has a line for start and end of a task, and one every ten seconds', () => {
    const progress = new Progress('plain', plainStyle, false);
    expect(progress.handle(start('3'), 0)).toEqual(['layer 3 of linux/amd64: rewriting, 31.2 MB']);
    for (let time = 1000; time <= 9000; time += 1000) {
      expect(progress.handle(moved('3', time * 1000), time)).toEqual([]);
      expect(progress.tick(time)).toEqual([]);
    }
    expect(progress.tick(10_000)).toEqual([
      'layer 3 of linux/amd64: 9.0 MB of 31.2 MB, 28%, 833.3 kB/s, 0:27 left',
    ]);
    expect(progress.tick(11_000)).toEqual([]);
    expect(progress.handle(end('3'), 12_000)).toEqual(['layer 3 of linux/amd64: 31.2 MB → 12.0 MB in 0:12']);
    expect(progress.tick(60_000)).toEqual([]);
    expect(progress.active).toBe(false);
  });
  it('says what it can where the size is not known', () => {
    const progress = new Progress('plain', plainStyle, false);
    expect(progress.handle(start('1', null), 0)).toEqual(['layer 1 of linux/amd64: rewriting']);
    progress.handle(moved('1', 5_000_000), 9_000);
    expect(progress.tick(10_000)).toEqual(['layer 1 of linux/amd64: 5.0 MB, 500.0 kB/s']);
    expect(progress.handle(end('1', 'mounted'), 10_100)).toEqual(['layer 1 of linux/amd64: mounted in 0:10']);
  });
  it('does not divide by nothing', () => {
    const progress = new Progress('plain', plainStyle, false);
    progress.handle(start('1', 0), 0);
    expect(progress.tick(10_000)).toEqual(['layer 1 of linux/amd64: 0 B of 0 B']);
    expect(progress.handle(end('1', 'copied'), 10_000)).toHaveLength(1);
  });
  it('shows warnings, and details when verbose', () => {
    expect(new Progress('plain', plainStyle, false).handle(warning, 0)).toEqual([
      'warning: the rule "x" matched nothing (RULE_UNUSED)',
    ]);
    expect(new Progress('plain', plainStyle, false).handle(detail, 0)).toEqual([]);
    expect(new Progress('plain', plainStyle, true).handle(detail, 0)).toEqual(['GET /v2/']);
  });
  it('escapes what comes from outside', () => {
    const progress = new Progress('plain', plainStyle, true);
    const evil = '\u001b[2J\n::error::x';
    const lines = [
      ...progress.handle(start('1', null, evil), 0),
      ...progress.handle({ type: 'warning', code: 'REGISTRY_WARNING', message: evil }, 0),
      ...progress.handle({ type: 'detail', message: `::${evil}` }, 0),
      ...progress.handle(end('1', evil), 0),
    ];
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      expect(line).not.toMatch(/\p{Cc}/u);
      expect(line).not.toMatch(/^\s*::/);
    }
  });
});

describe('no progress', () => {
  it('shows warnings only', () => {
    const progress = new Progress('none', plainStyle, false);
    expect(
      [start('1'), moved('1', 5), end('1'), detail].flatMap((event) => progress.handle(event, 0)),
    ).toEqual([]);
    expect(progress.handle(warning, 0)).toHaveLength(1);
  });
});

describe('JSON progress', () => {
  it('has an object a line, and a task speaks once a second', () => {
    const progress = new Progress('json', plainStyle, false);
    const lines = [
      ...progress.handle(start('1'), 0),
      ...progress.handle(moved('1', 10), 500),
      ...progress.handle(moved('1', 20), 1000),
      ...progress.handle(moved('1', 30), 1100),
      ...progress.handle(moved('none', 30), 9100),
      ...progress.handle(detail, 1200),
      ...progress.handle(warning, 1300),
      ...progress.handle(end('1', 'a\u202eb'), 1500),
    ];
    expect(lines.every((line) => !/[\p{Cc}\p{Cf}]/u.test(line))).toBe(true);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { time: '1970-01-01T00:00:00.000Z', ...start('1') },
      { time: '1970-01-01T00:00:01.000Z', ...moved('1', 20) },
      { time: '1970-01-01T00:00:01.300Z', ...warning },
      { time: '1970-01-01T00:00:01.500Z', ...end('1', 'a\u202eb') },
    ]);
  });
});

describe('frames', () => {
  const busy = (): Progress => {
    const progress = new Progress('tty', plainStyle, false);
    progress.handle(start('3'), 0);
    progress.handle(start('10', null), 0);
    for (let time = 250; time <= 4000; time += 250) {
      progress.handle(moved('3', time * 3000), time);
      progress.handle(moved('10', time * 100), time);
    }
    return progress;
  };
  it('have a line for each active task, aligned', () => {
    expect(busy().frame(4000, 120, 24)).toEqual([
      `layer 3 of linux/amd64   rewriting  12.0 MB of 31.2 MB  38%    3.0 MB/s  0:06 left  ${'━'.repeat(12)}${'─'.repeat(18)}`,
      'layer 10 of linux/amd64  rewriting            400.0 kB       100.0 kB/s',
    ]);
  });
  it('keep to the width, whatever it is', () => {
    const progress = busy();
    progress.handle(start('x', 5, '日本語'.repeat(30)), 0);
    for (const columns of [1, 2, 10, 40, 80, 81, 90, 100, 120, 300]) {
      for (const line of progress.frame(4000, columns, 24))
        expect(widthOf(line), line).toBeLessThanOrEqual(Math.max(1, columns - 1));
    }
  });
  it('leave figures out where there is no room, and cut none', () => {
    const lines = [80, 70, 60, 50].map((columns) => busy().frame(4000, columns, 24)[0]);
    expect(lines).toEqual([
      'layer 3 of linux/amd64   rewriting  12.0 MB of 31.2 MB  38%  0:06 left',
      'layer 3 of linux/amd64   12.0 MB of 31.2 MB  38%  0:06 left',
      'layer 3 of linux/amd64   12.0 MB of 31.2 MB  38%  0:06 left',
      'layer 3 of linux/amd64   12.0 MB of 31.2 MB  38%',
    ]);
  });
  it('keep to the height', () => {
    const progress = new Progress('tty', plainStyle, false);
    for (let i = 0; i < 50; i++) progress.handle(start(`${i}`), 0);
    const frame = progress.frame(0, 80, 10);
    expect(frame).toHaveLength(9);
    expect(frame.at(-1)).toBe('and 42 more');
    expect(progress.frame(0, 80, 1)).toEqual(['and 50 more']);
  });
  it('forget a rate that has passed', () => {
    const progress = new Progress('tty', plainStyle, false);
    progress.handle(start('1', 100_000_000), 0);
    for (let time = 250; time <= 10_000; time += 250)
      progress.handle(moved('1', Math.min(time, 2000) * 10_000), time);
    expect(progress.frame(2000, 200, 24)[0]).toContain('20%');
    expect(progress.frame(10_000, 200, 24)[0]).not.toContain('/s');
    expect(progress.frame(10_000, 200, 24)[0]).not.toContain('left');
  });
  it('stand still at the end of a task that outgrew its size', () => {
    const progress = new Progress('tty', plainStyle, false);
    progress.handle(start('1', 100), 0);
    progress.handle(moved('1', 150), 1000);
    expect(progress.frame(1000, 120, 24)[0]).toMatch(/150 B of 100 B {2}100% {2}150 B\/s {2}━{30}$/);
  });
  it('say what became of a task only when verbose', () => {
    for (const verbose of [false, true]) {
      const progress = new Progress('tty', plainStyle, verbose);
      expect(progress.handle(start('1'), 0)).toEqual([]);
      expect(progress.handle(end('1'), 500)).toEqual(
        verbose ? ['layer 1 of linux/amd64: 31.2 MB → 12.0 MB'] : [],
      );
      expect(progress.handle(end('1'), 600)).toEqual([]);
    }
  });
});

/** A terminal that understands what the output uses, and no more. */
class Screen {
  readonly isTTY = true;
  columns = 100;
  rows = 24;
  writes = 0;
  lines = [''];
  row = 0;
  column = 0;
  cursor = true;

  write(text: string): boolean {
    this.writes++;
    // oxlint-disable-next-line no-control-regex
    for (const [token, count, command] of text.matchAll(/\u001b\[\??(\d*)([A-Za-z])|[^]/gu)) {
      if (command === 'A') {
        this.row -= Number(count);
        this.column = 0;
      } else if (command === 'J') {
        this.lines.length = this.row + 1;
        this.lines[this.row] = this.at().slice(0, this.column);
      } else if (command === 'K') this.lines[this.row] = this.at().slice(0, this.column);
      else if (command === 'l' || command === 'h') this.cursor = command === 'h';
      else if (command === 'm') continue;
      else if (command !== undefined) throw new Error(`unknown sequence ${JSON.stringify(token)}`);
      else if (token === '\n') {
        this.row++;
        this.column = 0;
        this.lines[this.row] ??= '';
      } else {
        this.lines[this.row] =
          this.at().slice(0, this.column) + token + this.at().slice(this.column + token.length);
        this.column += token.length;
      }
    }
    if (this.row < 0) throw new Error('the cursor left the screen');
    return true;
  }

  at(): string {
    return this.lines[this.row] ?? '';
  }

  get shown(): string[] {
    return this.lines.map((line) => line.trimEnd()).filter((line) => line !== '');
  }
}

function setUp(mode: ProgressMode, verbose = false) {
  const screen = new Screen();
  const clock = { time: 0 };
  const timers = new Set<{ every: number; due: number; callback: () => void }>();
  const exits = new Set<() => void>();
  const output = startProgress({
    mode,
    stream: screen,
    style: mode === 'tty' ? colorStyle : plainStyle,
    verbose,
    now: () => clock.time,
    every: (every, callback) => {
      const timer = { every, due: every, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    onExit: (callback) => {
      exits.add(callback);
      return () => exits.delete(callback);
    },
  });
  const pass = (milliseconds: number): void => {
    for (const until = clock.time + milliseconds; clock.time < until; ) {
      clock.time += 50;
      for (const timer of timers) {
        if (clock.time < timer.due) continue;
        timer.due = clock.time + timer.every;
        timer.callback();
      }
    }
  };
  return { screen, output, pass, timers, exits };
}

describe('a terminal', () => {
  it('shows active tasks, keeps warnings above them, and is clean in the end', () => {
    const { screen, output, pass, timers, exits } = setUp('tty');
    output.listener(start('1'));
    output.listener(start('2'));
    pass(200);
    expect(screen.cursor).toBe(false);
    expect(screen.shown.map((line) => line.slice(0, 7))).toEqual(['layer 1', 'layer 2']);
    output.listener(warning);
    pass(200);
    expect(screen.shown.map((line) => line.slice(0, 7))).toEqual(['warning', 'layer 1', 'layer 2']);
    output.listener(end('1'));
    pass(200);
    expect(screen.shown.map((line) => line.slice(0, 7))).toEqual(['warning', 'layer 2']);
    output.listener(end('2'));
    pass(200);
    expect(screen.shown.map((line) => line.slice(0, 7))).toEqual(['warning']);
    output.listener(start('3'));
    pass(200);
    output.stop();
    output.stop();
    expect(screen.shown.map((line) => line.slice(0, 7))).toEqual(['warning']);
    expect(screen.cursor).toBe(true);
    expect(timers.size + exits.size).toBe(0);
    output.listener(warning);
    expect(screen.shown).toHaveLength(1);
  });
  it('is redrawn ten times a second at most, however many events come', () => {
    const { screen, output, pass } = setUp('tty');
    output.listener(start('1'));
    for (let i = 0; i < 40; i++) {
      for (let k = 0; k < 100; k++) output.listener(moved('1', i * 1000 + k));
      pass(50);
    }
    expect(screen.writes).toBeLessThanOrEqual(20);
    expect(screen.writes).toBeGreaterThanOrEqual(19);
  });
  it('gives the cursor back when the process ends without a stop', () => {
    const { screen, output, pass, exits } = setUp('tty');
    output.listener(start('1'));
    pass(200);
    for (const callback of exits) callback();
    expect(screen.cursor).toBe(true);
    expect(screen.shown).toEqual([]);
  });
  it('is left alone where there is nothing to show', () => {
    const { screen, output, pass } = setUp('tty');
    pass(1000);
    output.stop();
    expect(screen.writes).toBe(0);
  });
  it('follows a change of its width', () => {
    const { screen, output, pass } = setUp('tty');
    output.listener(start('1'));
    pass(200);
    screen.columns = 20;
    pass(200);
    expect(screen.shown.every((line) => line.length < 20)).toBe(true);
    output.stop();
  });
});

describe('a pipe', () => {
  it('gets whole lines and no escape sequences', () => {
    const { screen, output, pass } = setUp('plain');
    output.listener(start('1', 31_200_000));
    pass(5000);
    output.listener(moved('1', 10_000_000));
    pass(6000);
    output.listener(end('1', 'copied'));
    output.stop();
    expect(screen.lines.map((line) => stripVTControlCharacters(line))).toEqual(screen.lines);
    expect(screen.shown).toEqual([
      'layer 1 of linux/amd64: rewriting, 31.2 MB',
      'layer 1 of linux/amd64: 10.0 MB of 31.2 MB, 32%, 1.0 MB/s, 0:21 left',
      'layer 1 of linux/amd64: copied in 0:11',
    ]);
  });
  it('draws by a timer, and stops it', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const written: string[] = [];
    const output = startProgress({
      mode: 'tty',
      stream: { write: (text) => written.push(text) },
      style: plainStyle,
      verbose: false,
    });
    output.listener(start('1'));
    expect(written).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(written.length).toBeGreaterThan(0);
    const listeners = process.listenerCount('exit');
    output.stop();
    expect(process.listenerCount('exit')).toBe(listeners - 1);
    expect(written.at(-1)).toBe('\u001b[?25h');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('chooseProgressMode', () => {
  const pipe = { write: () => true };
  const terminal = { ...pipe, isTTY: true };
  it.each([
    ['auto', terminal, {}, 'tty'],
    ['auto', terminal, { TERM: 'dumb' }, 'plain'],
    ['auto', terminal, { CI: 'true' }, 'plain'],
    ['auto', terminal, { CI: 'false' }, 'tty'],
    ['auto', pipe, {}, 'plain'],
    ['tty', pipe, { CI: '1' }, 'tty'],
    ['json', terminal, {}, 'json'],
    ['none', terminal, {}, 'none'],
  ] as const)(
    '--progress %s picks the mode that suits the output and the environment',
    (wanted, stream, environment, mode) => {
      expect(chooseProgressMode(wanted, stream, environment)).toBe(mode);
    },
  );
});
