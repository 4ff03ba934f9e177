import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callCli } from '../support/cli.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'ocislim-apparmor-'));
afterAll(() => rmSync(folder, { recursive: true }));
const whole = fileURLToPath(new URL('../../fixtures/traces/strace/f-all.txt', import.meta.url));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text, 'latin1');
  return file;
}

const header = { ocislim: 'trace', version: 1, formats: ['strace'], knowsExecs: true, hasAllSyscalls: false };

/** Writes a trace file with these paths, of a recording that knows all rights. */
function traceOf(name: string, paths: Readonly<Record<string, readonly string[]>>): string {
  const lines = [
    { ...header, rights: { complete: true, sockets: ['inet stream'], capabilities: { chown: ['fchown'] } } },
    ...Object.entries(paths).map(([path, uses]) => ({ path, uses })),
  ];
  return write(name, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

describe('trace apparmor', () => {
  it('writes a profile to a file, named after it, or to stdout', async () => {
    const file = join(folder, 'web-app.apparmor');
    const written = await callCli(['trace', 'apparmor', whole, '-o', file]);
    expect(written).toMatchObject({ status: 0, stdout: '' });
    expect(written.stderr).toMatch(
      /^profile web-app: \d+ rules for files, 0 kinds of sockets, 0 capabilities, from \S+f-all\.txt\n/,
    );
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('profile web-app flags=(attach_disconnected,mediate_deleted) {\n');
    expect(text).toMatch(/^ {2}\/\S+ mrix,$/m);
    const shown = await callCli(['trace', 'apparmor', whole, whole, '--profile-name', 'web-app', '-q']);
    expect(shown).toMatchObject({ status: 0, stdout: text, stderr: '' });
    expect((await callCli(['trace', 'apparmor', whole])).stdout).toContain('profile ocislim flags=');
  });

  it('says what the trace does not tell', async () => {
    const list = write('list', '/etc/a\n');
    const unknown = await callCli(['trace', 'apparmor', list]);
    expect(unknown.stdout).toMatch(/^ {2}capability,$/m);
    expect(unknown.stderr).toContain('all sockets and capabilities, from ');
    expect(unknown.stderr).toContain('record it with "ocislim trace record"');
    const relative = traceOf('relative', { './a': ['open'], './b': ['open'] });
    expect((await callCli(['trace', 'apparmor', relative])).stderr).toContain(
      '2 paths without a known directory: allowed in each',
    );
  });

  it('refuses names that are no names of profiles, and files that are not there', async () => {
    const named = await callCli(['trace', 'apparmor', whole, '--profile-name', '/usr/bin/app']);
    expect(named).toMatchObject({ status: 2, stdout: '' });
    expect(named.stderr).toContain('--profile-name: "/usr/bin/app" is not a name of a profile');
    expect((await callCli(['trace', 'apparmor', join(folder, 'gone')])).stderr).toContain(
      'it does not exist',
    );
    const nowhere = await callCli(['trace', 'apparmor', whole, '-o', join(folder, 'no/such')]);
    expect(nowhere.stderr).toMatch(/cannot write \S+no\/such: there is no folder .*\[IO\]/);
  });
});

describe('trace apparmor --image', () => {
  const image = `oci:${folder}/layout:app`;

  beforeAll(async () => {
    const layer = writeTar([
      specOf('usr/bin/'),
      specOf('usr/bin/dash=shell'),
      specOf('usr/bin/sh~>dash'),
      specOf('bin~>usr/bin'),
      specOf('var/run~>/run'),
      specOf('var/log/'),
      specOf('var/log/error.log~>/dev/stderr'),
      specOf('run/'),
      { name: 'srv/own', type: 'dir', uid: 1000, mode: 0o755 },
      specOf('srv/app.conf=settings'),
    ]);
    const build = (User: string) =>
      buildImage({
        layers: [layer],
        config: { config: { User, WorkingDir: '/srv', Volumes: { '/data': {} } } },
      });
    await writeLayout(join(folder, 'layout'), { app: build(''), user: build('1000') });
  });

  async function rulesOf(paths: Readonly<Record<string, readonly string[]>>, of = image): Promise<string[]> {
    const made = await callCli(['trace', 'apparmor', traceOf('used', paths), '--image', of]);
    expect(made.status, made.stderr).toBe(0);
    return made.stdout.split('\n').map((line) => line.trim());
  }

  it('follows symlinks of the image, and counts relative paths from its directory', async () => {
    const rules = await rulesOf({
      'bin/sh': ['exec'],
      'var/run/app.pid': ['write'],
      'var/log/error.log': ['write'],
      './app.conf': ['open'],
      'data/table-7': ['write'],
    });
    expect(rules).toEqual(
      expect.arrayContaining([
        '/bin/sh mrix,',
        '/usr/bin/dash mrix,',
        '/run/app.pid{,/} rwk,',
        '/var/run/app.pid{,/} rwk,',
        '/dev/stderr{,/} rwk,',
        '/srv/app.conf r,',
        '/data/** rwk,',
      ]),
    );
    expect(rules.filter((rule) => rule.includes('{,usr/}') || rule.includes('{,var/}'))).toEqual([]);
  });

  it('sees whether root needs the power to use files of others', async () => {
    const needed = 'The program starts as root';
    const has = async (paths: Record<string, readonly string[]>, of: string) => {
      const made = await callCli(['trace', 'apparmor', unprivileged(paths), '--image', of]);
      return made.stdout.includes(needed);
    };
    expect(await has({ 'srv/own/new': ['write'] }, image)).toBe(true);
    expect(await has({ 'srv/new': ['write'] }, image)).toBe(false);
    expect(await has({ 'srv/own': ['list'] }, image)).toBe(false);
    expect(await has({ 'srv/own/new': ['write'] }, `oci:${folder}/layout:user`)).toBe(false);
  });

  function unprivileged(paths: Readonly<Record<string, readonly string[]>>): string {
    const lines = [
      { ...header, rights: { complete: true, sockets: [], capabilities: {} } },
      ...Object.entries(paths).map(([path, uses]) => ({ path, uses })),
    ];
    return write('plain', lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
});
