import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { DockerRegistry } from '../support/e2e/docker-registry.ts';
import { inspectRaw, pull, push } from '../support/e2e/judge.ts';
import { rewrite } from '../support/e2e/cli.ts';
import { removeFolder, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { sample } from '../support/extent.ts';
import { MiB } from '../../src/units.ts';

// A sandbox as a CI job may have it: a user without a name and a home, a root that cannot be written to, 64 MiB for
// temporary files, 512 MiB of memory, no terminal. The image is larger than the former and nearly as large as the
// latter.

const root = fileURLToPath(new URL('../../', import.meta.url));
const room = 64 * MiB;
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

/** Runs a program in the sandbox. TMPDIR is /mnt. */
function inside(program: readonly string[]) {
  const [options, user] = [
    '--ro-bind / / --dev /dev --proc /proc --unshare-pid --unshare-ipc --unshare-uts --new-session --die-with-parent',
    'setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all',
  ].map((text) => text.split(' ')) as [string[], string[]];
  const bind = (from: string, to: string) => ['--ro-bind', realpathSync(from), to];
  const surroundings = [
    options,
    ['--cap-add', 'ALL', '--clearenv', '--setenv', 'PATH', '/usr/bin:/bin', '--setenv', 'TMPDIR', '/mnt'],
    ...['/etc/passwd', '/etc/group', '/etc/nsswitch.conf'].map((file) => bind(join(work, 'empty'), file)),
    ['--perms', '0755', '--tmpfs', '/opt'],
    bind(process.execPath, '/opt/node'),
    ['--perms', '0755', '--dir', '/opt/ocislim'],
    ...['bin', 'dist', 'package.json', 'node_modules'].map((name) =>
      bind(join(root, name), `/opt/ocislim/${name}`),
    ),
    ['--remount-ro', '/opt', '--perms', '1777', '--size', String(room), '--tmpfs', '/mnt'],
  ];
  return runToEnd('bwrap', [...surroundings.flat(), ...user, ...program]);
}

/** Runs ocislim in the sandbox, and returns how much memory it took and what is left in TMPDIR. */
async function runInSandbox(args: readonly string[]) {
  const script = '/usr/bin/time -f "%M KiB" "$0" "$@"; status=$?; ls -A /mnt >&2; exit $status';
  const program = ['/bin/sh', '-c', script, '/opt/node', '/opt/ocislim/bin/ocislim', ...args];
  const { status, stdout, stderr } = await inside(program);
  const [, peak = '', left = ''] = /(\d+) KiB\n(.*)$/s.exec(stderr) ?? [];
  return { status, stdout, stderr, kibibytes: Number(peak), left };
}

it('the user there has no name, home, rights or terminal, and little room', async () => {
  const script = `id -un 2>&1; echo "home $HOME"; grep -h Cap /proc/self/status | sort -u -k2; tty
    for place in /x /opt/x /etc/x /root/x /opt/ocislim/dist/x; do touch $place 2>&1 && echo written; done
    head -c 70000000 /dev/zero >/mnt/x; stat -c %s /mnt/x`;
  const { stdout } = await inside(['/bin/sh', '-c', script]);
  expect(stdout).toContain('cannot find name for user ID 65534');
  expect(stdout).toMatch(/\nhome \nCap\w+:\t0000000000000000\nnot a tty\n/);
  expect(stdout).not.toContain('written');
  expect(stdout).toMatch(new RegExp(`\n${room}\n$`));
});

const rewriting: readonly (readonly [string, readonly string[]])[] = [
  ['squash', ['--last', '3']],
  ['prune', ['--shadowed', '--preset', 'docs', '--rule', 'usr/share/locale']],
  ['recompress', ['--compression', 'zstd', '--level', '3']],
  ['recompress', ['--compression', 'gzip', '--level', '2']],
  ['slim', ['--compression', 'zstd']],
];

it.each(sample(rewriting, 2))('%s of a real image works: %j', async (command, args) => {
  const target = `${registry.host}/sandboxed/${command}${args.join('').replace(/\W/g, '')}:v1`;
  const { status, stdout, stderr, kibibytes, left } = await runInSandbox([command, source, target, ...args]);
  expect(status, stderr).toBe(0);
  expect(kibibytes).toBeGreaterThan(10_000);
  expect(kibibytes).toBeLessThanOrEqual(512 * 1024);
  expect(left).toBe('');
  const digest = stdout.trim().split('@')[1];
  // The digest is the same without the limits.
  expect(await rewrite([command, source, `oci:${join(work, 'free')}:v1`, ...args])).toBe(digest);
  await pull(`docker://${target}`, join(work, 'pulled'));
  expect((await inspectRaw(target)).layers.length).toBeGreaterThan(0);
  removeFolder(join(work, 'pulled'));
  removeFolder(join(work, 'free'));
});

it('an error for lack of room says where, and what to do', async () => {
  const target = `${registry.host}/sandboxed/verified:v1`;
  const { status, stderr, left } = await runInSandbox([
    'prune',
    source,
    target,
    '--rule',
    'usr/share/locale',
    '--verify-with',
    'true',
  ]);
  expect({ status, left }).toEqual({ status: 1, left: '' });
  expect(stderr).toMatch(/cannot write \/mnt\/\S+: no space left on device/);
});
