/**
 * Runs the command line for tests, in a process of its own or in this one. Credentials and settings of the
 * developer do not reach it.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { main } from '../../src/cli/main.ts';

/** The command line for Node: over the sources, or, four times as fast, what `npm run build` made of them if the run says that it is fresh. */
export const cliScript = fileURLToPath(
  new URL(process.env['OCISLIM_TEST_BUILT'] ? '../../bin/ocislim' : './run-cli.ts', import.meta.url),
);

export type CliResult = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

export type CliOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** The umask of the child process: `077`. Default: `022`. */
  readonly umask?: string;
  readonly cwd?: string;
  /** Whether modes of files count for the process even where tests run as root. */
  readonly heedsModes?: boolean;
  /** A signal to send as soon as stderr holds the text. */
  readonly interrupt?: { readonly when: string; readonly signal: 'SIGINT' | 'SIGTERM' };
};

/** The gzip engine that this test run is about goes on to the processes that it starts. */
const engine: Readonly<Record<string, string>> =
  process.env['OCISLIM_NATIVE'] === undefined ? {} : { OCISLIM_NATIVE: process.env['OCISLIM_NATIVE'] };

/** Runs the command line in a process of its own. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    TMPDIR: process.env['TMPDIR'] ?? '/tmp',
    ...engine,
    ...options.env,
  };
  const isFree = options.heedsModes === true && process.getuid?.() === 0;
  const bound = isFree ? 'setpriv --bounding-set=-dac_override,-dac_read_search ' : '';
  const command = `umask ${options.umask ?? '022'}; exec ${bound}"$0" "$@"`;
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command, process.execPath, cliScript, ...args], {
      env,
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let sent = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      const { interrupt } = options;
      if (interrupt === undefined || sent || !stderr.includes(interrupt.when)) return;
      sent = true;
      child.kill(interrupt.signal);
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** What a command in a pipe gave. */
export type PipedResult = {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
};

/** Runs the command line in a process of its own, between pipes: `input` goes to its stdin; null leaves that open until a signal. */
export function pipeCli(
  args: readonly string[],
  input: Uint8Array | null,
  interrupt?: CliOptions['interrupt'],
): Promise<PipedResult> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    TMPDIR: process.env['TMPDIR'] ?? '/tmp',
    ...engine,
  };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cliScript, ...args], { env, stdio: 'pipe' });
    const chunks: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => void chunks.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (interrupt === undefined || child.killed || !stderr.includes(interrupt.when)) return;
      child.kill(interrupt.signal);
    });
    // A command that needs no input may end before it has read any.
    child.stdin.on('error', () => {});
    if (input !== null) child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout: Buffer.concat(chunks), stderr }));
  });
}

/**
 * Runs the command line in this process, which is faster. Calls must not overlap: they share `process.env` and
 * stdout.
 */
export async function callCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const result = { stdout: '', stderr: '' };
  const before = process.env;
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text: string | Uint8Array) => {
      result[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
      return true;
    }),
  );
  const surroundings = { PATH: before['PATH'], HOME: '/nonexistent', TMPDIR: before['TMPDIR'] ?? '/tmp' };
  process.env = { ...surroundings, ...engine, ...env };
  try {
    const status = await main(args);
    return { status, ...result };
  } finally {
    process.env = before;
    for (const spy of spies) spy.mockRestore();
  }
}
