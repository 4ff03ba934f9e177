/**
 * Runs a shell command that the caller named, in a process group of its own, which ends with the command, with the run, and with
 * this process. Caller: --verify-with.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { OcislimError } from '../errors.ts';

/** A command, and what may end it. */
export interface ShellCommand {
  readonly command: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the whole group: SIGINT first, SIGTERM after a `grace`, SIGKILL after another. */
  readonly signal: AbortSignal;
  /** Milliseconds. Default: 2 seconds. */
  readonly grace?: number;
}

/** How a command ended: one of the two is null. */
export interface ShellEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

const usualGrace = 2000;

/**
 * Runs the command. It has no input, and its stdout goes to our stderr, since our stdout is for the result. Processes that it leaves
 * behind are killed. @throws IO where no shell can be started, the signal's reason
 */
export async function runShell({
  command,
  env,
  signal,
  grace = usualGrace,
}: ShellCommand): Promise<ShellEnd> {
  signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', command], {
    env: { ...env },
    stdio: ['ignore', 2, 2],
    detached: true,
  });
  using group = new ProcessGroup(child, grace);
  const stop = (): void => group.stop();
  signal.addEventListener('abort', stop);
  try {
    const end = await endOf(child);
    group.kill();
    signal.throwIfAborted();
    return end;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function endOf(child: ChildProcess): Promise<ShellEnd> {
  return new Promise((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new OcislimError('IO', `cannot run a shell: ${cause.message}`, { cause })),
    );
    child.on('exit', (status, signal) => resolve({ status, signal }));
  });
}

/** The group that a child leads. It does not outlive this process. */
class ProcessGroup implements Disposable {
  readonly #leader: number | undefined;
  readonly #grace: number;
  #next: NodeJS.Timeout | undefined;
  readonly #onExit = (): void => this.kill();

  constructor({ pid }: ChildProcess, grace: number) {
    this.#leader = pid;
    this.#grace = grace;
    process.once('exit', this.#onExit);
  }

  /** Asks all processes of the group to end, and kills those that do not. A shell lets its background commands ignore SIGINT. */
  stop(): void {
    this.#send('SIGINT');
    this.#next ??= setTimeout(() => {
      this.#send('SIGTERM');
      this.#next = setTimeout(() => this.kill(), this.#grace);
    }, this.#grace);
  }

  kill(): void {
    clearTimeout(this.#next);
    this.#send('SIGKILL');
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#next);
    process.off('exit', this.#onExit);
  }

  #send(signal: NodeJS.Signals): void {
    if (this.#leader === undefined) return;
    try {
      process.kill(-this.#leader, signal);
    } catch {
      // All of them have ended.
    }
  }
}
