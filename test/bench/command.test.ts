import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeCommand, renderScript, sequence, type Command } from '../../bench/measure/command.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocislim-account-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('renderScript', () => {
  // A substitute for time(1), which this machine may lack: it prints its arguments, and runs the program.
  const pretend = (command: Command): string => {
    const time = join(folder, 'time');
    writeFileSync(time, '#!/bin/sh\nshift 4\necho "1.5 0.25 1000" >"$1"\nshift\nexec "$@"\n', {
      mode: 0o755,
    });
    return renderScript(command, folder, time);
  };

  it('joins programs by pipes, and gives each its own file of figures', () => {
    const [input, output] = [join(folder, "in'put"), join(folder, 'out put')];
    writeFileSync(input, 'b\na\n');
    execFileSync('bash', [
      '-c',
      pretend({ pipelines: [{ stages: [['sort'], ['tr', 'a-z', 'A-Z']], input, output }] }),
    ]);
    expect(readFileSync(output, 'utf8')).toBe('A\nB\n');
    expect(['0.0', '0.1'].map((name) => readFileSync(join(folder, name), 'utf8').trim())).toEqual([
      '1.5 0.25 1000',
      '1.5 0.25 1000',
    ]);
  });

  it('stops at the first pipeline that fails, wherever in it', () => {
    const script = pretend({
      pipelines: [{ stages: [['false'], ['cat']] }, { stages: [['touch', `${folder}/later`]] }],
    });
    expect(() => execFileSync('bash', ['-c', script])).toThrow();
    expect(existsSync(join(folder, 'later'))).toBe(false);
  });

  it('is shown as a person would type it', () => {
    expect(describeCommand(sequence(['a', 'b c'], ['d']))).toBe("a 'b c'; d");
  });
});
