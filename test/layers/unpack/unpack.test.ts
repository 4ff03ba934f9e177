import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Disk } from '../../../src/layers/unpack/disk.ts';
import { settle, type Unpacked, unpackTar, type UnpackOptions } from '../../../src/layers/unpack/unpack.ts';
import { defaultLimits } from '../../../src/limits.ts';
import type { Path } from '../../../src/bytes/path.ts';
import { type EntrySpec, writeTar } from '../../support/model/tar-bytes.ts';
import { specOf } from '../../support/model/shorthand.ts';

let folder = '';
let inside = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocislim-unpack-'));
  inside = join(folder, 'private');
  mkdirSync(inside, { mode: 0o700 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const grants = { owners: false, devices: false, setuid: false, xattrs: false };

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
}

function unpack(
  entries: readonly (string | EntrySpec)[],
  options: Partial<UnpackOptions> = {},
  disk = new Disk(inside),
): Promise<Unpacked> {
  const { signal } = new AbortController();
  const whole = { grants, umask: 0o022, limits: defaultLimits, signal, ...options };
  return unpackTar(pieces(writeTar(entries.map(specOf))), disk, whole);
}

const mode = (name: string) => lstatSync(join(inside, name)).mode & 0o7777;

describe('T1, T2: what leads elsewhere is refused, and nothing is written there', () => {
  const up = '../'.repeat(20);
  test.each<[string, (string | EntrySpec)[]]>([
    ['a name with ".."', [`${up}tmp/evil=x`]],
    ['".." in the middle', ['a/../../evil=x']],
    ['a name below a symbolic link', ['out~>..', 'out/evil=x']],
    ['a name below a link to a folder of the image', ['d/', 'out~>d', 'out/evil=x']],
    ['a directory below a symbolic link', ['out~>..', 'out/evil/']],
    ['a directory in the place of a symbolic link', ['out~>..', 'out/', 'out/evil=x']],
    ['a file in the place of a symbolic link', ['out~>../evil', 'out=x']],
    ['a name below a file', ['a=1', 'a/evil=x']],
    ['a hard link to a name that is outside', [`a->${up}etc/passwd`]],
    ['a hard link to an absolute name', ['a->/etc/passwd']],
    ['a hard link through a symbolic link', ['out~>/etc', 'a->out/passwd']],
    ['a hard link to a directory', ['d/', 'a->d']],
    ['a hard link to itself', ['a->a']],
    ['a name twice', ['a=1', 'a=2']],
    ['a root that is a symbolic link', [{ name: './', type: 'symlink', linkname: '/tmp' }]],
    ['a root that is a file', [{ name: '.', body: new Uint8Array(1) }]],
    ['a symbolic link without a target', [{ name: 'a', type: 'symlink', linkname: '' }]],
  ])('as %s does', async (_, entries) => {
    await expect(unpack(entries)).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    expect(readdirSync(folder)).toEqual(['private']);
  });

  test('an absolute name is one in the folder', async () => {
    await unpack(['/etc/ocislim-test=x', '//b=y']);
    expect(readFileSync(join(inside, 'etc/ocislim-test'), 'utf8')).toBe('x');
    expect(readFileSync(join(inside, 'b'), 'utf8')).toBe('y');
  });

  test('symbolic links are made as they are, wherever they lead', async () => {
    await unpack(['a~>/etc/passwd', `b~>${up}x`, 'c~>c', 'd->a']);
    expect(readdirSync(inside)).toEqual(['a', 'b', 'c', 'd']);
    expect(lstatSync(join(inside, 'd')).isSymbolicLink()).toBe(true);
  });

  test.each([['n'.repeat(300)], [`${'d/'.repeat(2040)}x`]])(
    'a name that the system does not take is an error',
    async (name) => {
      await expect(unpack([`${name}=x`])).rejects.toMatchObject({
        code: 'IO',
        message: /ENAMETOOLONG|name too long/,
      });
    },
  );
});

describe('a file system that folds letters or normalises Unicode', () => {
  /** Maps names as such a file system does. */
  class FoldingDisk extends Disk {
    override at(place: Path): Buffer {
      const text = Buffer.from(place, 'latin1').toString('utf8');
      return super.at(Buffer.from(text.toLowerCase().normalize('NFD')).toString('latin1') as Path);
    }
  }

  test.each<[string, string[], string]>([
    ['a file', ['A=1', 'a=2'], '"a": this file system takes it for the same name as "A"'],
    ['a directory', ['Dir/x=1', 'dir/y=2'], '"dir": this file system takes it for the same name as "Dir"'],
    [
      'a name below a link',
      ['Out~>..', 'out/evil=x'],
      '"out": this file system takes it for the same name as "Out"',
    ],
    ['a link', ['x=1', 'X->x'], '"X": this file system takes it for the same name as "x"'],
    ['a symbolic link', ['x=1', 'X~>y'], '"X": this file system takes it for the same name as "x"'],
    [
      'letters with accents',
      ['\u00c3\u00a9=1', 'e\u00cc\u0081=2'],
      'this file system takes it for the same name as "\u00e9"',
    ],
  ])('has one name for two: %s is an error that names both', async (_, entries, message) => {
    await expect(unpack(entries, {}, new FoldingDisk(inside))).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining(message) as string,
    });
    expect(readdirSync(folder)).toEqual(['private']);
  });
});

describe('what an image may ask of the system', () => {
  test('is nothing by default: no setuid bits, no devices, no pipes, no attributes', async () => {
    const { leftOut } = await unpack([
      { name: 'su', mode: 0o6755 },
      { name: 't', type: 'dir', mode: 0o3777 },
      { name: 'dev/sda', type: 'block', devmajor: 8, devminor: 0 },
      { name: 'dev/null', type: 'char', devmajor: 1, devminor: 3 },
      '|pipe',
      'other->pipe',
      { name: 'x', xattrs: { 'user.a': 'b', 'security.capability': 'c' } },
    ]);
    expect(leftOut).toEqual(['dev/sda', 'dev/null', 'pipe', 'other']);
    expect(mode('su')).toBe(0o755);
    expect(readdirSync(inside)).toEqual(['dev', 'su', 't', 'x']);
    expect(readdirSync(join(inside, 'dev'))).toEqual([]);
  });

  test('is granted by name: setuid bits and named pipes', async () => {
    const { folders } = await unpack(
      [
        { name: 'su', mode: 0o6755 },
        { name: 't', type: 'dir', mode: 0o3777 },
        { name: 'd\xffp', type: 'fifo', mode: 0o640 },
      ],
      { grants: { ...grants, setuid: true, devices: true }, umask: 0 },
    );
    settle(new Disk(inside), folders);
    expect([mode('su'), mode('t')]).toEqual([0o6755, 0o3777]);
    const [pipe] = readdirSync(inside, { encoding: 'buffer' });
    const stats = lstatSync(Buffer.concat([Buffer.from(`${inside}/`), pipe ?? Buffer.alloc(0)]));
    expect([pipe, stats.isFIFO(), stats.mode & 0o777]).toEqual([
      Buffer.from('d\xffp', 'latin1'),
      true,
      0o640,
    ]);
  });

  test('modes lose what the mask takes, and folders are closed until they are settled', async () => {
    const entries = [{ name: 'd', type: 'dir', mode: 0o555 } as const, { name: 'd/a', mode: 0o666 }];
    const { folders } = await unpack(entries, { umask: 0o027 });
    expect([mode('d'), mode('d/a')]).toEqual([0o700, 0o640]);
    settle(new Disk(inside), folders);
    expect(mode('d')).toBe(0o550);
  });
});

describe('limits', () => {
  const limits = (more: Partial<UnpackOptions['limits']>) => ({ limits: { ...defaultLimits, ...more } });

  test('end the unpacking: too many files, bytes, and too long names', async () => {
    await expect(unpack(['a', 'b', 'c'], limits({ 'image-entries': 2 }))).rejects.toMatchObject({
      code: 'LIMIT',
    });
    rmSync(inside, { recursive: true });
    mkdirSync(inside);
    await expect(unpack(['a=12345', 'b=12345'], limits({ 'image-bytes': 9 }))).rejects.toMatchObject({
      code: 'LIMIT',
    });
    await expect(unpack([`${'x/'.repeat(10)}y`], limits({ 'path-bytes': 20 }))).rejects.toMatchObject({
      code: 'LIMIT',
    });
  });

  test('count holes of sparse files, too, before anything is made', async () => {
    const sparse = {
      name: 's',
      body: Buffer.from('x'),
      sparse: { format: '1.0', size: 1e15, map: [[0, 1]] },
    } as const;
    await expect(unpack([sparse])).rejects.toMatchObject({ code: 'LIMIT', message: /image-bytes/ });
    expect(readdirSync(inside)).toEqual([]);
  });
});

test.each(['gnu', '0.0', '0.1', '1.0'] as const)(
  'the holes of a sparse file of the form %s stay holes',
  async (format) => {
    const map = [
      [4096, 5],
      [1_000_000, 3],
    ] as const;
    await unpack([
      {
        name: 's',
        body: Buffer.from('hello123'),
        format: format === 'gnu' ? 'gnu' : 'pax',
        sparse: { format, size: 20_000_000, map },
      },
    ]);
    const bytes = readFileSync(join(inside, 's'));
    const expected = Buffer.alloc(20_000_000);
    expected.write('hello', 4096);
    expected.write('123', 1_000_000);
    expect(bytes.equals(expected)).toBe(true);
    expect(statSync(join(inside, 's')).blocks * 512).toBeLessThan(1_000_000);
  },
);

test('times are those of the image, before 1970 too, and those of folders after their files', async () => {
  const { folders } = await unpack([
    { name: 'd', type: 'dir', mtime: '1000' },
    { name: 'd/old', mtime: '-86400' },
    { name: 'd/exact', mtime: '1700000000.123456' },
    { name: 'd/link', type: 'symlink', linkname: 'x', mtime: '5' },
  ]);
  settle(new Disk(inside), folders);
  const time = (name: string) => lstatSync(join(inside, name)).mtimeMs;
  expect(['d', 'd/old', 'd/link'].map(time)).toEqual([1_000_000, -86_400_000, 5000]);
  expect(time('d/exact')).toBeCloseTo(1_700_000_000_123.456, 2);
});

test('what is not wanted is left out, and what is has another name', async () => {
  const placeOf = (path: Path) => (path.startsWith('keep') ? (`new/${path}` as Path) : null);
  await unpack(['drop=1', 'keep=2', 'keep2->keep'], { placeOf });
  expect(readdirSync(inside)).toEqual(['new']);
  expect(readFileSync(join(inside, 'new/keep2'), 'utf8')).toBe('2');
});

test('an interruption stops it', async () => {
  const stop = new AbortController();
  stop.abort(new Error('stop'));
  await expect(unpack(['a=1'], { signal: stop.signal })).rejects.toThrow('stop');
  expect(readdirSync(inside)).toEqual([]);
});
