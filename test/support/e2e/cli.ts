/**
 * Runs `ocislim` as it is shipped, from bin/ and dist/, in processes of its own. Credentials of the developer do
 * not reach it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runToEnd, type Ended } from './programs.ts';

export const bin = fileURLToPath(new URL('../../../bin/ocislim', import.meta.url));

export type Environment = Readonly<Record<string, string | undefined>>;

/** An environment without credentials. */
const clean: Environment = {
  HOME: '/nonexistent',
  DOCKER_CONFIG: undefined,
  REGISTRY_AUTH_FILE: undefined,
  DOCKER_AUTH_CONFIG: undefined,
  XDG_RUNTIME_DIR: undefined,
  XDG_CONFIG_HOME: undefined,
  FORCE_COLOR: undefined,
};

/** Runs `ocislim` to its end, whatever its exit status is. */
export function ocislim(args: readonly string[], env: Environment = {}): Promise<Ended> {
  return runToEnd(process.execPath, [bin, ...args], { env: { ...clean, ...env } });
}

/** Starts `ocislim` in the background, its output discarded. */
export function startOcislim(args: readonly string[], env: Environment = {}): ChildProcess {
  return spawn(process.execPath, [bin, ...args], {
    stdio: 'ignore',
    env: { ...process.env, ...clean, ...env },
  });
}

/**
 * Runs a rewrite, and returns the digest in the one line that it prints. @throws Error when it fails or prints
 * something else
 */
export async function rewrite(args: readonly string[], env: Environment = {}): Promise<string> {
  const { status, signal, stdout, stderr } = await ocislim([...args, '--progress', 'none'], env);
  if (status !== 0)
    throw new Error(`ocislim ${args.join(' ')}: ended with ${status ?? signal}\n${stderr.slice(-4000)}`);
  const digest = /^\S+@(sha256:[0-9a-f]{64})\n$/.exec(stdout)?.[1];
  if (digest === undefined) throw new Error(`ocislim ${args.join(' ')} printed ${JSON.stringify(stdout)}`);
  return digest;
}

interface JudgedReport {
  readonly platforms: readonly {
    /** Null for a job that only compresses. */
    readonly slimming: {
      readonly removed: readonly {
        readonly path: string;
        readonly pathBase64?: string;
        readonly type: string;
        readonly rule: string;
        readonly layer: number;
      }[];
    } | null;
  }[];
}

/**
 * Reads from a report which paths a container no longer sees (each byte one character): those that were hidden
 * before are not among them.
 */
export async function removedPaths(report: string): Promise<ReadonlySet<string>> {
  const { platforms } = JSON.parse(await readFile(report, 'utf8')) as JudgedReport;
  const removed = new Set<string>();
  for (const { slimming } of platforms) {
    for (const { path, pathBase64, type, rule } of slimming?.removed ?? []) {
      if (rule === 'shadowed' || type === 'whiteout' || type === 'opaque') continue;
      const bytes = pathBase64 === undefined ? Buffer.from(path) : Buffer.from(pathBase64, 'base64');
      removed.add(bytes.toString('latin1').replace(/^\/|\/$/g, ''));
    }
  }
  return removed;
}
