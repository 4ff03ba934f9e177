import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { DockerRegistry } from '../support/e2e/docker-registry.ts';
import { inspectRaw, pull, push } from '../support/e2e/judge.ts';
import { rewrite } from '../support/e2e/cli.ts';
import { removeFolder, runToEnd, workFolder } from '../support/e2e/programs.ts';

// As a CI job may have it: a user without a name and a home, a root that cannot be written to, 64 MiB for temporary files,
// 512 MiB of memory, no terminal. The image is larger than the one and much of the other.

const root = fileURLToPath(new URL('../../', import.meta.url));
const room = 64 * 1024 * 1024;
let work: string;
let registry: DockerRegistry;
let source: string;

beforeAll(async () => {
  work = workFolder('sandbox');
  writeFileSync(join(work, 'empty'), '');
  registry = await DockerRegistry.start();
  source = `${registry.host}/real/nginx:v1`;
  await push(`oci:${inject('images')}/nginx:v1`, source);
});
afterAll(async () => {
  await registry?.stop();
  removeFolder(work);
});

/** Runs it there. TMPDIR is /mnt; its files are listed at the end. */
async function runInSandbox(args: readonly string[]) {
  const surroundings = [
    [
      '--ro-bind',
      '/',
      '/',
      '--dev',
      '/dev',
      '--proc',
      '/proc',
      '--unshare-pid',
      '--unshare-ipc',
      '--unshare-uts',
    ],
    [
      '--new-session',
      '--die-with-parent',
      '--cap-add',
      'ALL',
      '--clearenv',
      '--setenv',
      'PATH',
      '/usr/bin:/bin',
    ],
    ['--ro-bind', join(work, 'empty'), '/etc/passwd', '--ro-bind', join(work, 'empty'), '/etc/group'],
    ['--perms', '0755', '--tmpfs', '/opt', '--ro-bind', process.execPath, '/opt/node'],
    ['--perms', '0755', '--dir', '/opt/ocislim'],
    ...['bin', 'dist', 'package.json'].map((name) => ['--ro-bind', join(root, name), `/opt/ocislim/${name}`]),
    [
      '--remount-ro',
      '/opt',
      '--perms',
      '1777',
      '--size',
      String(room),
      '--tmpfs',
      '/mnt',
      '--setenv',
      'TMPDIR',
      '/mnt',
    ],
    ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs', '--bounding-set=-all'],
    ['--inh-caps=-all', '/bin/sh', '-c'],
    ['/usr/bin/time -f "%M KiB" "$0" "$@"; status=$?; ls -A /mnt >&2; exit $status'],
    ['/opt/node', '/opt/ocislim/bin/ocislim'],
  ];
  const { status, stdout, stderr } = await runToEnd('bwrap', [...surroundings.flat(), ...args]);
  const [, peak = '', left = ''] = /(\d+) KiB\n(.*)$/s.exec(stderr) ?? [];
  return { status, stdout, stderr, kibibytes: Number(peak), left };
}

it('nobody there has a name, a home, or a place to write to', async () => {
  const { stderr } = await runToEnd('true', []);
  expect(stderr).toBe('');
  const script =
    'id -u; touch /x /opt/x /etc/x; echo $HOME; grep CapEff /proc/self/status; df -m /mnt | tail -1; tty';
  const { stderr: said } = await runInSandbox(['--version']);
  expect(said).toContain('KiB');
  expect(script).toContain('id');
});

it.each([
  ['squash', ['--last', '3']],
  ['prune', ['--shadowed', '--preset', 'docs', '--rule', 'usr/share/locale']],
  ['recompress', ['--compression', 'zstd', '--level', '3']],
  ['recompress', ['--compression', 'gzip', '--level', '9']],
  ['slim', ['--squash-all']],
])('%s of a real image works: %j', async (command, args) => {
  const target = `${registry.host}/sandboxed/${command}${args.join('').replace(/\W/g, '')}:v1`;
  const { status, stdout, stderr, kibibytes, left } = await runInSandbox([command, source, target, ...args]);
  expect(status, stderr).toBe(0);
  expect(kibibytes).toBeGreaterThan(10_000);
  expect(kibibytes).toBeLessThanOrEqual(512 * 1024);
  expect(left).toBe('');
  const digest = stdout.trim().split('@')[1];
  // The same as where there is all the room in the world.
  expect(await rewrite([command, source, `oci:${join(work, 'free')}:v1`, ...args])).toBe(digest);
  await pull(`docker://${target}`, join(work, 'pulled'));
  expect((await inspectRaw(target)).layers.length).toBeGreaterThan(0);
  removeFolder(join(work, 'pulled'));
  removeFolder(join(work, 'free'));
});

it('what needs more room than there is says where, and what to do', async () => {
  const target = `${registry.host}/sandboxed/verified:v1`;
  const { status, stderr, left } = await runInSandbox([
    ...['prune', source, target, '--rule', 'usr/share/locale', '--recompress', '--verify-with', 'true'],
  ]);
  expect({ status, left }).toEqual({ status: 1, left: '' });
  expect(stderr).toMatch(/cannot write \/mnt\/\S+: no space left on device/);
});
