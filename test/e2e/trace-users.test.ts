/**
 * Recordings of commands that switch users, by the programs that Debian has for it: su, runuser, setpriv, gosu, and a web server that drops
 * its rights. Each recording is pruned by, and the same command then does the same in the pruned image.
 */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { bin, ocislim } from '../support/e2e/cli.ts';
import { removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { sample } from '../support/extent.ts';
import { type Runner, wordsOf } from '../support/e2e/runners.ts';

let work: string;
const imageOf = (name: string) => `oci:${inject('images')}/${name}:v1`;

beforeAll(() => {
  work = workFolder('users');
  // Recordings by an ordinary user reach into it.
  chmodSync(work, 0o755);
});
afterAll(() => removeFolder(work));

/** Unpacks an image with its owners. */
async function unpack(reference: string, name: string): Promise<string> {
  const folder = join(work, name);
  mkdirSync(folder);
  await ocislim(['export', reference, `${folder}.tar`]);
  await run('tar', ['-xpf', `${folder}.tar`, '--numeric-owner', '-C', folder]);
  return folder;
}

function record(file: string, root: string, command: readonly string[], options: readonly string[] = []) {
  return ocislim([
    'trace',
    'record',
    '-o',
    file,
    '--root',
    root,
    '--user',
    '0',
    ...options,
    '--',
    ...command,
  ]);
}

/** Prunes an image by a recording, and unpacks the result. */
async function pruned(image: string, name: string, trace: string, granularity: string): Promise<string> {
  const target = `oci:${join(work, `${name}-${granularity}-layout`)}:v1`;
  const args = ['--trace', trace, '--granularity', granularity, '--force', '-q'];
  const { status, stderr } = await ocislim(['prune', image, target, ...args]);
  expect(status, stderr).toBe(0);
  return unpack(target, `${name}-${granularity}`);
}

describe('an entrypoint that becomes the user app', () => {
  let root: string;
  const identity = 'uid=1000(app) gid=1000(app) groups=1000(app)';
  const ways: readonly (readonly [string, readonly string[]])[] = [
    ['su', ['su', 'app', '-s', '/bin/sh', '-c', 'id']],
    ['runuser', ['runuser', '-u', 'app', '--', 'id']],
    ['setpriv', ['setpriv', '--reuid', 'app', '--regid', 'app', '--init-groups', 'id']],
    ['gosu', ['gosu', 'app', 'id']],
  ];

  beforeAll(async () => {
    root = await unpack(imageOf('perl'), 'root');
    copyFileSync('/usr/sbin/gosu', join(root, 'usr/sbin/gosu'));
  });

  it.each(ways)('by %s is recorded as root', async (name, command) => {
    const file = join(work, `${name}.trace`);
    const { stdout, stderr, status } = await record(file, root, command);
    expect([stdout.trim(), status], stderr).toEqual([identity, 0]);
    expect(stderr).not.toContain('could not switch users');
    const header = JSON.parse(readFileSync(file, 'utf8').split('\n', 1)[0] ?? '') as object;
    expect(header).toMatchObject({ notInImage: { count: 0 } });
  });

  it.each(['file', 'package'])(
    'does the same in the image that is pruned by it, at %s',
    async (granularity) => {
      const trace = ways.flatMap(([name]) => ['--trace', join(work, `${name}.trace`)]);
      const target = `oci:${join(work, `all-${granularity}-layout`)}:v1`;
      const args = [...trace, '--granularity', granularity, '--force', '-q'];
      const { status, stderr } = await ocislim(['prune', imageOf('perl'), target, ...args]);
      expect(status, stderr).toBe(0);
      const result = await unpack(target, `all-${granularity}`);
      copyFileSync('/usr/sbin/gosu', join(result, 'usr/sbin/gosu'));
      for (const [name, command] of ways) {
        const again = await record(join(work, 'again.trace'), result, command);
        expect([name, again.stdout.trim(), again.status], again.stderr).toEqual([name, identity, 0]);
      }
    },
  );

  /** A user of this system, to whom a copy of the root filesystem belongs, as if he had unpacked it. */
  const user = '65534';
  let own: string;
  beforeAll(async () => {
    own = join(work, 'own');
    await run('cp', ['-a', root, own]);
    await run('chown', ['-R', `${user}:${user}`, own]);
  });

  /** Runs `trace record` as an ordinary user, and returns how it ended and the trace. */
  async function recordAsUser(command: readonly string[], runner: Runner) {
    const folder = mkdtempSync(join(work, 'own-'));
    chmodSync(folder, 0o777);
    const trace = join(folder, 'app.trace');
    const record = ['trace', 'record', '-o', trace, '--root', own, '--', ...command];
    const [program = '', ...args] = [...wordsOf(runner, work), process.execPath, bin, ...record];
    return { ...(await runToEnd(program, args, { env: { HOME: folder, TMPDIR: folder } })), trace };
  }

  it.each(sample(ways, 4))(
    'by %s is recorded by an ordinary user who has further users',
    async (_, command) => {
      const { stdout, stderr, status } = await recordAsUser(command, 'mapped');
      expect([stdout.trim(), status], stderr).toEqual([identity, 0]);
    },
  );

  it.each(sample(ways, 4))(
    'by %s fails for an ordinary user without any, and the reason is told',
    async (_, command) => {
      const { status, stdout, stderr, trace } = await recordAsUser(command, 'alone');
      expect(status).not.toBe(0);
      expect(stdout).not.toContain(identity);
      expect(stderr).toMatch(
        /^ {2}the command could not switch users \(set\w+: E(?:PERM|INVAL)\): without root, this root filesystem has one user only$/m,
      );
      expect(stderr).toContain('Record as root, install uidmap');
      const refused = await ocislim(['prune', imageOf('perl'), '--dry-run', '-q', '--trace', trace]);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain('failed: it exited with');
    },
  );
});

it('a web server that drops its rights is recorded, and serves from the image that is pruned by it', async () => {
  const image = imageOf('nginx');
  const root = await unpack(image, 'nginx');
  // Waits until the server answers, asks it for a page, and says as which user a worker runs.
  const client = [
    'use IO::Socket::INET;',
    'my $s; until ($s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:8080")) { select undef, undef, undef, 0.05 }',
    'print $s "GET /users.txt HTTP/1.0\\r\\n\\r\\n"; print grep { /^HTTP|^page/ } <$s>;',
  ].join(' ');
  const script = [
    "nginx -g 'daemon off; user www-data;' -c /etc/users.conf & main=$!",
    `perl -e '${client}'`,
    'for p in /proc/[0-9]*; do grep -q "^PPid:.$main$" $p/status && grep "^Uid" $p/status | cut -f2 && break; done',
    'kill $main; wait $main; exit 0',
  ].join('\n');
  const settings =
    'pid /run/users.pid; events {} http { access_log off; server { listen 8080; root /usr/share/nginx/users; } }\n';
  const prepare = (folder: string) => {
    mkdirSync(join(folder, 'usr/share/nginx/users'), { recursive: true });
    writeFileSync(join(folder, 'usr/share/nginx/users/users.txt'), 'page\n');
    writeFileSync(join(folder, 'etc/users.conf'), settings);
  };
  prepare(root);
  const file = join(work, 'nginx.trace');
  const first = await record(file, root, ['sh', '-c', script]);
  const served = ['HTTP/1.1 200 OK', 'page', '33'];
  expect(first.stdout.replaceAll('\r', '').trim().split('\n'), first.stderr).toEqual(served);
  for (const granularity of ['file', 'package']) {
    const result = await pruned(image, 'nginx', file, granularity);
    prepare(result);
    const again = await record(join(work, 'again.trace'), result, ['sh', '-c', script]);
    expect(again.stdout.replaceAll('\r', '').trim().split('\n'), again.stderr).toEqual(served);
  }
});
