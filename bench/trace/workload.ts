/**
 * Runs the steps of a workload in a root filesystem, in a sandbox or below a recorder, and returns what was seen of
 * them. Two runs are compared by this.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { Step, Workload } from './workloads/step.ts';

/** The limit of a step in seconds. */
const limit = 60;

/** Returns the command line that starts a step in a root filesystem. */
export type Starter = (argv: readonly string[], number: number) => readonly string[];

/**
 * The rights that `trace record` leaves to root, which are those of Docker. Workloads that start as root get no others.
 */
const rights =
  'CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT AUDIT_WRITE SETFCAP'
    .split(' ')
    .flatMap((name) => ['--cap-add', `CAP_${name}`]);

/** Returns what starts steps with nothing of this machine but its kernel, as an ordinary user or as root. */
export function sandbox(root: string, { asRoot }: Pick<Workload, 'asRoot'>): Starter {
  const spaces =
    asRoot === true
      ? ['--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--cap-drop', 'ALL', ...rights]
      : ['--unshare-all', '--uid', '1000', '--gid', '1000'];
  const mounts = ['--bind', root, '/', '--proc', '/proc', '--dev', '/dev'];
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const env = ['--clearenv', '--setenv', 'PATH', path];
  return (argv) => ['bwrap', ...spaces, '--die-with-parent', ...mounts, ...env, '--', ...argv];
}

/**
 * Runs steps, and returns exit statuses, standard output and answers to requests. Standard error is not compared,
 * since it holds times and process numbers; its end is shown where a step failed.
 */
export async function runSteps(
  steps: readonly Step[],
  files: Workload['files'],
  root: string,
  start: Starter,
): Promise<{ readonly seen: string; readonly failed: string | null }> {
  const folder = join(root, 'tmp');
  if (existsSync(folder)) rmSync(folder, { recursive: true });
  mkdirSync(folder);
  // A recording may run as another user.
  chmodSync(folder, 0o777);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  let seen = '';
  for (const [i, step] of steps.entries()) {
    const { text, status, stderr } = await runStep(step, root, start(step.argv, i));
    seen += `$ ${step.argv.join(' ')}\n${text}status ${status}\n`;
    if ((status !== 0) !== (step.fails === true))
      return { seen, failed: `${step.argv.join(' ')}: status ${status}; ${stderr.slice(-300)}` };
  }
  return { seen, failed: null };
}

async function runStep(step: Step, root: string, [program = '', ...args]: readonly string[]) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(status ?? (signal === null ? 1 : 255)));
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), limit * 1000);
  try {
    const answers = step.http === undefined ? '' : await ask(step.http, root, child);
    if (step.http !== undefined) terminate(child);
    let status = await ended;
    // Our own SIGTERM ended it.
    if (step.http !== undefined && answers !== null && (status === 143 || status === 255)) status = 0;
    return { text: stdout + (answers ?? ''), status: answers === null ? status || 1 : status, stderr };
  } finally {
    clearTimeout(timer);
  }
}

/** Ends a step. bubblewrap takes its program with it; a recorder passes the signal on. */
function terminate(child: ChildProcess): void {
  child.kill('SIGTERM');
}

/** Sends the requests; null where the step ends before it serves, or does not answer. */
async function ask(
  { socket, requests }: NonNullable<Step['http']>,
  root: string,
  child: ChildProcess,
): Promise<string | null> {
  const path = join(root, socket);
  while (!existsSync(path)) {
    if (child.exitCode !== null || child.signalCode !== null) return null;
    await sleep(20);
  }
  let text = '';
  for (const { path: asked, headers = {} } of requests) {
    const answer = await served(path, asked, headers, child).catch((error: Error) => error.message);
    text += `GET ${asked}: ${answer}\n`;
  }
  return text;
}

/**
 * Asks again as long as the socket is bound and nothing listens yet, or a gateway has nothing behind it yet: below a tracer, that takes
 * a while.
 */
async function served(
  socketPath: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  child: ChildProcess,
): Promise<string> {
  for (;;) {
    const isOver = child.exitCode !== null || child.signalCode !== null;
    try {
      const answer = await get(socketPath, path, headers);
      if (isOver || !answer.startsWith('502 ')) return answer;
    } catch (error) {
      if (isOver || (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error;
    }
    await sleep(50);
  }
}

function get(socketPath: string, path: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, headers, agent: false, timeout: 10_000 }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(parts);
        const { 'content-encoding': encoding = 'plain', 'content-type': type = 'none' } = response.headers;
        const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString();
        resolve(`${response.statusCode} ${type} ${encoding} ${text}`);
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', reject);
    sent.end();
  });
}
