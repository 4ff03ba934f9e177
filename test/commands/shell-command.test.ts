import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runShell } from '../../src/commands/shell-command.ts';
import { runCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { never } from '../support/registry/setup.ts';
import { newFolder } from '../support/store/local.ts';

/**
 * A pipe whose end is reached when every process that a command started has ended.
 */
async function lifeline() {
  const path = join(await newFolder(), 'lifeline');
  await promisify(execFile)('mkfifo', [path]);
  const stream = createReadStream(path, 'utf8');
  const begun = once(stream, 'data');
  const ended = once(stream.resume(), 'end');
  return { path, begun, ended };
}

/** Opens a lifeline that no command may have opened, so that it has an end. */
function closing(path: string): Disposable & { readonly pid: number | undefined } {
  const child = spawn('/bin/sh', ['-c', `echo end > ${path}`]);
  return { pid: child.pid, [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

/** Commands whose processes are, one way or another, hard to end. */
const stubborn: readonly (readonly [string, (path: string) => string])[] = [
  ['a grandchild in the background', (path) => `(echo up; exec sleep 1000) > ${path} & wait`],
  ['a grandchild in the foreground', (path) => `sh -c 'echo up; sleep 1000; true' > ${path}; true`],
  [
    'a pipeline of shells',
    (path) => `(echo up; sleep 1000; true) 2>&1 | (cat > ${path}; sleep 1000; true); true`,
  ],
  [
    'processes that ignore SIGINT and SIGTERM',
    (path) => `trap '' INT TERM; (echo up; sleep 1000; sleep 1000) > ${path}; sleep 1000`,
  ],
];

test.each(stubborn)('an abort ends the whole group: %s', async (_, command) => {
  const { path, begun, ended } = await lifeline();
  const stop = new AbortController();
  const running = runShell({ command: command(path), env: process.env, signal: stop.signal, grace: 1 });
  running.catch(() => {});
  await begun;
  const reason = new Error('enough');
  stop.abort(reason);
  await expect(running).rejects.toBe(reason);
  await ended;
});

test('what a command leaves running ends with it', async () => {
  const { path, begun, ended } = await lifeline();
  const end = runShell({
    command: `(echo up; exec sleep 1000) > ${path} & exit 3`,
    env: process.env,
    signal: never,
  });
  expect(await end).toEqual({ status: 3, signal: null });
  // The command may have ended before the other process had opened the pipe.
  using closer = closing(path);
  await Promise.all([begun, ended]);
  expect(closer.pid).toBeDefined();
});

test.each([
  ['exit 7', { status: 7, signal: null }],
  ['kill -9 $$', { status: null, signal: 'SIGKILL' }],
  ['read line', { status: 1, signal: null }],
  ['test "$(cut -d" " -f5 /proc/$$/stat)" = $$', { status: 0, signal: null }],
])('a command has no input, a group of its own, and its end is told: %s', async (command, end) => {
  expect(await runShell({ command, env: process.env, signal: never })).toEqual(end);
});

test('an aborted run starts no command', async () => {
  const file = join(await newFolder(), 'never');
  const run = runShell({ command: `touch ${file}`, env: process.env, signal: AbortSignal.abort() });
  await expect(run).rejects.toMatchObject({ name: 'AbortError' });
});

test.each([
  ['SIGTERM', 143, 'sleep 1000 & wait'],
  ['SIGINT', 130, 'sleep 1000 & wait'],
] as const)('--verify-with: %s ends grandchildren too', async (signal, status, rest) => {
  const { path, ended } = await lifeline();
  const result = await verifyWith(`exec 3> ${path}; echo up >&3; echo waiting >&2; ${rest}`, {
    interrupt: { when: 'waiting', signal },
  });
  expect(result.status, result.stderr).toBe(status);
  await ended;
});

test('--limit time ends the command of --verify-with and what it started', async () => {
  const { path, ended } = await lifeline();
  const result = await verifyWith(
    `exec 3> ${path}; echo up >&3; sleep 1000 & wait`,
    {},
    '--limit',
    'time=1s',
  );
  expect([result.status, result.stderr]).toEqual([1, expect.stringContaining('the limit time is 1s')]);
  expect(result.stdout).toBe('');
  // Where the time was over before the command began, it opened no pipe.
  using closer = closing(path);
  await ended;
  expect(closer.pid).toBeDefined();
});

async function verifyWith(
  command: string,
  options: Parameters<typeof runCli>[1],
  ...more: readonly string[]
) {
  const folder = await newFolder();
  const tar = writeTar([specOf('app=run')]);
  await writeLayout(join(folder, 'layout'), { app: buildImage({ layers: [tar] }) });
  const [from, to] = [`oci:${folder}/layout:app`, `oci:${folder}/out:app`];
  return runCli(
    ['recompress', from, to, '--compression', 'zstd', '--verify-with', command, ...more],
    options,
  );
}
