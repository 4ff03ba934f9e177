import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
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
  readonly runs?: readonly object[];
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

  describe('in a root filesystem, as the user who runs this', () => {
    const isRoot = process.getuid?.() === 0;
    const script = [
      'chown 7:8 /tmp/owned && stat -c "%u %g" /tmp/owned || echo refused',
      'su -s /bin/sh app -c id 2>/dev/null || echo refused',
      'cat /proc/self/status | grep CapPrm',
      'echo > /dev/null && ls /dev/null',
    ].join('\n');

    it('root has all users, and an entrypoint may switch to them', async () => {
      writeFileSync(join(root, 'tmp/owned'), '');
      writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/app:/bin/sh\n');
      writeFileSync(join(root, 'etc/group'), 'root:x:0:\napp:x:1001:\nweb:x:33:app\n');
      const file = join(work, 'users.trace');
      const args = ['--root', root, '--', 'sh', '-c', script];
      const { stdout, stderr } = await ocislim(['trace', 'record', '-o', file, ...args]);
      const [owner, id, bounded, device] = stdout.split('\n');
      expect(owner, stderr).toBe(isRoot ? '7 8' : 'refused');
      expect(id).toBe(isRoot ? 'uid=1000(app) gid=1001(app) groups=33(web),1001(app)' : 'refused');
      // Neither CAP_MKNOD nor CAP_SYS_ADMIN.
      expect(bounded).toMatch(/^CapPrm:\t00000000a00425fb$|^CapPrm:\t0{16}$/);
      expect(device).toBe('/dev/null');
      expect(existsSync(join(root, 'dev/null'))).toBe(false);
    });

    it('--user has the rights of that user and no others', async () => {
      writeFileSync(join(root, 'etc/secret'), 'x', { mode: 0o600 });
      const file = join(work, 'user.trace');
      const args = [
        '--root',
        root,
        '--user',
        'app',
        '--',
        'sh',
        '-c',
        'id; cat /etc/secret 2>/dev/null || echo no',
      ];
      const { stdout } = await ocislim(['trace', 'record', '-o', file, ...args]);
      expect(stdout).toContain('uid=1000(app) gid=1001(app)');
      // Without root, the files of the root filesystem belong to the only user that there is.
      expect(stdout.endsWith('no\n')).toBe(isRoot);
      const { uses, header } = readTrace(file);
      expect(uses.get('etc/secret')).toEqual([isRoot ? 'fail' : 'open']);
      expect([...uses.keys()].filter((path) => /ocislim|setpriv/.test(path))).toEqual([]);
      expect(header.runs).toEqual([
        { status: 0, signal: null, stopped: null, seconds: expect.any(Number) as number },
      ]);
    });

    it('runs the command of the image, if none is given', async () => {
      const file = join(work, 'default.trace');
      const ended = await ocislim(['trace', 'record', '-o', file, '--root', root, '--image', busybox()]);
      expect(ended.stdout).toBe('fruit: aPPle\nfruit: fig\nfruit: Pear\n');
      expect(readTrace(file).header.command).toEqual(['/app/run.sh']);
    });
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
    expect(readTrace(file).header.runs).toMatchObject([{ status: 143, signal: 'SIGTERM', stopped: 'for' }]);
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
    expect(readTrace(file).header.runs).toMatchObject([{ status: 7, stopped: 'signal' }]);
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
