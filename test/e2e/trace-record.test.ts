import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { bin, ocislim } from '../support/e2e/cli.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';

// `trace record` with the real strace and bubblewrap.

let work: string;
let root: string;
const busybox = () => `oci:${inject('images')}/busybox:v1`;

beforeAll(async () => {
  work = workFolder('record');
  root = join(work, 'root');
  mkdirSync(root);
  const tar = join(work, 'root.tar');
  await ocislim(['export', busybox(), tar]);
  await run('tar', ['-xf', tar, '--no-same-owner', '-C', root]);
});
afterAll(() => removeFolder(work));

interface Line {
  readonly path?: string;
  readonly uses?: readonly string[];
  readonly platform?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly hasAllSyscalls?: boolean;
  readonly syscall?: string;
}

function readTrace(file: string) {
  const [header = {}, ...lines] = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  return { header, lines, uses: new Map(lines.map(({ path = '', uses = [] }) => [path, uses])) };
}

describe('trace record', () => {
  it('sees what the command uses, and has its exit status', async () => {
    const file = join(work, 'here.trace');
    const ended = await ocislim([
      'trace',
      'record',
      '-o',
      file,
      '--',
      'sh',
      '-c',
      'cd /etc; cat hostname; exit 3',
    ]);
    expect(ended.status).toBe(3);
    expect(ended.stdout).toBe(readFileSync('/etc/hostname', 'utf8'));
    expect(ended.stderr).toContain('the command ended with 3');
    const { header, uses } = readTrace(file);
    expect(header.command?.[0]).toBe('sh');
    expect(header.platform).toMatch(/^linux\//);
    expect(uses.get('etc/hostname')).toEqual(['open']);
    expect([...uses].some(([path, how]) => path.endsWith('bin/cat') && how.includes('exec'))).toBe(true);
  });

  it('sees the paths of a root filesystem, and nothing of what brought the command there', async () => {
    const file = join(work, 'root.trace');
    const args = ['--root', root, '--image', busybox(), '--', '/app/run.sh'];
    const ended = await ocislim(['trace', 'record', '-o', file, ...args]);
    expect(ended.stdout).toBe('fruit: aPPle\nfruit: fig\nfruit: Pear\n');
    const { header, uses } = readTrace(file);
    const { manifests } = JSON.parse(readFileSync(join(inject('images'), 'busybox/index.json'), 'utf8')) as {
      manifests: { digest: string }[];
    };
    expect(header.image).toBe(manifests[0]?.digest);
    expect(uses.get('app/run.sh')).toContain('exec');
    expect(uses.get('app/fruit.txt')).toEqual(['open']);
    expect([...uses.keys()].filter((path) => /bwrap|strace|^oldroot|newroot/.test(path))).toEqual([]);
  });

  it('sees every system call with --all-syscalls', async () => {
    const file = join(work, 'all.trace');
    await ocislim(['trace', 'record', '--all-syscalls', '-o', file, '--', 'cat', '/etc/hostname']);
    const { header, lines } = readTrace(file);
    expect(header.hasAllSyscalls).toBe(true);
    expect(lines.map(({ syscall }) => syscall)).toEqual(expect.arrayContaining(['read', 'write', 'mmap']));
  });

  it('ends the command after --for', async () => {
    const file = join(work, 'for.trace');
    const ended = await ocislim(['trace', 'record', '--for', '0.2', '-o', file, '--', 'sleep', '1000']);
    expect(ended.status).toBe(143);
    expect(ended.stderr).toContain('was ended by SIGTERM');
    expect(existsSync(file)).toBe(true);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('passes %s on, and writes the trace', async (signal) => {
    const file = join(work, `${signal}.trace`);
    const script =
      "trap 'cat /app/fruit.txt >/dev/null; exit 7' TERM INT; echo ready; while :; do sleep 0.05; done";
    const args = ['trace', 'record', '-o', file, '--root', root, '--', 'sh', '-c', script];
    const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdout.once('data', () => child.kill(signal));
    expect(await ended).toBe(7);
    expect(readTrace(file).uses.get('app/fruit.txt')).toEqual(['open']);
  });

  it('says so when the command cannot be started, and writes nothing', async () => {
    for (const place of [[], ['--root', root]]) {
      const file = join(work, 'none.trace');
      const ended = await ocislim(['trace', 'record', '-o', file, ...place, '--', '/nowhere/app']);
      expect(ended.status).toBe(1);
      expect(ended.stderr).toContain('the command could not be started: /nowhere/app [IO]');
      expect(existsSync(file)).toBe(false);
    }
  });

  it('says what to install without strace', async () => {
    const empty = join(work, 'empty');
    mkdirSync(empty);
    symlinkSync('/bin/sh', join(empty, 'sh'));
    const ended = await ocislim(['trace', 'record', '--', 'sh', '-c', ':'], { PATH: empty });
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain('strace is not installed [UNSUPPORTED]');
    expect(ended.stderr).toContain('apt-get install strace');
  });

  it('wants a command', async () => {
    const ended = await ocislim(['trace', 'record']);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain('trace record needs a command');
  });
});
