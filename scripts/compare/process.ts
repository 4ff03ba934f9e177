import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/** What is left of a process or command that has ended. */
export interface Ended {
  /** Null where it was killed. */
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A command that takes longer is killed. */
export const maxSeconds = 300;

/**
 * Starts Node in a folder of a case, with its temporary files in `tmp` below. Nothing of the caller's credentials and settings
 * reaches the process.
 */
export function startNode(
  args: readonly string[],
  folder: string,
  stdin: number | 'ignore' = 'ignore',
): ChildProcess {
  return spawn(process.execPath, args, {
    cwd: folder,
    env: cleanEnvironment(join(folder, 'tmp')),
    stdio: [stdin, 'pipe', 'pipe'],
  });
}

/** Returns the environment of every process that runs a checkout. */
export function cleanEnvironment(temporary: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: '/nonexistent', TMPDIR: temporary };
}

/** Waits until a process has ended, and kills it when its time is over. */
export async function untilEnd(child: ChildProcess): Promise<Ended> {
  const timer = setTimeout(() => child.kill('SIGKILL'), maxSeconds * 1000);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  clearTimeout(timer);
  return { status, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}
