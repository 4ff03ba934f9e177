/**
 * Runs Debian's docker-registry on a free port of loopback for the benchmark. It can be emptied between runs, so
 * that every upload is real.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/e2e/free-port.ts';

/** A running registry. */
export interface LoopbackRegistry {
  readonly host: string;
  /** Removes everything, so that later uploads are real. */
  readonly clear: () => void;
  readonly stop: () => Promise<void>;
}

/** Starts a registry. @throws Error where it is not installed, or does not answer within 10 s */
export async function startRegistry(
  folder: string,
  path: string,
  signal: AbortSignal,
): Promise<LoopbackRegistry> {
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder, 'config.json');
  writeFileSync(
    config,
    // JSON is YAML.
    JSON.stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: data } },
      http: { addr: host },
    }),
  );
  const child = spawn('docker-registry', ['serve', config], {
    stdio: 'ignore',
    env: { PATH: path, OTEL_TRACES_EXPORTER: 'none' },
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  let over: string | undefined;
  const ended = new Promise<void>((resolve) => {
    const end = (why: string): void => {
      over ??= why;
      process.off('exit', kill);
      resolve();
    };
    child.once('error', ({ message }) => end(message));
    child.once('exit', (status) => end(`it ended with status ${status}`));
  });
  const registry: LoopbackRegistry = {
    host,
    clear: () => rmSync(join(data, 'docker'), { recursive: true, force: true }),
    stop: async () => {
      kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await fetch(`http://${host}/v2/`, { signal }).catch(() => undefined);
    if (answer?.ok === true) return registry;
    if (over !== undefined) throw new Error(`docker-registry does not start: ${over}`);
    await sleep(50, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
  }
  await registry.stop();
  signal.throwIfAborted();
  throw new Error('docker-registry does not answer');
}
