import fc from 'fast-check';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { fileMounts, systemMounts } from '../../../src/jobs/record/sandbox/mounts.ts';
import { explainNoSandbox, type Findings } from '../../../src/jobs/record/sandbox/diagnosis.ts';
import { makePoint } from '../../../src/jobs/record/sandbox/points.ts';
import { openPrivateRoot } from '../../../src/jobs/record/sandbox/private-root.ts';
import { decodeJob, encodeJob } from '../../../src/jobs/record/sandbox/unpack-job.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { b } from '../../support/bytes.ts';
import { tar } from '../../support/model/shorthand.ts';
import { runs } from '../../support/extent.ts';

const work = realpathSync(mkdtempSync(join(tmpdir(), 'ocislim-points-')));
afterAll(() => rmSync(work, { recursive: true }));
let root: string;
beforeEach(() => {
  rmSync(join(work, 'case'), { recursive: true, force: true });
  root = join(work, 'case/root');
  mkdirSync(root, { recursive: true });
});

describe('a place of a mount', () => {
  it('is made where it is missing', () => {
    expect(makePoint(root, { path: '/data/deep/', kind: 'directory' })).toBe('/data/deep');
    expect(makePoint(root, { path: '/etc/hosts', kind: 'file' })).toBe('/etc/hosts');
    expect(lstatSync(join(root, 'data/deep')).isDirectory()).toBe(true);
    expect(lstatSync(join(root, 'etc/hosts')).isFile()).toBe(true);
  });

  it('is where symlinks of the image lead, within it', () => {
    mkdirSync(join(root, 'run'));
    symlinkSync('../../../run', join(root, 'var'));
    symlinkSync('/../../outside', join(root, 'run/lock'));
    expect(makePoint(root, { path: '/var/lock/x', kind: 'directory' })).toBe('/outside/x');
    expect(readdirSync(join(work, 'case'))).toEqual(['root']);
  });

  it('of /proc and the like is a directory, whatever the image has there', () => {
    symlinkSync('/oldroot/etc', join(root, 'dev'));
    writeFileSync(join(root, 'sys'), '');
    for (const path of ['/dev', '/sys', '/proc']) {
      expect(makePoint(root, { path, kind: 'mount' })).toBe(path);
      expect(lstatSync(join(root, path)).isDirectory()).toBe(true);
    }
  });

  it('is refused where something else is, or symlinks never end', () => {
    writeFileSync(join(root, 'file'), '');
    symlinkSync('loop', join(root, 'loop'));
    for (const path of ['/file', '/file/x', '/loop'])
      expect(() => makePoint(root, { path, kind: 'directory' })).toThrow('nothing can be mounted');
    expect(() => makePoint(root, { path: '/', kind: 'file' })).not.toThrow();
  });

  it('never leads out of the root, whatever symlinks there are', () => {
    const name = fc.constantFrom('a', 'b', 'c', '..', '.');
    const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
    const target = fc
      .tuple(fc.constantFrom('', '/', '../../'), path)
      .map(([start, rest]) => `${start}${rest}`);
    const links = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'a/b', 'b/c'), target), { maxLength: 5 });
    fc.assert(
      fc.property(links, path, fc.constantFrom('directory', 'file'), (made, wanted, kind) => {
        rmSync(root, { recursive: true });
        mkdirSync(root);
        for (const [at, to] of made)
          try {
            const place = join(root, at);
            if (existsSync(dirname(place)) && realpathSync(dirname(place)).startsWith(root))
              symlinkSync(to, place);
          } catch {
            // The name is taken, or leads nowhere.
          }
        try {
          const found = makePoint(root, { path: `/${wanted}`, kind });
          expect(realpathSync(join(root, found))).toBe(join(root, found).replace(/\/$/, ''));
        } catch (error) {
          expect((error as Error).message).toContain('nothing can be mounted');
        }
        expect(readdirSync(join(work, 'case'))).toEqual(['root']);
      }),
      { numRuns: runs(100, 1000) },
    );
  });
});

describe('a private root', () => {
  const open = (stream: AsyncIterable<Uint8Array>) =>
    openPrivateRoot({
      stream: (async function* () {
        yield* stream;
      })(),
      outside: [],
      owners: false,
      points: [{ path: '/etc/hosts', kind: 'file' }],
      limits: defaultLimits,
      signal: new AbortController().signal,
    });
  const bytes = (...chunks: Uint8Array[]) => ({
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
  });

  it('holds the files of a tar, knows their names, and is gone afterwards', async () => {
    const unpacked = await open(bytes(tar('app/', 'app/run=x', 'run~>app/run', '|pipe')));
    expect(readdirSync(unpacked.root).sort()).toEqual(['app', 'etc', 'run']);
    expect(['app/run', 'run', 'etc/hosts'].map((path) => unpacked.names.has(b(path)))).toEqual([
      true,
      true,
      false,
    ]);
    expect(unpacked.losses).toEqual([
      '1 devices and pipes were left out',
      'every file belongs to one user, the only one that there is',
    ]);
    expect(lstatSync(unpacked.folder).mode & 0o777).toBe(0o700);
    await unpacked[Symbol.asyncDispose]();
    expect(existsSync(unpacked.folder)).toBe(false);
  });

  it('fails with the error of the tar, or of what reads the layers', async () => {
    await expect(open(bytes(tar('a~>b', 'a/c=x')))).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    const whole = tar('a=x');
    await expect(open(bytes(whole.subarray(0, 300)))).rejects.toMatchObject({ code: 'TAR_INVALID' });
    const failing = {
      async *[Symbol.asyncIterator]() {
        yield whole.subarray(0, 512);
        throw Object.assign(new Error('no such blob'), { code: 'NOT_FOUND' });
      },
    };
    await expect(open(failing)).rejects.toThrow('no such blob');
  });
});

it('a job survives the command line, also with limits that are infinite', () => {
  const grants = { owners: true, devices: false, setuid: true, xattrs: false };
  const job = { folder: '/x', grants, limits: { ...defaultLimits, time: Infinity }, points: [] };
  expect(decodeJob(encodeJob(job))).toEqual(job);
});

it('mounts below others come after them', () => {
  const mount = (target: string) => ({ source: '/s', target, readOnly: target.includes('ro') });
  expect(
    fileMounts([mount('/a/b'), mount('/ro')], [{ target: '/a', size: 1024 }]).map(({ target }) => target),
  ).toEqual(['/ro', '/a', '/a/b']);
});

it('of /sys the program sees what it needs, read-only', async () => {
  const mounts = await systemMounts();
  const seal = mounts.findIndex(({ kind, target }) => kind === 'seal' && target === '/sys');
  expect(mounts[0]).toEqual({ kind: 'memory', target: '/sys', size: null, isShared: false });
  expect(mounts.slice(1, seal).map(({ target }) => target)).toContain('/sys/devices/system/cpu');
  expect(mounts.filter((mount) => mount.kind === 'bind' && !mount.readOnly)).toEqual([]);
});

describe('a machine without a sandbox', () => {
  const machine: Findings = {
    refused: [],
    hasBubblewrap: true,
    isRoot: false,
    canMount: false,
    clone: null,
    most: '1000',
    apparmor: null,
  };
  it.each([
    ['bubblewrap', { hasBubblewrap: false }, 'apt-get install bubblewrap'],
    ['unprivileged_userns_clone', { clone: '0' }, 'sysctl kernel.unprivileged_userns_clone=1'],
    ['max_user_namespaces', { most: '0' }, 'sysctl user.max_user_namespaces'],
    ['AppArmor', { apparmor: '1' }, 'apparmor_restrict_unprivileged_userns=0'],
    ['may neither mount', { isRoot: true, apparmor: '1', clone: '0' }, '--cap-add SYS_ADMIN'],
    ['are forbidden here', {}, 'seccomp=unconfined'],
  ])('is told what is wrong: %s', (why, parts, advice) => {
    const error = explainNoSandbox('auto', { ...machine, ...parts });
    expect(error.code).toBe('UNSUPPORTED');
    expect(error.message).toContain(why);
    expect(error.advice).toContain(advice);
  });

  const refused = [
    { by: 'bwrap', why: 'spawn bwrap ENOENT' },
    { by: 'unshare', why: 'no line for him' },
    { by: 'unshare', why: 'no loopback: install iproute2' },
  ] as const;
  it.each([
    ['auto', false, 'bubblewrap is not installed, and unshare does not work (no loopback: install iproute2)'],
    ['auto', true, 'bubblewrap is not installed, and unshare does not work (no line for him)'],
    ['bwrap', false, 'bubblewrap is not installed'],
    ['unshare', false, 'unshare does not work (no loopback: install iproute2)'],
  ])('with --sandbox %s, as root %s, is told what is missing of each', (sandbox, isRoot, why) => {
    const found = { ...machine, isRoot, canMount: isRoot, hasBubblewrap: false, refused };
    expect(explainNoSandbox(sandbox, found).message).toBe(
      `the program of an image cannot be run in a sandbox here: ${why}`,
    );
  });

  it('is told what bubblewrap says, where it is there', () => {
    const error = explainNoSandbox('auto', { ...machine, refused });
    expect(error.message).toContain('forbidden here (spawn bwrap ENOENT)');
  });
});
