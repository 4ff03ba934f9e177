import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { MiB } from '../../src/units.ts';

test('presets are listed without an image', async () => {
  const { status, stdout } = await callCli(['prune', '--preset', 'help']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ {2}apt-lists +slim +none +package lists of apt$/m);
});

test('prune without an image says so', async () => {
  const { status, stderr } = await callCli(['prune', '--shadowed']);
  expect(status).toBe(2);
  expect(stderr).toContain('missing argument: SRC');
});

/** Runs work as if stdout were a terminal. */
async function onTerminal(work: () => Promise<void>): Promise<void> {
  const before = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY') ?? { value: undefined };
  Object.defineProperty(process.stdout, 'isTTY', { value: true, configurable: true });
  try {
    await work();
  } finally {
    Object.defineProperty(process.stdout, 'isTTY', { ...before, configurable: true });
  }
}

test('export writes no tar to a terminal', async () => {
  await onTerminal(async () => {
    const { status, stdout, stderr } = await callCli(['export', 'oci:nothing:1', '-']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/not written to a terminal.*\n {2}Name a file/);
  });
});

test.each([
  ['docker-archive:-', []],
  ['oci-archive:-:app', ['-q']],
  ['-t', ['docker-archive:-:app:1']],
])('no archive is written to a terminal: %s %j', async (destination, more) => {
  await onTerminal(async () => {
    const { status, stdout, stderr } = await callCli(['copy', 'oci:nothing:1', destination, ...more]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/not written to a terminal.*\n {2}Name a file.*docker load/);
  });
});

test('export to a pipe that closes ends as SIGPIPE would end it, without a word', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ocislim-pipe-'));
  const tar = writeTar([{ type: 'file', name: 'big', body: new Uint8Array(8 * MiB) }]);
  await writeLayout(join(folder, 'image'), { v1: buildImage({ layers: [tar], compress: 'gzip' }) });
  const runner = fileURLToPath(new URL('../support/run-cli.ts', import.meta.url));
  const child = spawn(process.execPath, [runner, 'export', `oci:${join(folder, 'image')}:v1`, '-', '-q'], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => void (stderr += text.toString()));
  child.stdout.once('data', () => child.stdout.destroy());
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect({ status, stderr }).toEqual({ status: 141, stderr: '' });
  expect(readdirSync(folder)).toEqual(['image']);
  rmSync(folder, { recursive: true });
});

describe('a full disk', () => {
  const runner = fileURLToPath(new URL('../support/run-cli.ts', import.meta.url));
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ocislim-full-'));
    const layers = ['a', 'b'].map((name) => writeTar([{ name, body: new Uint8Array(200_000) }]));
    await writeLayout(join(folder, 'image'), { v1: buildImage({ layers }) });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs the command line with `stdout` or `stderr` on a device that is always full, and the other one in a file. */
  async function runFull(args: readonly string[], full: 'stdout' | 'stderr') {
    const [device, other] = [openSync('/dev/full', 'w'), openSync(join(folder, 'other'), 'w')];
    const child = spawn(process.execPath, [runner, ...args], {
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TMPDIR: folder },
      stdio: ['ignore', full === 'stdout' ? device : other, full === 'stderr' ? device : other],
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    for (const fd of [device, other]) closeSync(fd);
    return { status, said: readFileSync(join(folder, 'other'), 'utf8') };
  }

  const squash = (...more: readonly string[]) => [
    'squash',
    `oci:${join(folder, 'image')}:v1`,
    `oci:${join(folder, 'squashed')}:v1`,
    '--all',
    ...more,
  ];

  test.each([
    ['export', () => ['export', `oci:${join(folder, 'image')}:v1`, '-', '-q']],
    ['help', () => ['help']],
    ['the report of a dry run', () => squash('-q', '--format', 'json', '--dry-run')],
  ])('under standard output (%s) is an error in two lines', async (_, args) => {
    expect(await runFull(args(), 'stdout')).toEqual({
      status: 1,
      said: `ocislim: cannot write to standard output: no space left on device [IO]
  The disk is full: make room there, or name a place on another disk.
`,
    });
  });

  test.each([
    ['the one line at the end', () => squash('-q')],
    ['a report', () => squash('-q', '--format', 'json')],
  ])('under standard output (%s) says what is published', async (_, args) => {
    const { status, said } = await runFull(args(), 'stdout');
    expect(status).toBe(5);
    expect(said).toMatch(
      /^ocislim: published, but cannot write to standard output: no space left on device \[PUBLISHED\]\n {2}The image is oci:\S+:v1@sha256:[0-9a-f]{64}\. The disk is full: .*\n$/,
    );
  });

  test('under standard error stops nothing', async () => {
    const { status, said } = await runFull(squash('--progress', 'plain'), 'stderr');
    expect({ status, said }).toEqual({
      status: 0,
      said: expect.stringMatching(/^oci:\S+@sha256:\S+\n$/) as string,
    });
  });
});
