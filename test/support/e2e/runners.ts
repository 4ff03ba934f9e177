/**
 * The users as whom tests run programs of this machine, and command lines that run ocislim as one of them, with a folder of its own for temporary
 * files. Tests of sandboxes and recordings use them, since what these can do depends on the user, and ask what a run has left.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bin } from './cli.ts';

/** Root, an ordinary user, or one that has further users by /etc/subuid. */
export type Runner = 'root' | 'alone' | 'mapped';

const user = '65534';
const ordinary = ['setpriv', '--reuid', user, '--regid', user, '--clear-groups', '--'];

/** Returns the words that run a command as a user. `work`: a folder for files of the test. */
export function wordsOf(runner: Runner, work: string): readonly string[] {
  if (runner === 'root') return [];
  if (runner === 'alone') return ordinary;
  const entries = join(work, 'subuid');
  writeFileSync(entries, 'nobody:1000000:65536\n', { mode: 0o644 });
  // The machine's own files stay as they are.
  const mounts = ['uid', 'gid'].map((kind) => `mount --bind ${entries} /etc/sub${kind}`).join(' && ');
  return ['unshare', '--mount', 'sh', '-c', `${mounts} && exec "$@"`, 'sh', ...ordinary];
}

/** The command line of ocislim for one runner, and the environment that it needs. */
export interface RunnerCall {
  /** The folder for temporary files. What the runner may write goes here, too. */
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly line: (args: readonly string[]) => readonly [string, ...string[]];
}

/** Makes a folder for a runner below `work`, which everyone can enter. */
export function asRunner(work: string, name: string, runner: Runner): RunnerCall {
  const home = join(work, `${name}-${runner}`);
  mkdirSync(home);
  chmodSync(home, 0o777);
  const temporary = join(home, 'tmp');
  mkdirSync(temporary);
  chmodSync(temporary, 0o777);
  const [first, ...rest] = [...wordsOf(runner, work), process.execPath];
  return {
    home,
    env: { HOME: home, TMPDIR: temporary },
    line: (args) => [first, ...rest, bin, ...args],
  };
}

/** What a run has left: names in its folder for temporary files, mounts of this machine, processes that name its folder or see it mounted. */
export interface Left {
  readonly files: readonly string[];
  readonly mounts: readonly string[];
  readonly processes: readonly string[];
}

export const nothingLeft: Left = { files: [], mounts: [], processes: [] };

export function leftOf({ home }: RunnerCall): Left {
  const name = basename(home);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return {
    files: readdirSync(join(home, 'tmp')),
    mounts: mounts.filter((line) => line.includes(name)),
    processes: readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .filter((pid) =>
        ['cmdline', 'mountinfo'].some((file) => textOf(`/proc/${pid}/${file}`).includes(name)),
      ),
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process has ended.
    return '';
  }
}
