import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./run-cli.ts', import.meta.url));

export type CliResult = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

export type CliOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** For the child only: `077`. */
  readonly umask?: string;
  readonly cwd?: string;
  /** Sends this signal as soon as stderr holds the text. */
  readonly interrupt?: { readonly when: string; readonly signal: 'SIGINT' | 'SIGTERM' };
};

/** Runs the command line in a process of its own. Nothing of the tester's credentials or settings reaches it. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TMPDIR: process.env['TMPDIR'] ?? '/tmp', ...options.env };
  const command = `umask ${options.umask ?? '022'}; exec "$0" "$@"`;
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command, process.execPath, script, ...args], { env, cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'] });
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
