/**
 * `trace record --image`: images that are unpacked and run in a sandbox, as root and as an ordinary user. A hostile one reaches nothing outside, and
 * no folder or process is left, however the run ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { bin, ocislim } from '../support/e2e/cli.ts';
import { buildGo, removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

let work: string;
/** A folder of this machine that no program of an image may see. */
let secret: string;
let server: Server;
let abstract: Server;
let victim: ChildProcess;
const user = '65534';

beforeAll(async () => {
  work = workFolder('image');
  chmodSync(work, 0o755);
  secret = join(work, 'secret');
  mkdirSync(secret);
  chmodSync(secret, 0o777);
  writeFileSync(join(secret, 'canary'), '');
  const program = join(work, 'hostile');
  await buildGo(new URL('../../fixtures/hostile/main.go', import.meta.url).pathname, program, work);
  const layer = writeTar([
    specOf('usr/bin/'),
    { name: 'usr/bin/hostile', body: readFileSync(program), mode: 0o755 },
    specOf('etc/passwd=root:x:0:0::/:/x\napp:x:1000:1000::/:/x\n'),
    // Places of mounts that lead out of the root.
    specOf(`etc/hosts~>/../../../..${secret}/hosts`),
    specOf(`etc/resolv.conf~>/oldroot${secret}/resolv.conf`),
    specOf(`data~>/oldroot${secret}/data`),
    specOf(`dev~>/oldroot${secret}`),
    specOf(`sys~>${secret}`),
    { name: 'image-device', type: 'block', devmajor: 254, devminor: 0, mode: 0o666 },
  ]);
  const config = {
    config: {
      Entrypoint: ['/usr/bin/hostile'],
      Volumes: { '/data/volume': {} },
      Env: ['A=b'],
      ExposedPorts: {},
    },
  };
  await writeLayout(join(work, 'layout'), { app: buildImage({ layers: [layer], config }) });
  await run('chmod', ['-R', 'a+rX', join(work, 'layout')]);
  await run('cp', ['-r', join(inject('images'), 'busybox'), join(work, 'busybox')]);
  await run('chmod', ['-R', 'a+rX', join(work, 'busybox')]);
  victim = spawn('sleep', ['1000000'], { stdio: 'ignore' });
  server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  abstract = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => abstract.listen(`\0ocislim-hostile-${portOf()}`, resolve));
});
afterAll(() => {
  victim.kill('SIGKILL');
  server.close();
  abstract.close();
  removeFolder(work);
});

const portOf = () => (server.address() as AddressInfo).port;

/** The folders and the processes that runs below a folder for temporary files have left. */
function leftBelow(folder: string) {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return words.includes(folder) || /^\/usr\/bin\/hostile\0|^left-behind\0/.test(words);
      } catch {
        return false;
      }
    });
  return { folders: readdirSync(folder).filter((name) => name.startsWith('ocislim')), processes };
}

const nothing = { folders: [], processes: [] };

/** The user that runs ocislim: root, an ordinary one, or one that has further users by /etc/subuid. */
type Runner = 'root' | 'alone' | 'mapped';

const ordinary = ['setpriv', '--reuid', user, '--regid', user, '--clear-groups', '--'];

function wordsOf(runner: Runner): readonly string[] {
  if (runner === 'root') return [];
  if (runner === 'alone') return ordinary;
  const entries = join(work, 'subuid');
  writeFileSync(entries, 'nobody:1000000:65536\n', { mode: 0o644 });
  // The machine's own files stay as they are.
  const mounts = ['uid', 'gid'].map((kind) => `mount --bind ${entries} /etc/sub${kind}`).join(' && ');
  return ['unshare', '--mount', 'sh', '-c', `${mounts} && exec "$@"`, 'sh', ...ordinary];
}

/** A folder for temporary files, and the words that run ocislim. */
function asUser(name: string, runner: Runner) {
  const home = join(work, name);
  mkdirSync(home);
  chmodSync(home, 0o777);
  const words = wordsOf(runner);
  const env = { HOME: home, TMPDIR: home, OCISLIM_CANARY: 'CANARY' };
  const line = (args: readonly string[]) =>
    [
      ...words,
      process.execPath,
      bin,
      'trace',
      'record',
      '-q',
      '-o',
      join(home, 'app.trace'),
      ...args,
    ] as const;
  return { home, env, line };
}

describe.each([
  ['root', 'root'],
  ['an ordinary user', 'alone'],
  ['an ordinary user who has further ones', 'mapped'],
] as const)('as %s', (_, runner) => {
  it('a hostile image reaches nothing outside of its sandbox', async () => {
    const { home, env, line } = asUser(`hostile-${runner}`, runner);
    const args = ['--image', `oci:${join(work, 'layout')}:app`, '--run-for', '0', '--'];
    const [program = '', ...rest] = line([...args, String(victim.pid), String(portOf()), secret]);
    const { stdout, stderr, status } = await runToEnd(program, rest, { env });
    expect([stdout, status], stderr).toEqual(['tried\n', 0]);
    expect(victim.exitCode).toBeNull();
    expect(readdirSync(secret)).toEqual(['canary']);
    expect(leftBelow(home)).toEqual(nothing);
  });

  it('an image runs as it says, with the names of its files in the trace', async () => {
    const { home, env, line } = asUser(`plain-${runner}`, runner);
    const [program = '', ...rest] = line(['--image', `oci:${join(work, 'busybox')}:v1`]);
    const { stdout, stderr, status } = await runToEnd(program, rest, { env });
    expect([stdout, status], stderr).toEqual(['fruit: aPPle\nfruit: fig\nfruit: Pear\n', 0]);
    const trace = readFileSync(join(home, 'app.trace'), 'utf8');
    expect(trace).toContain('{"path":"app/fruit.txt","uses":["open"]}');
    expect(trace).not.toMatch(/bwrap|prlimit|setpriv|ocislim-image/);
    expect(leftBelow(home)).toEqual(nothing);
  });

  it('a program may give files to other users, where there are any', async () => {
    const { home, env, line } = asUser(`owners-${runner}`, runner);
    const script =
      'mkdir /tmp/d && touch /tmp/d/f && chown -R 7:8 /tmp/d && chmod 700 /tmp/d && stat -c "%u %g" /tmp/d/f || echo refused';
    const args = [
      '--image',
      `oci:${join(work, 'busybox')}:v1`,
      '--run-user',
      '0',
      '--run-entrypoint',
      '/bin/sh -c',
    ];
    const [program = '', ...rest] = line([...args, '--', script]);
    const { stdout, stderr } = await runToEnd(program, rest, { env });
    expect(stdout, stderr).toBe(runner === 'alone' ? 'refused\n' : '7 8\n');
    expect(leftBelow(home)).toEqual(nothing);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('after %s no process is left, and no folder', async (signal) => {
    const { home, env, line } = asUser(`${signal}-${runner}`, runner);
    const args = ['--image', `oci:${join(work, 'layout')}:app`, '--', '1', '1', '/nowhere', 'stay'];
    const [program = '', ...rest] = line(args);
    const child = spawn(program, rest, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // It prints that when all was tried, and then sleeps.
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    child.kill(signal);
    await ended;
    await eventually(() => expect(leftBelow(home).processes).toEqual([]));
    if (signal === 'SIGKILL') {
      expect(leftBelow(home).folders.length).toBeGreaterThan(0);
      // The next run removes what is left.
      const [again = '', ...words] = line(['--image', `oci:${join(work, 'busybox')}:v1`]);
      await runToEnd(again, words, { env });
    }
    expect(leftBelow(home)).toEqual(nothing);
  });
});

describe('a run', () => {
  const record = (...args: string[]) =>
    ocislim([
      'trace',
      'record',
      '-q',
      '-o',
      join(work, 'run.trace'),
      '--image',
      `oci:${join(work, 'busybox')}:v1`,
      ...args,
    ]);
  const shell = (script: string, ...options: string[]) =>
    record(...options, '--run-entrypoint', '/bin/sh -c', '--', script);

  it('has the environment, the user, the directory and the hosts that options give it', async () => {
    const options = [
      '--run-env',
      'A=b',
      '--run-user',
      '7:8',
      '--run-workdir',
      '/tmp',
      '--run-hosts',
      'db=10.0.0.1',
    ];
    const { stdout, stderr } = await shell(
      'echo $A $HOSTNAME; id -u; id -g; pwd; grep db /etc/hosts; hostname',
      ...options,
    );
    expect(stdout.split('\n'), stderr).toEqual([
      'b ocislim',
      '7',
      '8',
      '/tmp',
      '10.0.0.1\tdb',
      'ocislim',
      '',
    ]);
  });

  it('has mounts, file systems in memory, and bounded memory', async () => {
    const options = [`--run-mount=${secret}:/mnt/s:ro`, '--run-tmpfs=/cache:1MiB', '--run-memory=64MiB'];
    const script = 'touch /mnt/s/x 2>&1; df -k /cache | tail -n 1 | tr -s " " | cut -d " " -f 2; ulimit -d';
    const { stdout, stderr } = await shell(script, ...options);
    expect(stdout.split('\n').slice(1), stderr).toEqual(['1024', '65536', '']);
    expect(stdout).toContain('Read-only');
    expect(existsSync(join(secret, 'x'))).toBe(false);
  });

  it('is probed in its network, and ends', async () => {
    const probes = ['--http-probe=:8080/fruit.txt', '--exec-probe=cat /etc/hostname', '--run-for=0'];
    const { status, stderr } = await shell('exec httpd -f -p 8080 -h /app', ...probes);
    expect(stderr).toContain('GET http://:8080/fruit.txt: 200');
    expect(status).toBe(0);
  });

  it('refuses options that have no effect, and says why', async () => {
    const { status, stderr } = await ocislim(['trace', 'record', '--run-memory', '1GB', '--', 'true']);
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining('--run-memory goes with --image') as string,
    ]);
  });
});
