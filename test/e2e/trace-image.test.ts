/**
 * `trace record --image`: images that are unpacked and run in a sandbox, as root and as an ordinary user. A hostile one reaches nothing outside, and
 * no folder or process is left, however the run ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { paired } from '../support/extent.ts';
import { bin, ocislim } from '../support/e2e/cli.ts';
import { buildGo, removeFolder, run, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { type Runner, wordsOf } from '../support/e2e/runners.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

let work: string;
/** A folder of this machine that no program of an image may see. */
let secret: string;
let server: Server;
let abstract: Server;
let victim: ChildProcess;

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

/** A folder for temporary files, and the words that run ocislim. */
function asUser(name: string, runner: Runner) {
  const home = join(work, name);
  mkdirSync(home);
  chmodSync(home, 0o777);
  const words = wordsOf(runner, work);
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

/** Ways in which an image is run: by this user, in a sandbox that this program makes. Each user has one sandbox today, and the other tomorrow. */
const runners = ['root', 'alone', 'mapped'] as const;
const ways = (['bwrap', 'unshare'] as const).flatMap((sandbox, column) =>
  paired(runners, column, 2).map((runner) => [runner, sandbox] as const),
);

describe.each(ways)('as a user of the kind "%s", by %s', (runner, sandbox) => {
  const prepare = (name: string) => asUser(`${name}-${runner}-${sandbox}`, runner);
  const image = (name: string) => ['--sandbox', sandbox, '--image', `oci:${join(work, name)}`];

  /** Starts the hostile image, which sleeps when it has tried everything, and ends ocislim then. Resolves to what it printed. */
  async function killHostile(signal: NodeJS.Signals, { env, line }: ReturnType<typeof prepare>) {
    const targets = [String(victim.pid), String(portOf()), secret, 'stay'];
    const [program = '', ...rest] = line([...image('layout:app'), '--', ...targets]);
    const child = spawn(program, rest, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    let printed = '';
    await new Promise<void>((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        if (printed.endsWith('tried\n')) resolve();
      });
      child.once('exit', () => resolve());
    });
    child.kill(signal);
    await ended;
    return printed;
  }

  it('a hostile image reaches nothing outside of its sandbox, and is gone after Ctrl-C', async () => {
    const user = prepare('hostile');
    expect(await killHostile('SIGINT', user)).toBe('tried\n');
    expect(victim.exitCode).toBeNull();
    expect(readdirSync(secret)).toEqual(['canary']);
    await eventually(() => expect(leftBelow(user.home)).toEqual(nothing));
  });

  it('an image runs as it says, and its trace has its files; what a killed run left is removed', async () => {
    const user = prepare('plain');
    const { home, env, line } = user;
    await killHostile('SIGKILL', user);
    await eventually(() => expect(leftBelow(home).processes).toEqual([]));
    expect(leftBelow(home).folders.length).toBeGreaterThan(0);
    const [program = '', ...rest] = line(image('busybox:v1'));
    const { stdout, stderr, status } = await runToEnd(program, rest, { env });
    expect([stdout, status], stderr).toEqual(['fruit: aPPle\nfruit: fig\nfruit: Pear\n', 0]);
    const trace = readFileSync(join(home, 'app.trace'), 'utf8');
    expect(trace).toContain('{"path":"app/fruit.txt","uses":["open"]}');
    expect(trace).not.toMatch(/bwrap|prlimit|setpriv|mount|dev\/null|ocislim-image|\.ocislim/);
    expect(leftBelow(home)).toEqual(nothing);
  });

  it('a program may give files to other users, where there are any', async () => {
    const { home, env, line } = prepare('owners');
    const script =
      'mkdir /tmp/d && touch /tmp/d/f && chown -R 7:8 /tmp/d && chmod 700 /tmp/d && stat -c "%u %g" /tmp/d/f || echo refused';
    const args = [...image('busybox:v1'), '--run-user', '0', '--run-entrypoint', '/bin/sh -c'];
    const [program = '', ...rest] = line([...args, '--', script]);
    const { stdout, stderr } = await runToEnd(program, rest, { env });
    expect(stdout, stderr).toBe(runner === 'alone' ? 'refused\n' : '7 8\n');
    expect(leftBelow(home)).toEqual(nothing);
  });

  it('a command beside the program has its user, and its rights', async () => {
    const { home, env, line } = prepare('beside');
    const same =
      'test "$(id -u):$(id -g)" = 5:7 && grep -q "^CapEff:.0*$" /proc/self/status && pwd | grep /tmp';
    const args = [...image('busybox:v1'), '--run-user', '5:7', '--run-workdir', '/tmp', '--run-for', '0'];
    const probe = ['--exec-probe', `sh -c '${same}'`, '--run-entrypoint', '/bin/sh -c'];
    const [program = '', ...rest] = line([...args, ...probe, '--', `${same}; exec sleep 1000`]);
    const { stdout, stderr, status } = await runToEnd(program, rest, { env });
    expect([stdout, status], stderr).toEqual(['/tmp\n', 0]);
    expect(leftBelow(home)).toEqual(nothing);
  });
});

describe.each(['bwrap', 'unshare'])('a run by %s', (sandbox) => {
  const record = (...args: string[]) =>
    ocislim([
      'trace',
      'record',
      '-q',
      '-o',
      join(work, 'run.trace'),
      '--image',
      `oci:${join(work, 'busybox')}:v1`,
      '--sandbox',
      sandbox,
      ...args,
    ]);
  const shell = (script: string, ...options: string[]) =>
    record(...options, '--run-entrypoint', '/bin/sh -c', '--', script);

  it('has the environment, the user, the directory and the hosts that options give it', async () => {
    const options = [
      '--run-env=A=b  c',
      "--run-env=B=it's",
      '--run-user=7:8',
      '--run-workdir=/tmp',
      '--run-hosts=db=10.0.0.1',
    ];
    const { stdout, stderr } = await shell(
      'echo "$A $B $HOSTNAME"; id -u; id -g; pwd; grep db /etc/hosts; hostname; env | cut -d = -f 1 | sort | tr "\n" " "',
      ...options,
    );
    const lines = ["b  c it's ocislim", '7', '8', '/tmp', '10.0.0.1\tdb', 'ocislim'];
    const names = 'A B HOME HOSTNAME PATH PWD SHLVL ';
    expect(stdout.split('\n'), stderr).toEqual([...lines, names]);
  });

  it('has mounts, file systems in memory, and bounded memory', async () => {
    const options = [
      `--run-mount=${secret}:/mnt/s:ro`,
      '--run-tmpfs=/cache:1MiB',
      '--run-memory=64MiB',
      '--run-user=7',
    ];
    const script =
      'touch /mnt/s/x 2>&1; df -k /cache | tail -n 1 | tr -s " " | cut -d " " -f 2; ulimit -d; touch /cache/x /dev/shm/x && echo written';
    const { stdout, stderr } = await shell(script, ...options);
    expect(stdout.split('\n').slice(1), stderr).toEqual(['1024', '65536', 'written', '']);
    expect(stdout).toContain('Read-only');
    expect(existsSync(join(secret, 'x'))).toBe(false);
  });

  it('is probed in its network, and ends', async () => {
    const probes = ['--http-probe=:8080/fruit.txt', '--exec-probe=cat /etc/hostname', '--run-for=0'];
    const { status, stderr } = await shell('exec httpd -f -p 8080 -h /app', ...probes);
    expect(stderr).toContain('GET http://:8080/fruit.txt: 200');
    expect(status).toBe(0);
  });

  it('has a first process that takes the end of others, and ends with the program', async () => {
    const script =
      '(sleep 0.1 & exit); (sleep 1000 &) ; sleep 0.3; grep -h "^State:.Z" /proc/[0-9]*/status; exit 5';
    const { status, stdout, stderr } = await shell(script);
    expect([status, stdout], stderr).toEqual([5, '']);
  });
});

describe('trace record', () => {
  const args = ['trace', 'record', '-q', '-o', '/dev/null', '--image'];

  it('takes the other sandbox where bubblewrap is not installed', async () => {
    const programs = join(work, 'programs');
    mkdirSync(programs);
    for (const folder of ['/usr/sbin', '/usr/bin'])
      for (const name of readdirSync(folder))
        if (name !== 'bwrap' && !existsSync(join(programs, name)))
          symlinkSync(join(folder, name), join(programs, name));
    const image = `oci:${join(work, 'busybox')}:v1`;
    const command = [...args, image, '--run-entrypoint', '/bin/cat', '--', '/proc/1/cmdline'];
    const found = await ocislim(command, { PATH: programs });
    expect([found.stdout, found.status], found.stderr).toEqual([
      expect.stringMatching(/^\/bin\/sh\0/) as string,
      0,
    ]);
    const forced = await ocislim([...command.slice(0, -2), '--sandbox', 'bwrap', '--', 'x'], {
      PATH: programs,
    });
    expect([forced.status, forced.stderr]).toEqual([
      1,
      expect.stringContaining('bubblewrap is not installed') as string,
    ]);
  });

  it('runs an image in a bare chroot for root, and says that it does not confine', async () => {
    const user = asUser('chroot', 'root');
    const image = ['--image', `oci:${join(work, 'busybox')}:v1`, '--sandbox', 'chroot'];
    const [program = '', ...rest] = user.line(image);
    const { stdout, stderr, status } = await runToEnd(program, rest, { env: user.env });
    expect([stdout, status], stderr).toEqual(['fruit: aPPle\nfruit: fig\nfruit: Pear\n', 0]);
    expect(stderr).toContain('a chroot does not confine the program');
    const trace = readFileSync(join(user.home, 'app.trace'), 'utf8');
    expect(trace).toContain('{"path":"app/fruit.txt","uses":["open"]}');
    expect(trace).not.toMatch(/unshare|prlimit|ocislim-image/);
    expect(leftBelow(user.home)).toEqual(nothing);
    const other = asUser('chroot-alone', 'alone');
    const [again = '', ...words] = other.line(image);
    const refused = await runToEnd(again, words, { env: other.env });
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringContaining('--sandbox chroot needs root') as string,
    ]);
  });

  it('refuses an image of another architecture before it reads a layer, and names the option', async () => {
    const layout = join(work, 'foreign');
    const image = buildImage({
      layers: [writeTar([specOf('app=x')])],
      config: { os: 'linux', architecture: 'mips', config: { Entrypoint: ['/app'] } },
    });
    await writeLayout(layout, { app: image });
    for (const { digest } of image.layers) rmSync(join(layout, 'blobs', digest.replace(':', '/')));
    const foreign = await ocislim([...args, `oci:${layout}:app`, '--platform', 'linux/mips']);
    expect([foreign.status, foreign.stderr]).toEqual([
      1,
      expect.stringMatching(/is for linux\/mips, and this machine .*\n.* --platform linux\//) as string,
    ]);
    // Without the option, the platform of the image is told.
    const unknown = await ocislim([...args, `oci:${layout}:app`]);
    expect([unknown.status, unknown.stderr]).toEqual([
      1,
      expect.stringContaining('--platform linux/mips') as string,
    ]);
  });

  it('refuses options that have no effect, and says why', async () => {
    const { status, stderr } = await ocislim(['trace', 'record', '--run-memory', '1GB', '--', 'true']);
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining('--run-memory goes with --image') as string,
    ]);
  });
});
