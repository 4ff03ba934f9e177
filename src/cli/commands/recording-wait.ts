/** What a recording waits for when everything was asked: a key, a signal or a time. `trace record` calls it with --continue-after. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Continue } from '../../probe/probe.ts';

/** Resolves when a person, a program or the clock says that it is enough. Rejects with the signal's reason. */
export async function isEnough(
  after: Continue,
  stderr: { write(text: string): unknown },
  signal: AbortSignal,
): Promise<void> {
  switch (after.kind) {
    case 'probe':
    case 'exec':
      return;
    case 'seconds':
      await delay(after.seconds * 1000, undefined, { signal });
      return;
    case 'enter':
      stderr.write('ocislim: press Enter to end the program\n');
      return firstEvent(process.stdin, 'data', signal);
    case 'signal':
      stderr.write(`ocislim: kill -USR1 ${process.pid} ends the program\n`);
      return firstEvent(process, 'SIGUSR1', signal);
  }
}

/** Resolves at the first of an event, or when standard input ends. */
async function firstEvent(emitter: NodeJS.EventEmitter, name: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onEvent = () => resolve();
  const onAbort = () => reject(signal.reason as Error);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  emitter.on(name, onEvent);
  emitter.on('end', onEvent);
  try {
    await promise;
  } finally {
    emitter.off(name, onEvent);
    emitter.off('end', onEvent);
    signal.removeEventListener('abort', onAbort);
    if (emitter === process.stdin) process.stdin.pause();
  }
}
