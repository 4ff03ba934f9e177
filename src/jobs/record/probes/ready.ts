/** Waits until a program can be probed. `run-probes.ts` calls it before the first probe. */
import { setTimeout as delay } from 'node:timers/promises';
import { OcislimError } from '../../../errors.ts';
import { getOf, type Ready } from '../../../probe/probe.ts';
import { callHttp } from './http-call.ts';
import type { Target } from './prober.ts';

export interface Readiness extends Pick<Target, 'dial' | 'signal'> {
  /** The ports of which one has to take connections, where nothing else was said. None: nothing is waited for. */
  readonly ports: readonly number[];
  /** Resolves when a line of the program's output matches. */
  readonly logged: (pattern: RegExp, signal: AbortSignal) => Promise<void>;
  /** Milliseconds between two looks, and until the program has to be ready. */
  readonly times: { readonly interval: number; readonly patience: number };
}

/**
 * Resolves when the program is ready, or has ended.
 * @throws UNSUPPORTED where it does not become ready in time
 */
export async function waitUntilReady(ready: Ready | null, readiness: Readiness): Promise<void> {
  const { signal, ports, times } = readiness;
  const overdue = AbortSignal.timeout(times.patience);
  const either = AbortSignal.any([signal, overdue]);
  const isReady = await (async () => {
    switch (ready?.kind) {
      case undefined: {
        if (ports.length > 0)
          await until(() => isOpen(ports, readiness.dial, either), times.interval, either);
        return;
      }
      case 'port':
        return until(() => isOpen([ready.port], readiness.dial, either), times.interval, either);
      case 'path':
        return until(() => answers(ready.path, readiness, either), times.interval, either);
      case 'log':
        return readiness.logged(new RegExp(ready.pattern, 'u'), either);
      case 'seconds':
        return delay(ready.seconds * 1000, undefined, { signal });
    }
  })().then(
    () => true,
    () => false,
  );
  if (isReady || signal.aborted) return;
  throw new OcislimError('UNSUPPORTED', `the program was not ready after ${times.patience / 1000} s`, {
    advice:
      'Say what shows that it is: --ready PORT, --ready /PATH, --ready "a line of its log", or --ready 30s.',
  });
}

/** Looks again and again. Rejects when the signal fires. */
async function until(look: () => Promise<boolean>, interval: number, signal: AbortSignal): Promise<void> {
  while (!(await look())) await delay(interval, undefined, { signal });
}

/** Returns whether one of several ports takes connections. */
async function isOpen(ports: readonly number[], dial: Target['dial'], signal: AbortSignal): Promise<boolean> {
  const tried = ports.map((port) =>
    dial(port, signal).then(
      (socket) => {
        socket.destroy();
        return true;
      },
      () => false,
    ),
  );
  return (await Promise.all(tried)).includes(true);
}

/** Returns whether a path is answered with a status below 400. */
async function answers(path: string, { dial, ports }: Readiness, signal: AbortSignal): Promise<boolean> {
  const port = ports[0] ?? 80;
  try {
    const socket = await dial(port, signal);
    const { status } = await callHttp(getOf(path, 'option', port), { socket, port, signal });
    return status < 400;
  } catch {
    return false;
  }
}
