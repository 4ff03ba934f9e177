/**
 * Waits for the other end of a named pipe, ended by a signal. A thread that is blocked in the system would otherwise keep the process
 * from ending, even by a call of `exit`. What reads and writes files that a person named calls it.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

/** Milliseconds between attempts to end a wait. */
const interval = 20;

/**
 * Waits for work at one end of a pipe. When the signal fires the work ends soon, with any result: the other end is opened for a
 * moment, and a byte goes in, or bytes come out.
 */
export async function endingWaits<T>(
  work: Promise<T>,
  pipe: { readonly path: string; readonly end: 'reading' | 'writing' },
  signal: AbortSignal,
): Promise<T> {
  const nudge = pipe.end === 'reading' ? nudgeReader : nudgeWriter;
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    nudge(pipe.path);
    // The thread may not be blocked yet.
    timer = setInterval(() => nudge(pipe.path), interval);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work;
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

function nudgeReader(path: string): void {
  withEnd(path, constants.O_WRONLY, (other) => void writeSync(other, '\n'));
}

function nudgeWriter(path: string): void {
  withEnd(path, constants.O_RDONLY, (other) => void readSync(other, Buffer.alloc(64 * 1024)));
}

function withEnd(path: string, flags: number, work: (descriptor: number) => void): void {
  try {
    const other = openSync(path, flags | constants.O_NONBLOCK);
    try {
      work(other);
    } finally {
      closeSync(other);
    }
  } catch {
    // There is no process at the pipe, or there is nothing to wait for.
  }
}
