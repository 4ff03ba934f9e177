/**
 * Runs a command of the benchmark and accounts for time, processors and memory of all its programs. bash and GNU
 * time do the measuring.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderScript, type Command } from './command.ts';

/** The usage of one run. */
export interface Usage {
  /** Seconds by the wall clock. */
  readonly seconds: number;
  /** Seconds of processors, user and system, of all programs of the command and of their children. */
  readonly cpu: number;
  /** Bytes: the largest process of a program; for a pipeline, the sum over its programs. */
  readonly memory: number;
}

export interface Ended {
  readonly usage: Usage;
  /** The first line of its error where it failed; null where it did not. */
  readonly failure: string | null;
  /** The lines of standard error, the first 10,000 characters or so. */
  readonly said: readonly string[];
}

/** Runs a command. @throws Error where a program failed, with the first line of its error */
export async function runQuietly(command: Command, options: RunOptions): Promise<void> {
  const { failure } = await account(command, options);
  if (failure !== null) throw new Error(failure);
}

export interface RunOptions {
  /** An empty folder for temporary files. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** The limit in seconds. A command that takes longer is killed, and has failed. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/** Runs a command to its end, in a process group of its own, and accounts for all of it. @throws AbortError */
export async function account(command: Command, options: RunOptions): Promise<Ended> {
  const { folder, limit, signal } = options;
  signal.throwIfAborted();
  const figures = join(folder, 'figures');
  mkdirSync(figures, { recursive: true });
  const script = renderScript(command, figures);
  const start = performance.now();
  const child = spawn('bash', ['-c', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...options.env, ...command.env },
    detached: true,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < 10_000) said += text;
  });
  const kill = (): void => void signalGroup(child.pid, 'SIGKILL');
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, limit * 1000);
  signal.addEventListener('abort', kill);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      // A daemon left behind would keep the pipe open, so the exit counts.
      child.on('exit', resolve);
    });
    const seconds = (performance.now() - start) / 1000;
    signal.throwIfAborted();
    // Standard error may arrive after the exit.
    if (!child.stderr.readableEnded) await Promise.race([once(child, 'close'), sleep(200)]);
    const lines = said.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
    // Python names the error in its last line.
    const telling = lines[0]?.startsWith('Traceback') === true ? lines.at(-1) : lines[0];
    const failed = telling ?? `ended with status ${status}`;
    const failure = late ? `not done after ${limit} s` : status === 0 ? null : failed;
    return { usage: { seconds, ...sumUp(figures) }, failure, said: lines };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
    child.stderr.destroy();
    // Everything that it started is ended, background processes too.
    kill();
    for (let i = 0; i < 100 && signalGroup(child.pid, 0); i++) await sleep(20);
    rmSync(figures, { recursive: true, force: true });
  }
}

/** Sends a signal to bash, time, and what they run. Returns false where none of them is left. */
function signalGroup(pid: number | undefined, name: 'SIGKILL' | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, name);
  } catch {
    return false;
  }
}

/** Adds up CPU seconds, and the memory within a pipeline. Over pipelines the largest memory counts. */
function sumUp(folder: string): Omit<Usage, 'seconds'> {
  let cpu = 0;
  const memory = new Map<string, number>();
  for (const name of readdirSync(folder)) {
    const words = readFileSync(join(folder, name), 'utf8').trim().split(' ');
    const [user = 0, system = 0, rss = 0] = words.map(Number);
    cpu += user + system;
    const pipeline = name.split('.')[0] as string;
    memory.set(pipeline, (memory.get(pipeline) ?? 0) + rss * 1024);
  }
  return { cpu, memory: Math.max(0, ...memory.values()) };
}
