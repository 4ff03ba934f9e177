import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callCli, runCli } from '../support/cli.ts';
import { buildImage, buildIndex, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'ocislim-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/traces/${name}`, import.meta.url));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text, 'latin1');
  return file;
}

beforeAll(async () => {
  const status = 'Package: app\nStatus: install ok installed\nVersion: 1.0\nArchitecture: amd64\n\n';
  const layer = writeTar([
    specOf('usr/bin/'),
    specOf('usr/bin/app=program'),
    specOf('usr/bin/app-tool=tool'),
    specOf('etc/app.conf=settings'),
    specOf('var/lib/dpkg/info/'),
    specOf(`var/lib/dpkg/status=${status}`),
    specOf('var/lib/dpkg/info/app.list=/.\n/usr\n/usr/bin\n/usr/bin/app\n/usr/bin/app-tool\n'),
  ]);
  const image = buildImage({ layers: [layer] });
  const arm = buildImage({ layers: [layer], platform: { os: 'linux', architecture: 'arm64' } });
  await writeLayout(join(folder, 'layout'), { app: image, all: buildIndex({ images: [image, arm] }) });
});

describe('trace merge', () => {
  it('writes one trace file, which is a trace again', async () => {
    const target = join(folder, 'merged.trace');
    const merged = await callCli([
      'trace',
      'merge',
      fixture('strace/f-y.txt'),
      fixture('auditd.txt'),
      fixture('stargz.json'),
      '-o',
      target,
    ]);
    expect(merged).toMatchObject({ status: 0, stdout: '' });
    expect(merged.stderr).toMatch(/^31 paths from 237 lines of /);
    const lines = readFileSync(target, 'utf8').trimEnd().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      ocislim: 'trace',
      version: 1,
      formats: ['auditd', 'stargz', 'strace'],
      platform: 'linux/amd64',
      image: `sha256:${'a'.repeat(64)}`,
      command: ['sh', 'run'],
      runs: [{ status: 0, signal: null, stopped: null, seconds: null }],
      gaps: [
        'does not show listings, failed calls, io_uring, names relative to a descriptor and where new links lead (auditd)',
        'does not show stat, links, listings and failed calls (stargz)',
      ],
      knowsExecs: true,
      hasAllSyscalls: false,
    });
    expect(lines).toContain('{"path":"usr/bin/bash","uses":["open"]}');
    const again = await callCli(['trace', 'merge', target]);
    expect(again.stdout).toBe(readFileSync(target, 'utf8'));
  });

  it('reads stdin, and takes prefixes away', async () => {
    const list = write('list', '/srv/root/usr/bin/app\n/usr/bin/docker\n');
    const { status, stdout, stderr } = await callCli(['trace', 'merge', list, '--trace-root', '/srv/root']);
    expect(status).toBe(0);
    expect(stdout.split('\n')[1]).toBe('{"path":"usr/bin/app","uses":["open"]}');
    expect(stderr).toMatch(/^1 path from 2 lines of \S+list; 1 use outside of --trace-root\n$/);
    const piped = await runCli(['trace', 'merge', '-', '-q']);
    expect(piped).toMatchObject({ status: 2, stdout: '' });
    expect(piped.stderr).toContain('the trace stdin is empty [TRACE_INVALID]');
  });

  it('says what it could not read, with escapes for what a terminal would obey', async () => {
    const trace = write('mixed', 'open("/a", O_RDONLY) = 3\n\x1b[31mhello\nopen("/b", O_RDONLY) = 3\n');
    const { stderr } = await callCli(['trace', 'merge', trace]);
    expect(stderr).toContain('1 line could not be read\n');
    expect(stderr).toContain('line 2: \\x1b[31mhello\n');
  });

  it('refuses what is mostly unreadable, and traces of two images or platforms', async () => {
    const noise = write('noise', `open("/a", O_RDONLY) = 3\n${'??\n'.repeat(3)}`);
    const refused = await callCli(['trace', 'merge', noise]);
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain('3 of 4 lines make no sense; line 2: ??');
    const header = (platform: string) =>
      write(
        platform.replace('/', '-'),
        `{"ocislim":"trace","version":1,"platform":"${platform}"}\n{"path":"a","uses":["open"]}\n`,
      );
    const two = await callCli(['trace', 'merge', header('linux/amd64'), header('linux/arm64')]);
    expect(two.status).toBe(2);
    expect(two.stderr).toContain('several platforms: linux/amd64, linux/arm64');
  });
});

describe('trace show', () => {
  it('says what was seen', async () => {
    const { status, stdout } = await callCli(['trace', 'show', fixture('creport.json')]);
    expect(status).toBe(0);
    expect(stdout.split('\n').slice(1)).toEqual([
      '  read          1 line of creport',
      '  platform      linux/amd64',
      '  image         not known',
      '  command       app -v',
      '  paths         6: 2 opened, 1 executed, 3 looked at, 1 written, 1 looked at as links',
      '  gaps          does not show listings, failed calls and io_uring (creport)',
      '  system calls  2, recorded without a filter',
      '',
      'executed',
      '  /usr/bin/app',
      '',
      'by directory',
      '  2  /etc',
      '  1  /',
      '  1  /srv',
      '  1  /usr/bin',
      '  1  /var/log',
      '',
    ]);
  });

  it('shows the first of many, or all', async () => {
    const many = write('many', Array.from({ length: 30 }, (_, i) => `/dir${i}/file\n`).join(''));
    const some = await callCli(['trace', 'show', many]);
    expect(some.stdout).toContain('\n  and 10 more\n');
    const all = await callCli(['trace', 'show', many, '-v']);
    expect(all.stdout).toContain('/dir29\n');
    expect(all.stdout).not.toContain('more');
  });

  it('as JSON, all of it', async () => {
    const { stdout } = await callCli(['trace', 'show', fixture('fatrace.json'), '--format', 'json']);
    expect(JSON.parse(stdout)).toEqual({
      name: fixture('fatrace.json'),
      formats: ['fatrace'],
      platform: null,
      image: null,
      command: null,
      lines: 4,
      unreadable: { count: 0, samples: [] },
      outside: 0,
      paths: 3,
      uses: {
        open: 3,
        exec: 0,
        stat: 0,
        list: 0,
        write: 1,
        link: 0,
        fail: 0,
        failLink: 0,
        connect: 0,
        replaced: 0,
      },
      knowsExecutions: false,
      runs: [],
      changes: 0,
      notInImage: null,
      gaps: ['does not show stat, links, listings and failed calls (fatrace)'],
      executed: [],
      directories: [{ path: 'srv/app', paths: 3 }],
      syscalls: { complete: false, counts: {} },
    });
  });

  it('with the sockets and capabilities that it shows', async () => {
    const trace = write(
      'rights',
      'socket(AF_INET, SOCK_STREAM, 0) = 3\nsocket(AF_UNIX, SOCK_DGRAM, 0) = 3\n' +
        'connect(3, {sa_family=AF_UNIX, sun_path="/dev/log"}, 110) = 0\nsetgroups(0, []) = 0\nchown("/a", 1, 1) = 0\n',
    );
    const { stdout } = await callCli(['trace', 'show', trace]);
    expect(stdout).toMatch(/^ {2}paths +2: 1 looked at, 1 written, 1 connected to$/m);
    expect(stdout).toMatch(/^ {2}sockets +inet stream, unix dgram$/m);
    expect(stdout).toMatch(/^ {2}capabilities +chown, setgid$/m);
    const json = await callCli(['trace', 'show', trace, '--format', 'json']);
    expect((JSON.parse(json.stdout) as { rights: unknown }).rights).toEqual({
      complete: false,
      sockets: ['inet stream', 'unix dgram'],
      capabilities: { chown: ['chown'], setgid: ['setgroups'] },
    });
  });

  it('by package, where the image is given', async () => {
    const trace = write('used', '/usr/bin/app\n/etc/app.conf\n');
    const image = `oci:${folder}/layout:app`;
    const { status, stdout, stderr } = await callCli(['trace', 'show', trace, '--image', image]);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('by package\n  7 B   of 11 B  1 file  app (dpkg)\n  8 B  of ');
    const json = await callCli(['trace', 'show', trace, '--image', image, '--format', 'json']);
    expect((JSON.parse(json.stdout) as { packages: unknown[] }).packages[0]).toEqual({
      kind: 'dpkg',
      name: 'app',
      version: '1.0',
      files: 2,
      used: 1,
      bytes: 11,
      usedBytes: 7,
    });
  });

  it('of one platform of several: the one that the trace names, or --platform', async () => {
    const trace = write('plain', '/usr/bin/app\n');
    const image = `oci:${folder}/layout:all`;
    const which = await callCli(['trace', 'show', trace, '--image', image]);
    expect(which.stderr).toContain('has 2 images to choose from');
    for (const args of [
      [trace, '--platform', 'linux/arm64'],
      [
        write(
          'named',
          '{"ocislim":"trace","version":1,"platform":"linux/arm64"}\n{"path":"usr/bin/app","uses":["exec"]}\n',
        ),
      ],
    ])
      expect((await callCli(['trace', 'show', ...args, '--image', image])).stdout).toContain('app (dpkg)');
  });
});

it('what trace cannot do is refused', async () => {
  const { status, stderr } = await callCli(['trace', 'forget', 'x']);
  expect(status).toBe(2);
  expect(stderr).toContain('unknown action: trace forget');
});
