import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asByteString } from '../../../src/bytes/bytes.ts';
import { OcislimError } from '../../../src/errors.ts';
import { temporaryMark } from '../../../src/files/temporary.ts';
import { type Extraction, type ExtractWish, extractFiles } from '../../../src/jobs/look/extract-files.ts';
import { lawRuns, rootfsOf } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { type BuiltImage, buildImage } from '../../support/image-builder.ts';
import { MemorySource, type MemorySourceOptions } from '../../support/memory-store.ts';
import type { Rootfs } from '../../support/model/filesystem.ts';
import { tar } from '../../support/model/shorthand.ts';
import { differences, readFolder, seenOf } from '../../support/on-disk.ts';

let folder = '';
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-extract-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Returns a folder that is not there yet. */
const fresh = () => join(folder, `out-${(count += 1)}`);
const grants = { owners: false, devices: false, setuid: false, xattrs: false };

type Wish = Partial<Omit<ExtractWish, 'path'>> & MemorySourceOptions & { readonly signal?: AbortSignal };

async function extract(image: BuiltImage, path: string, into: string, wish: Wish = {}): Promise<Extraction> {
  const { layer = null, strip = false, force = false, verify = true, ...more } = wish;
  const source = new MemorySource(image, { label: 'app:1', ...more });
  const { signal = new AbortController().signal } = more;
  const options = { source, platform: null, jobs: 1, maxScratch: 0, listener: () => {}, signal };
  const whole = {
    path: asByteString(path),
    into,
    layer,
    strip,
    force,
    verify,
    grants: more.grants ?? grants,
  };
  try {
    return await extractFiles(options, whole);
  } finally {
    expect(source.held).toBe(0);
  }
}

/** What is left of a root filesystem without devices and named pipes, which are not asked for. */
function plain(rootfs: Rootfs): Rootfs {
  return new Map([...rootfs].filter(([, { kind }]) => !['char', 'block', 'fifo'].includes(kind)));
}

/** The files below a directory, by their names in it. */
function below(rootfs: Rootfs, directory: string): Rootfs {
  const prefix = directory === '' ? '' : `${directory}/`;
  return new Map(
    [...rootfs].flatMap(([path, node]) =>
      path === directory
        ? [['', node] as const]
        : path.startsWith(prefix)
          ? [[path.slice(prefix.length), node] as const]
          : [],
    ),
  );
}

/** What this process's mask leaves of a mode. */
let mask = 0;
beforeAll(() => {
  mkdirSync(join(folder, 'probe'));
  mask = 0o777 & ~lstatSync(join(folder, 'probe')).mode;
});
const granted = (mode: number) => mode & 0o1777 & ~mask;

test('law: what is extracted of an image, or of a directory of it, is what a container sees', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack(), fc.nat(), async ({ layers }, choice) => {
      const tars = layers.map((layer) => layer.tar);
      const rootfs = rootfsOf(tars);
      const directories = [...rootfs].filter(([, { kind }]) => kind === 'dir').map(([path]) => path);
      const directory = directories[choice % directories.length] ?? '';
      const into = fresh();
      const { leftOut } = await extract(buildImage({ layers: tars, compress: 'none' }), directory, into, {
        strip: true,
      });
      const part = below(rootfs, directory);
      // The folder that was named has the usual mode, if the image says nothing of its root.
      if (rootfs.get(directory)?.implied === true) chmodSync(into, granted(0o755));
      expect(differences(readFolder(into), seenOf(plain(part), granted))).toEqual([]);
      expect(leftOut).toHaveLength(part.size - plain(part).size);
      await rm(into, { recursive: true });
    }),
    { numRuns: lawRuns() },
  );
});

const app = buildImage({
  layers: [
    tar(
      'etc/a=1',
      'etc/d/b=2',
      'etc/link~>/a',
      'bin~>usr/bin',
      'usr/bin/sh=sh',
      'etc/old=gone',
      'x=1',
      'etc/hard->x',
    ),
    tar('etc/a=new', 'etc/.wh.old', 'etc/d/hard->usr/bin/sh', 'etc/empty/'),
  ],
});
const read = (...names: string[]) => readFileSync(join(...names), 'utf8');

describe('the folder', () => {
  test('gets a directory under its own name, or what is in it', async () => {
    const into = fresh();
    const { destination, files, directories, symlinks, links, layers } = await extract(app, '/etc/', into);
    expect(destination).toBe(join(into, 'etc'));
    expect(readdirSync(join(into, 'etc')).toSorted()).toEqual(['a', 'd', 'empty', 'hard', 'link']);
    expect([files, directories, symlinks, links, layers]).toEqual([4, 3, 1, 0, [1, 2]]);
    const other = fresh();
    expect((await extract(app, 'etc', other, { strip: true })).destination).toBe(other);
    expect(read(other, 'a')).toBe('new');
    expect(readFileSync(join(other, 'd/hard'), 'utf8')).toBe('sh');
  });

  test('gets a file under the name that was asked for', async () => {
    const into = fresh();
    await extract(app, 'bin/sh', into);
    expect(readdirSync(into)).toEqual(['sh']);
    expect(lstatSync(into).mode & 0o777).toBe(0o777 & ~mask);
    await extract(app, 'etc/hard', into);
    expect(read(into, 'hard')).toBe('1');
    await extract(app, 'bin', into);
    expect(read(into, 'bin/sh')).toBe('sh');
  });

  test('is made with those above it, and may be there already', async () => {
    const into = join(fresh(), 'a/b');
    await extract(app, 'etc/a', into);
    await extract(app, 'usr', into);
    expect(readdirSync(into).toSorted()).toEqual(['a', 'usr']);
    symlinkSync(into, `${into}-link`);
    await extract(app, 'x', `${into}-link`);
    expect(read(into, 'x')).toBe('1');
  });

  test('keeps what it has: a name that is taken is refused', async () => {
    const into = fresh();
    mkdirSync(join(into, 'etc'), { recursive: true });
    writeFileSync(join(into, 'x'), 'mine');
    for (const path of ['etc', 'x'])
      await expect(extract(app, path, into)).rejects.toMatchObject({
        code: 'IO',
        message: /already/,
        advice: /--force/,
      });
    await expect(extract(app, '/', into)).rejects.toMatchObject({ code: 'IO', message: /already/ });
    expect(readdirSync(into).toSorted()).toEqual(['etc', 'x']);
    expect(read(into, 'x')).toBe('mine');
  });

  test('is refused where a file stands', async () => {
    const file = fresh();
    writeFileSync(file, '');
    await expect(extract(app, 'etc', file)).rejects.toMatchObject({ code: 'IO', message: /it is a file/ });
    await expect(extract(app, 'etc', join(file, 'x'))).rejects.toMatchObject({ code: 'IO' });
  });
});

describe('with force', () => {
  test('files are replaced and folders get what is new, with the rights that they had', async () => {
    const into = fresh();
    mkdirSync(join(into, 'etc/d'), { recursive: true });
    chmodSync(join(into, 'etc'), 0o711);
    for (const name of ['etc/a', 'etc/own', 'etc/d/own']) writeFileSync(join(into, name), 'mine');
    await extract(app, 'etc', into, { force: true });
    expect(['a', 'own', 'd/own', 'd/b'].map((name) => read(into, 'etc', name))).toEqual([
      'new',
      'mine',
      'mine',
      '2',
    ]);
    expect(lstatSync(join(into, 'etc')).mode & 0o777).toBe(0o711);
    expect(readdirSync(into)).toEqual(['etc']);
  });

  test('a symbolic link that is there is replaced, not followed', async () => {
    const [into, outside] = [fresh(), fresh()];
    for (const each of [into, outside]) mkdirSync(each);
    writeFileSync(join(outside, 'file'), 'mine');
    symlinkSync(outside, join(into, 'etc'));
    symlinkSync(join(outside, 'file'), join(into, 'x'));
    await extract(app, 'etc', into, { force: true });
    await extract(app, 'x', into, { force: true });
    expect(readdirSync(outside)).toEqual(['file']);
    expect([read(outside, 'file'), read(into, 'x'), read(into, 'etc/a')]).toEqual(['mine', '1', 'new']);
  });

  test('a folder does not give way to a file', async () => {
    const into = fresh();
    mkdirSync(join(into, 'x/mine'), { recursive: true });
    await expect(extract(app, 'x', into, { force: true })).rejects.toMatchObject({
      code: 'IO',
      message: /it is a folder/,
    });
    expect(readdirSync(into)).toEqual(['x']);
  });

  test('where one name cannot get its place, nothing is changed', async () => {
    const into = fresh();
    mkdirSync(join(into, 'd/z/mine'), { recursive: true });
    for (const name of ['d/own', 'a']) writeFileSync(join(into, name), 'old');
    const image = buildImage({ layers: [tar('a=new', 'd/new/x=1', 'd/own=new', 'd/z=1')] });
    // Folders may have held temporary files meanwhile, which gives them another time.
    const before = new Map(
      [...readFolder(into)].map(([path, seen]) => [
        path,
        seen.kind === 'dir' ? { ...seen, mtime: undefined } : seen,
      ]),
    );
    await expect(extract(image, '/', into, { force: true, strip: true })).rejects.toMatchObject({
      code: 'IO',
      message: `cannot write "${into}/d/z": it is a folder, and would become a file`,
    });
    expect(differences(readFolder(into), before)).toEqual([]);
  });

  test.each(['a file', 'a symbolic link'])(
    'a folder that replaces %s has the mode and time of the image',
    async (there) => {
      const into = fresh();
      mkdirSync(join(into, 'd'), { recursive: true });
      for (const name of ['stk', 'd/stk'])
        if (there === 'a file') writeFileSync(join(into, name), '');
        else symlinkSync('d', join(into, name));
      const directory = { type: 'dir', mode: 0o1777, mtime: '1000' } as const;
      const image = buildImage({
        layers: [tar({ name: 'stk', ...directory }, 'stk/x=1', { name: 'd/stk', ...directory })],
      });
      await extract(image, '/', into, { force: true, strip: true });
      for (const name of ['stk', 'd/stk']) {
        const { mode, mtimeMs } = lstatSync(join(into, name));
        expect([mode & 0o7777, mtimeMs]).toEqual([granted(0o1777), 1_000_000]);
      }
    },
  );
});

describe('of one layer', () => {
  test('its own files are extracted, markers not', async () => {
    const into = fresh();
    const image = buildImage({
      layers: [tar('d/a=1', 'd/b=1', 'd/c->d/b'), tar('d/a=2', 'd/.wh.b', 'd/.wh..wh..opq')],
    });
    await extract(image, 'd', join(into, '1'), { layer: 1, strip: true });
    await extract(image, 'd', join(into, '2'), { layer: 2, strip: true });
    expect(readdirSync(join(into, '1'))).toEqual(['a', 'b', 'c']);
    expect(readdirSync(join(into, '2'))).toEqual(['a']);
    expect(read(into, '2/a')).toBe('2');
  });

  test('a further name of a file below is told of', async () => {
    await expect(extract(app, 'etc', fresh(), { layer: 2 })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: 'source app:1: in layer 2 "etc/d/hard" is a further name of a file that a layer below holds',
    });
  });
});

test.each([
  ['|p', 'a named pipe'],
  [{ name: 'p', type: 'char', devmajor: 1, devminor: 3 } as const, 'a device'],
])('a special file alone is refused where such files are not asked for: %j', async (entry, what) => {
  const into = fresh();
  await expect(extract(buildImage({ layers: [tar(entry)] }), 'p', into)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: `app:1: "p" is ${what}, which is left out`,
    advice: '--devices makes devices and named pipes.',
  });
  expect(existsSync(into)).toBe(false);
});

test('a named pipe is made where it is asked for', async () => {
  const into = fresh();
  const image = buildImage({ layers: [tar('|p')] });
  expect(await extract(image, 'p', into, { grants: { ...grants, devices: true } })).toMatchObject({
    devices: 1,
    leftOut: [],
  });
  expect(lstatSync(join(into, 'p')).isFIFO()).toBe(true);
});

test('only layers that hold some of it are read a second time', async () => {
  const image = buildImage({ layers: [tar('a=1'), tar('d/b=2'), tar('c=3')] });
  const source = new MemorySource(image);
  const { signal } = new AbortController();
  const options = { source, platform: null, jobs: 1, maxScratch: 0, listener: () => {}, signal };
  const wish = { layer: null, strip: false, force: false, verify: true, grants, into: fresh() };
  await extractFiles(options, { ...wish, path: asByteString('d') });
  expect(image.layers.map(({ digest }) => source.countOf(digest))).toEqual([1, 2, 1]);
  await extractFiles(options, { ...wish, path: asByteString('c') });
  expect(image.layers.map(({ digest }) => source.countOf(digest))).toEqual([1, 2, 3]);
});

describe('a layer that changes behind the files', () => {
  const good = tar('d/a=1', `z=${'x'.repeat(5000)}`);
  const bad = good.map((byte, i) => (i === 2500 ? byte ^ 1 : byte));
  const one = buildImage({ layers: [good], compress: 'none' });
  const changing = () => {
    const blobs = new Map(one.blobs);
    let opened = 0;
    const onOpen = (digest: string) => {
      if (digest === one.layers[0]?.digest && ++opened === 2) blobs.set(digest, bad);
    };
    return { tree: { ...one, blobs }, onOpen };
  };

  test.each(['new', 'there'])('leaves nothing in a folder that is %s', async (kind) => {
    const into = fresh();
    if (kind === 'there') mkdirSync(into);
    const { tree, onOpen } = changing();
    await expect(extract(tree, 'd', into, { onOpen })).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(existsSync(into) ? readdirSync(into) : []).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('is not noticed where that is not wanted', async () => {
    const into = fresh();
    const { tree, onOpen } = changing();
    await extract(tree, 'd', into, { onOpen, verify: false });
    expect(read(into, 'd/a')).toBe('1');
  });
});

test('an interruption leaves nothing, whenever it comes', async () => {
  for (const nth of [1, 2, 3, 4]) {
    const into = fresh();
    const stop = new AbortController();
    let opened = 0;
    const onOpen = () => {
      if (++opened === nth) stop.abort(new OcislimError('INTERRUPTED', 'stop'));
    };
    await expect(extract(app, 'etc', into, { onOpen, signal: stop.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    expect(existsSync(into)).toBe(false);
  }
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('what a killed process left is swept away', async () => {
  const into = fresh();
  mkdirSync(into);
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const [mark = ''] = /\d+-\d+-[0-9a-f]{8}-/.exec(temporaryMark()) ?? [];
  const left = join(into, `.ocislim.partial-${mark.replace(/^\d+-\d+/, `${pid}-1`)}0123456789abcdef`);
  mkdirSync(join(left, 'd'), { recursive: true });
  await extract(app, 'x', into);
  expect(readdirSync(into)).toEqual(['x']);
});
