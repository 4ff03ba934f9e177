import { type ByteString } from '../../../src/bytes/bytes.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OcislimError } from '../../../src/errors.ts';
import { silent } from '../../../src/events.ts';
import { type Difference, type Verification, verifyImages } from '../../../src/jobs/compare/verify.ts';
import { renderVerification } from '../../../src/cli/commands/verification-text.ts';
import type { Platform } from '../../../src/oci/platform.ts';
import { arrange } from '../../../src/slim/arrange.ts';
import { prune } from '../../../src/slim/prune.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { squash } from '../../../src/slim/squash.ts';
import { formProblems, levelled, type Outcome, rootfsOf, run } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { describeSpec } from '../../support/arbitrary/stack.ts';
import { artifactOf, blobOf, indexOf, rowOf } from '../../support/artifacts.ts';
import {
  type BuiltImage,
  type BuiltTree,
  buildAttestation,
  buildImage,
  buildIndex,
  digestOf,
  type ImageRecipe,
  MEDIA_TYPES,
} from '../../support/image-builder.ts';
import { MemorySource, type MemorySourceOptions } from '../../support/memory-store.ts';
import { bytesOf, show } from '../../support/model/byte-string.ts';
import { diffRootfs, InvalidLayer, type Rootfs } from '../../support/model/filesystem.ts';
import { type Short, specOf } from '../../support/model/shorthand.ts';
import { type EntrySpec, type SparseFormat, writeTar } from '../../support/model/tar-bytes.ts';

const runs = Number(process.env['OCISLIM_LAW_RUNS'] ?? 100);
const all = { kind: 'all' } as const;

function tar(...entries: Short[]): Uint8Array {
  return writeTar(entries.map(specOf));
}

function imageOf(layers: readonly Uint8Array[], recipe: Partial<ImageRecipe> = {}): BuiltImage {
  return buildImage({ layers, compress: 'none', ...recipe });
}

type Options = {
  readonly allowed?: (path: string) => boolean;
  readonly allowedModes?: (path: string, from: number, to: number) => boolean;
  readonly allowedLinks?: (path: string) => string | null;
  readonly platforms?: readonly Platform[];
  readonly signal?: AbortSignal;
  readonly source?: MemorySourceOptions;
};

type Verified = { readonly result: Verification; readonly a: MemorySource; readonly b: MemorySource };

async function verify(left: BuiltTree, right: BuiltTree, options: Options = {}): Promise<Verified> {
  const a = new MemorySource(left, { label: 'a.test/app:1', ...options.source });
  const b = new MemorySource(right, { label: 'b.test/app:2', ...options.source });
  try {
    const result = await verifyImages({
      a,
      b,
      platforms: options.platforms ?? [],
      allowed: options.allowed ?? (() => false),
      ...(options.allowedModes === undefined ? {} : { allowedModes: options.allowedModes }),
      ...(options.allowedLinks === undefined
        ? {}
        : { allowedLinks: options.allowedLinks as (path: ByteString) => ByteString | null }),
      jobs: 2,
      maxScratch: 0,
      listener: silent,
      signal: options.signal ?? new AbortController().signal,
    });
    return { result, a, b };
  } finally {
    expect([a.held, b.held]).toEqual([0, 0]);
  }
}

async function errorOf(promise: Promise<unknown>): Promise<OcislimError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OcislimError)) throw new Error(`no error of the family: ${String(error)}`);
  return error;
}

/** `what path: a → b` of each difference of images of one platform. */
function linesOf({ platforms }: Verification): string[] {
  expect(platforms).toHaveLength(1);
  return (platforms[0]?.differences ?? []).map(lineOf);
}

function lineOf({ what, path, a, b }: Difference): string {
  return `${what} ${path}: ${a} → ${b}`;
}

async function differences(left: Short[], right: Short[]): Promise<string[]> {
  const { result } = await verify(imageOf([tar(...left)]), imageOf([tar(...right)]));
  const lines = linesOf(result);
  expect(result.equal).toBe(lines.length === 0);
  return lines;
}

const file: EntrySpec = {
  name: 'f',
  mode: 0o755,
  uid: 1000,
  gid: 50,
  uname: 'app',
  mtime: '1700000000.5',
  xattrs: { 'security.capability': '\x01\0\0\x02\xff' },
  body: bytesOf('0123456789'),
};

describe('every attribute of a path is compared', () => {
  const device: EntrySpec = { name: 'd', type: 'char', devmajor: 1, devminor: 3 };
  const cases: readonly [string, EntrySpec, EntrySpec, readonly string[]][] = [
    ['permissions', file, { ...file, mode: 0o4755 }, ['mode f: 0755 → 4755']],
    ['owner', file, { ...file, uid: 1001 }, ['owner f: 1000:50 ("app":"") → 1001:50 ("app":"")']],
    ['group', file, { ...file, gid: 3_000_000 }, ['owner f: 1000:50 ("app":"") → 1000:3000000 ("app":"")']],
    ['owner name', file, { ...file, uname: '' }, ['owner f: 1000:50 ("app":"") → 1000:50']],
    ['group name', file, { ...file, gname: '\xff' }, ['owner f: 1000:50 ("app":"") → 1000:50 ("app":0xff)']],
    [
      'a nanosecond',
      file,
      { ...file, mtime: '1700000000.500000001' },
      ['time f: 1700000000.5 → 1700000000.500000001'],
    ],
    [
      'less than a nanosecond',
      file,
      { ...file, mtime: '1700000000.5000000001' },
      ['time f: 1700000000.5 → 1700000000.5000000001'],
    ],
    ['time before 1970', { ...file, mtime: '-0.5' }, { ...file, mtime: '0.5' }, ['time f: -0.5 → 0.5']],
    [
      'a byte of an xattr',
      file,
      { ...file, xattrs: { 'security.capability': '\x01\0\0\x02\xfe' } },
      ['xattr f: "security.capability"=0x01000002ff → "security.capability"=0x01000002fe'],
    ],
    [
      'another name of an xattr',
      { ...file, xattrs: { 'user.a': 'x' } },
      { ...file, xattrs: { 'user.b': 'x' } },
      ['xattr f: "user.a"="x" → no "user.a"', 'xattr f: no "user.b" → "user.b"="x"'],
    ],
    [
      'an empty xattr',
      { ...file, xattrs: { 'user.a': '' } },
      { ...file, xattrs: {} },
      ['xattr f: "user.a"="" → no "user.a"'],
    ],
    [
      'an ACL',
      { ...file, xattrs: {}, pax: [['SCHILY.acl.access', 'user::rwx']] },
      { ...file, xattrs: {} },
      ['xattr f: "SCHILY.acl.access"="user::rwx" → no "SCHILY.acl.access"'],
    ],
    [
      'a byte of the contents',
      file,
      { ...file, body: bytesOf('012345678!') },
      [
        `content f: 10 bytes, ${digestOf(bytesOf('0123456789')).slice(7)} → 10 bytes, ${digestOf(bytesOf('012345678!')).slice(7)}`,
      ],
    ],
    [
      'the target of a symlink',
      { name: 's', type: 'symlink', linkname: 'a' },
      { name: 's', type: 'symlink', linkname: './a' },
      ['target s: "a" → "./a"'],
    ],
    ['a device number', device, { ...device, devminor: 5 }, ['device d: 1,3 → 1,5']],
    ['kind of a device', device, { ...device, type: 'block' }, ['kind d: char device → block device']],
    ['kind', { name: 'x', type: 'fifo' }, { name: 'x' }, ['kind x: fifo → file']],
    ['a directory', { name: 'x/', type: 'dir' }, { name: 'x' }, ['kind x: directory → file']],
    [
      'attributes of a directory',
      { name: 'x/', type: 'dir' },
      { name: 'x/', type: 'dir', mode: 0o700 },
      ['mode x: 0755 → 0700'],
    ],
    [
      'attributes of the root',
      { name: './', type: 'dir' },
      { name: './', type: 'dir', mtime: '7' },
      ['time /: 0 → 7'],
    ],
  ];
  test.each(cases)('finds a difference of %s', async (_, before, after, expected) => {
    expect(await differences(['other', before], ['other', after])).toEqual(expected);
    expect(await differences([after, 'other'], ['other', after])).toEqual([]);
  });

  test('finds missing and added paths', async () => {
    expect(await differences(['a', 'b/c'], ['b/d'])).toEqual([
      'missing a: file → nothing',
      'missing b/c: file → nothing',
      'added b/d: nothing → file',
    ]);
  });

  test('distinguishes texts of any length', async () => {
    const long = 'u'.repeat(3000);
    const [line = '', ...more] = await differences(
      [{ ...file, xattrs: { 'user.a': `${long}1` } }],
      [{ ...file, xattrs: { 'user.a': `${long}2` } }],
    );
    expect(more).toEqual([]);
    expect(line).toMatch(/^xattr f: "user.a"="u{32}"… 3001 bytes, sha256 [0-9a-f]{64} → /);
    expect(line.length).toBeLessThan(400);
  });

  test('the same attributes in other tar formats are the same', async () => {
    const plain: EntrySpec = {
      ...file,
      xattrs: {},
      mtime: '1700000000',
      uid: 3_000_000,
      name: 'n'.repeat(120),
    };
    expect(await differences([{ ...plain, format: 'gnu' }], [{ ...plain, format: 'pax-all' }])).toEqual([]);
    expect(
      await differences(
        [{ ...plain, format: 'pax', mtime: '-1' }],
        [{ ...plain, format: 'gnu', mtime: '-1' }],
      ),
    ).toEqual([]);
    expect(await differences([{ name: 'a', format: 'v7' }], ['./a'])).toEqual([]);
    const comment: EntrySpec = {
      name: 'a',
      pax: [
        ['comment', 'x'],
        ['atime', '5'],
      ],
    };
    expect(await differences([comment], ['a'])).toEqual([]);
  });

  test('at most a thousand differences are kept, all are counted', async () => {
    const many = Array.from({ length: 1200 }, (_, i) => `f${i}`);
    const { result } = await verify(imageOf([tar(...many)]), imageOf([tar()]));
    expect(result.platforms[0]).toMatchObject({ differenceCount: 1200, compared: 1, allowedMissing: 0 });
    expect(result.platforms[0]?.differences).toHaveLength(1000);
  });
});

describe('directories without an entry', () => {
  test('an implied one equals a plain one, whatever its time and owner names', async () => {
    expect(
      await differences(['d/a'], [{ name: 'd/', type: 'dir', mtime: '77', uname: 'root' }, 'd/a']),
    ).toEqual([]);
    expect(await differences([{ name: './', type: 'dir', mtime: '5' }, 'a'], ['a'])).toEqual([]);
  });

  test('an implied one differs from one with attributes of its own', async () => {
    const own: EntrySpec = { name: 'd/', type: 'dir', mode: 0o750, uid: 7, xattrs: { 'user.a': 'b' } };
    expect(await differences(['d/a'], [own, 'd/a'])).toEqual([
      'mode d: 0755 → 0750',
      'owner d: 0:0 → 7:0',
      'xattr d: no "user.a" → "user.a"="b"',
    ]);
  });

  test('one that is implied by a whiteout alone counts', async () => {
    const { result } = await verify(imageOf([tar('d/a'), tar('d/.wh.a')]), imageOf([tar()]));
    expect(linesOf(result)).toEqual(['missing d: directory → nothing']);
  });
});

describe('hard links', () => {
  test('a name with a copy of its own is found', async () => {
    expect(await differences(['a=1', 'b->a', 'c->a'], ['a=1', 'b=1', 'c->a'])).toEqual([
      'links b: a hard link to "a" → a file of its own',
    ]);
  });

  test('another grouping of the same number of names is found', async () => {
    expect(await differences(['a=1', 'b=1', 'c->a', 'd->b'], ['a=1', 'b=1', 'c->b', 'd->a'])).toEqual([
      'links c: a hard link to "a" → a hard link to "b"',
      'links d: a hard link to "b" → a hard link to "a"',
    ]);
  });

  test('neither the name that stores the data nor the headers of links count', async () => {
    const other: EntrySpec = { name: 'a', type: 'link', linkname: 'b', mode: 0o600, uid: 5 };
    expect(await differences(['a=1', 'b->a'], ['b=1', other])).toEqual([]);
  });

  test('a link keeps the data of a file that a higher layer replaced', async () => {
    const before = imageOf([tar('a=old', 'b->a'), tar('a=new')]);
    const { result } = await verify(before, imageOf([tar('b=old', 'a=new')]));
    expect(result.equal).toBe(true);
    const { result: wrong } = await verify(before, imageOf([tar('b=new', 'a=new')]));
    expect(linesOf(wrong)).toHaveLength(1);
  });
});

describe('sparse files', () => {
  const sparse = (format: SparseFormat, offset = 8192): EntrySpec => ({
    name: 's',
    sparse: {
      format,
      size: 20_000,
      map: [
        [0, 3],
        [offset, 4],
      ],
    },
    body: bytesOf('abcdefg'),
    format: format === 'gnu' ? 'gnu' : 'pax',
  });
  const expanded = (offset = 8192): EntrySpec => {
    const body = new Uint8Array(20_000);
    body.set(bytesOf('abc'), 0);
    body.set(bytesOf('defg'), offset);
    return { name: 's', body };
  };

  test.each(['gnu', '0.0', '0.1', '1.0'] as const)(
    '%s: equal contents are known, however they are stored',
    async (format) => {
      expect(await differences([sparse(format)], [sparse(format)])).toEqual([]);
      const [line, ...more] = await differences([sparse(format)], [expanded()]);
      expect(line).toMatch(/^stored s: sparse \((GNU|PAX 0|PAX 1.0)\), 2 pieces, [0-9a-f]{64} → plain$/);
      expect(more).toEqual([]);
    },
  );

  test('with different contents differ', async () => {
    expect((await differences([sparse('1.0')], [expanded(8193)])).map((line) => line.split(' ')[0])).toEqual([
      'content',
    ]);
    expect(
      (await differences([sparse('1.0')], [sparse('1.0', 8191)])).map((line) => line.split(' ')[0]),
    ).toEqual(['content']);
    const hole = (size: number): EntrySpec => ({
      name: 's',
      sparse: { format: '1.0', size, map: [[size, 0]] },
      body: new Uint8Array(0),
    });
    expect((await differences([hole(1e15)], [hole(1e15 + 1)])).map((line) => line.split(' ')[0])).toEqual([
      'content',
    ]);
  });

  test('with a false map are refused', async () => {
    const odd: EntrySpec = {
      ...sparse('0.1'),
      sparse: {
        format: '0.1',
        size: 8193,
        map: [
          [0, 3],
          [8192, 4],
        ],
      },
    };
    const error = await errorOf(verify(imageOf([tar(odd)]), imageOf([tar('s')])));
    expect(error.code).toBe('TAR_INVALID');
    expect(error.message).toBe('source a.test/app:1, layer 1: a sparse file in a tar has an unreadable map');
  });
});

describe('what is read', () => {
  const layers = [tar('base=1'), tar('app=2'), tar('top=3')];

  test('nothing, where both are the same blobs', async () => {
    const image = imageOf(layers);
    const { result, a, b } = await verify(image, {
      ...image,
      ...imageOf(layers, { annotations: { x: 'y' } }),
    });
    expect(result).toEqual({
      equal: true,
      verdict: 'same',
      platforms: [
        {
          platform: 'linux/amd64',
          sameLayers: true,
          compared: 0,
          differences: [],
          differenceCount: 0,
          allowedMissing: 0,
          allowedChanges: 0,
        },
      ],
      artifacts: [],
    });
    expect(
      [...a.opened, ...b.opened].filter((digest) => image.layers.some((layer) => layer.digest === digest)),
    ).toEqual([]);
  });

  test('each recompressed blob, once, on both sides', async () => {
    const before = imageOf(layers, { compress: ['gzip', 'gzip', 'none'] });
    const after = imageOf(layers, { compress: ['gzip', 'zstd', 'zstd'] });
    const { result, a, b } = await verify(before, after);
    expect(result).toMatchObject({ equal: true, platforms: [{ sameLayers: true }] });
    expect(before.layers.map(({ digest }) => a.countOf(digest))).toEqual([0, 1, 1]);
    expect(after.layers.map(({ digest }) => b.countOf(digest))).toEqual([0, 1, 1]);
  });

  test('a layer that both have, wherever it lies, once', async () => {
    const before = imageOf([...layers, layers[1] as Uint8Array]);
    const after = imageOf([tar('base=1', 'app=2'), layers[2] as Uint8Array]);
    const { result, a, b } = await verify(before, after);
    expect(result.equal).toBe(true);
    expect(before.layers.map(({ digest }) => a.countOf(digest) + b.countOf(digest))).toEqual([1, 1, 1, 1]);
    expect(b.countOf(after.layers[1]?.digest ?? '')).toBe(1);
  });

  test('a layer that platforms share, once', async () => {
    const index = (...extra: Uint8Array[]): BuiltTree =>
      buildIndex({
        images: ['amd64', 'arm64'].map((architecture) =>
          imageOf([layers[0] as Uint8Array, ...extra, tar(`bin=${architecture}`)], {
            platform: { os: 'linux', architecture },
          }),
        ),
      });
    const { result, a, b } = await verify(index(), index(tar()));
    expect(result).toMatchObject({
      equal: true,
      platforms: [
        { platform: 'linux/amd64', compared: 3 },
        { platform: 'linux/arm64', compared: 3 },
      ],
    });
    const base = digestOf(layers[0] as Uint8Array);
    expect(a.countOf(base) + b.countOf(base)).toBe(1);
  });

  test('T12: a blob that does not unpack to its DiffID is an error, even where all DiffIDs agree', async () => {
    const before = imageOf(layers);
    const wrong = imageOf([tar('base=1'), tar('app=2'), tar('top=4')], { compress: 'gzip' });
    const config = { rootfs: { type: 'layers', diff_ids: before.diffIds } };
    const after = imageOf([tar('base=1'), tar('app=2'), tar('top=4')], { compress: 'gzip', config });
    expect(after.layers).toEqual(wrong.layers);
    const error = await errorOf(verify(before, after));
    expect(error.code).toBe('DIFFID_MISMATCH');
    expect(error.message).toMatch(/^source b\.test\/app:2, layer 3: /);
  });

  test('a blob with a wrong digest is an error', async () => {
    const before = imageOf(layers);
    const after = imageOf([tar('base=1', 'app=2', 'top=3')]);
    const [layer] = after.layers;
    const blobs = new Map([...after.blobs, [layer?.digest ?? '', tar('base=1', 'app=2', 'top=4')] as const]);
    const error = await errorOf(verify(before, { ...after, blobs }));
    expect(['DIGEST_MISMATCH', 'DIFFID_MISMATCH']).toContain(error.code);
    expect(error.message).toMatch(/^source b\.test\/app:2, layer 1: /);
  });

  test('a layer that cannot be applied names its image', async () => {
    const error = await errorOf(verify(imageOf([tar('a')]), imageOf([tar('a'), tar('b->c')])));
    expect(error.code).toBe('LAYER_INVALID');
    expect(error.message).toMatch(/^source b\.test\/app:2: the hard link "b" in layer 2 /);
  });

  test('an abort stops the comparison', async () => {
    const interrupt = new AbortController();
    const source = { onOpen: () => interrupt.abort(new OcislimError('INTERRUPTED', 'stop')) };
    const error = await errorOf(
      verify(imageOf([tar('a')]), imageOf([tar('b')]), { signal: interrupt.signal, source }),
    );
    expect(error.code).toBe('INTERRUPTED');
  });
});

describe('platforms and config', () => {
  const forPlatform = (architecture: string, variant?: string): BuiltImage =>
    imageOf([tar(`bin=${architecture}${variant ?? ''}`)], {
      platform: { os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) },
    });

  test('an image that one side does not have is a difference, unless others are selected', async () => {
    const before = buildIndex({ images: [forPlatform('amd64'), forPlatform('arm64')], attestations: true });
    const { result } = await verify(
      before,
      buildIndex({ images: [forPlatform('amd64'), forPlatform('s390x')] }),
    );
    expect(result.equal).toBe(false);
    expect(
      result.platforms.map(({ platform, differences: found }) => [platform, ...found.map(lineOf)]),
    ).toEqual([
      ['linux/amd64'],
      ['linux/arm64', 'platform : linux/arm64 → no such image'],
      ['linux/s390x', 'platform : no such image → linux/s390x'],
    ]);
    const { result: selected } = await verify(before, forPlatform('amd64'), {
      platforms: [{ os: 'linux', architecture: 'amd64' }],
    });
    expect(selected).toMatchObject({ equal: true, platforms: [{ platform: 'linux/amd64' }] });
  });

  test('variants are paired with the same variants', async () => {
    const arms = ['v6', 'v7', 'v8'].map((variant) =>
      forPlatform(variant === 'v8' ? 'arm64' : 'arm', variant),
    );
    const { result } = await verify(
      buildIndex({ images: arms }),
      buildIndex({ images: [...arms].reverse() }),
    );
    expect(result).toMatchObject({ equal: true });
    expect(result.platforms.map(({ platform }) => platform)).toEqual([
      'linux/arm/v6',
      'linux/arm/v7',
      'linux/arm64/v8',
    ]);
  });

  test('a platform that only the descriptor states more exactly is the same', async () => {
    const exact = {
      ...forPlatform('arm64'),
      descriptor: {
        ...forPlatform('arm64').descriptor,
        platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      },
    };
    const { result } = await verify(
      buildIndex({ images: [exact, forPlatform('amd64')] }),
      buildIndex({ images: [forPlatform('amd64'), forPlatform('arm64')] }),
    );
    expect(result.equal).toBe(true);
  });

  test('two single images are compared on any platforms', async () => {
    const { result } = await verify(
      forPlatform('amd64'),
      imageOf([tar('bin=amd64')], { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }),
    );
    expect(linesOf(result)).toEqual([
      'config architecture: "amd64" → "arm64"',
      'config variant: nothing → "v8"',
    ]);
  });

  test('everything that a container runs with is compared; history is not', async () => {
    const config = {
      Env: ['A=1', 'B=2'],
      Cmd: ['/bin/sh'],
      User: 'app',
      Labels: { a: '1', b: '2' },
      ExposedPorts: { '80/tcp': {} },
      Entrypoint: null,
    };
    const image = (changes: object, more: object = {}): BuiltImage =>
      imageOf([tar('a')], { config: { config: { ...config, ...changes }, ...more } });
    const found = async (changes: object, more: object = {}) =>
      linesOf((await verify(image({}), image(changes, more))).result);
    expect(await found({ Env: ['B=2', 'A=1'] })).toEqual([
      'config config.Env: ["A=1","B=2"] → ["B=2","A=1"]',
    ]);
    expect(await found({ User: undefined, Entrypoint: ['x'] })).toEqual([
      'config config.User: "app" → nothing',
      'config config.Entrypoint: nothing → ["x"]',
    ]);
    expect(await found({ Labels: { b: '2', a: '3', 'pfl\u00e4nzchen': '' } })).toEqual([
      'config config.Labels.a: "1" → "3"',
      'config config.Labels.pfl\xc3\xa4nzchen: nothing → ""',
    ]);
    expect(await found({ ExposedPorts: {} })).toEqual(['config config.ExposedPorts.80/tcp: {} → nothing']);
    expect(
      await found(
        { Entrypoint: undefined, Labels: { b: '2', a: '1' } },
        { created: '1999-01-01T00:00:00Z', author: 'me' },
      ),
    ).toEqual([]);
    expect(await found({}, { config: undefined })).toHaveLength(1);
  });

  test('an artifact that is not an image is refused', async () => {
    const image = imageOf([tar('a')]);
    const artifact = buildIndex({ images: [image], attestations: true });
    const index = JSON.parse(new TextDecoder().decode(artifact.index)) as {
      manifests: { annotations?: object }[];
    };
    index.manifests = index.manifests.filter(({ annotations }) => annotations !== undefined);
    const bytes = new TextEncoder().encode(JSON.stringify(index));
    const digest = digestOf(bytes);
    const tree = {
      descriptor: { ...artifact.descriptor, digest, size: bytes.length },
      blobs: new Map([...artifact.blobs, [digest, bytes] as const]),
    };
    const error = await errorOf(verify(image, tree));
    expect([error.code, error.message]).toEqual([
      'UNSUPPORTED',
      'b.test/app:2 is not an image but an artifact of another kind',
    ]);
  });
});

describe('paths that may be missing', () => {
  const allowed =
    (...paths: string[]) =>
    (path: string) =>
      paths.includes(path);

  test('are counted, and others are differences', async () => {
    const before = imageOf([tar('a', 'b', 'c/', 'c/d')]);
    const { result } = await verify(before, imageOf([tar('a', 'c/')]), { allowed: allowed('b', 'c/d') });
    expect(result).toMatchObject({ equal: true, platforms: [{ allowedMissing: 2, compared: 3 }] });
    const { result: wrong } = await verify(before, imageOf([tar('a')]), { allowed: allowed('b', 'c/d') });
    expect(linesOf(wrong)).toEqual(['missing c: directory → nothing']);
  });

  test('must be unchanged if they exist, and nothing may appear in their place', async () => {
    const before = imageOf([tar('a=1', 'b=1')]);
    const { result } = await verify(before, imageOf([tar('a=2', 'b/', 'c')]), { allowed: () => true });
    expect(linesOf(result).map((line) => line.slice(0, 9))).toEqual(['content a', 'kind b: f', 'added c: ']);
  });

  test('a directory without an entry goes with what implied it', async () => {
    const before = imageOf([tar('d/e/f', 'd/g')]);
    const { result } = await verify(before, imageOf([tar('x')]), { allowed: allowed('d/e/f', 'd/g') });
    expect(linesOf(result)).toEqual(['added x: nothing → file']);
    expect(result.platforms[0]?.allowedMissing).toBe(4);
    const { result: partly } = await verify(before, imageOf([tar()]), { allowed: allowed('d/e/f') });
    expect(linesOf(partly)).toEqual(['missing d/g: file → nothing']);
  });

  test('a hard-link group may lose names, but not fall apart', async () => {
    const before = imageOf([tar('a=1', 'b->a', 'c->a')]);
    const { result } = await verify(before, imageOf([tar('b=1', 'c->b')]), { allowed: allowed('a') });
    expect(result).toMatchObject({ equal: true, platforms: [{ allowedMissing: 1 }] });
    const { result: wrong } = await verify(before, imageOf([tar('b=1', 'c=1')]), { allowed: allowed('a') });
    expect(linesOf(wrong)).toEqual(['links c: a hard link to "b" → a file of its own']);
  });
});

test('permission bits may change only where announced, for all names of the file', async () => {
  const file = (name: string, mode: number) => ({ ...specOf(`${name}=1`), mode });
  const layers = (a: number, c: number) => [
    writeTar([file('a', a), specOf('b->a'), file('c', c), file('d', 0o755)]),
  ];
  const before = imageOf(layers(0o4755, 0o4711));
  const allowedModes = (path: string, from: number, to: number) =>
    path === 'a' && from === 0o4755 && to === 0o755;
  const { result } = await verify(before, imageOf(layers(0o755, 0o711)), { allowedModes });
  expect(linesOf(result)).toEqual(['mode c: 4711 → 0711']);
  const { result: other } = await verify(before, imageOf(layers(0o700, 0o4711)), { allowedModes });
  expect(linesOf(other)).toEqual(['mode a: 4755 → 0700', 'mode b: 4755 → 0700']);
});

describe('files may become one where that was announced', () => {
  const groups: Record<string, string> = { a: 'a', b: 'a', z: 'y', y: 'y' };
  const allowedLinks = (path: string) => groups[path] ?? null;
  const before = imageOf([tar('a=1', 'b=1', 'c->b', 'd=1', 'y=2', 'z=3')]);

  test('with all the names that they had', async () => {
    const after = imageOf([tar('a=1', 'd=1', 'y=2', 'z=3', 'b->a', 'c->a')]);
    expect((await verify(before, after, { allowedLinks })).result.equal).toBe(true);
    const { result } = await verify(before, after);
    expect(linesOf(result)).toEqual([
      'links b: a file of its own → a hard link to "a"',
      'links c: a hard link to "b" → a hard link to "a"',
    ]);
    // What was announced need not have happened to what layers above have changed since.
    expect((await verify(before, before, { allowedLinks })).result.equal).toBe(true);
  });

  test('under a name that another file had before', async () => {
    const names: Record<string, string> = { a: 'a', b: 'a', c: 'c', d: 'c' };
    const original = imageOf([tar('b=2', 'c->b'), tar('a=1', 'b=1', 'd=2')]);
    const after = imageOf([tar('a=1', 'c=2', 'b->a', 'd->c')]);
    const { result } = await verify(original, after, { allowedLinks: (path) => names[path] ?? null });
    expect(linesOf(result)).toEqual([]);
  });

  test('but not fall apart, nor with others, nor with other contents', async () => {
    const apart = imageOf([tar('a=1', 'b=1', 'c=1', 'd=1', 'y=2', 'z=3')]);
    expect(linesOf((await verify(before, apart, { allowedLinks })).result)).toEqual([
      'links c: a hard link to "b" → a file of its own',
    ]);
    const others = imageOf([tar('a=1', 'b->a', 'c->a', 'd->a', 'y=2', 'z=3')]);
    expect(linesOf((await verify(before, others, { allowedLinks })).result)).toEqual([
      'links d: a file of its own → a hard link to "a"',
    ]);
    const contents = imageOf([tar('a=1', 'b->a', 'c->a', 'd=1', 'y=2', 'z->y')]);
    expect(linesOf((await verify(before, contents, { allowedLinks })).result)).toEqual([
      expect.stringMatching(/^content z/),
    ]);
  });

  test('under a name that only a lower layer has', async () => {
    const upper = tar('.wh.b');
    const after = imageOf([tar('a=1', 'd=1', 'y=2', 'z=3', 'b->a', 'c->b'), upper]);
    const original = imageOf([tar('a=1', 'b=1', 'c->b', 'd=1', 'y=2', 'z=3'), upper]);
    expect((await verify(original, after, { allowedLinks })).result.equal).toBe(true);
  });
});

describe('over random stacks of layers', () => {
  test('a squashed image equals its source', async () => {
    await fc.assert(
      fc.asyncProperty(layerStack({ minLayers: 1 }), fc.nat(), fc.nat(), async (stack, x, y) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const from = (Math.min(x, y) % tars.length) + 1;
        const to = Math.max(from, (Math.max(x, y) % tars.length) + 1);
        const outcome = await run(tars, squash({ kind: 'range', from, to }));
        const { result } = await verify(imageOf(tars), imageOf(outcome.tars, { compress: 'gzip' }));
        expect(result.platforms.flatMap(({ differences: found }) => found)).toEqual([]);
        const visible = rootfsOf(tars).size;
        expect(result.platforms[0]?.compared).toBe(outcome.tars.length === tars.length ? 0 : visible);
      }),
      { numRuns: runs },
    );
  });

  const globs = fc.array(
    fc.constantFrom('a', 'b', 'a/**', '**/b', 'c/*', '*/a', 'b/**/c', '**', '!a', '!**/c', 'd', '?', '*/*/a'),
    { minLength: 1, maxLength: 4 },
  );

  /** Makes a predicate for the paths that the report of a prune names, and all paths below them. */
  function namedBy({ resolution }: Outcome): (path: string) => boolean {
    const named = new Set(
      resolution.removals.flatMap(({ change, reason }) =>
        reason.kind === 'rule' ? [resolution.table?.paths[change.path] ?? ''] : [],
      ),
    );
    const covers = (path: string): boolean =>
      named.has(path) || (path.includes('/') && covers(path.slice(0, path.lastIndexOf('/'))));
    return covers;
  }

  test('a pruned image equals its source without the paths of the report', async () => {
    await fc.assert(
      fc.asyncProperty(layerStack({ minLayers: 1 }), globs, fc.boolean(), async (stack, texts, shadowed) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const rules = texts.map((text) => parseRule(text, '--rule'));
        const outcome = await run(tars, prune(all, { rules, shadowed }));
        const before = imageOf(tars);
        const after = imageOf(outcome.tars);
        const allowed = namedBy(outcome);
        const { result } = await verify(before, after, { allowed });
        expect(result.platforms.flatMap(({ differences: found }) => found)).toEqual([]);
        // Not naming a file that went is a difference.
        const [left, right] = [rootfsOf(tars), rootfsOf(outcome.tars)];
        const gone = [...left].find(([path, node]) => !right.has(path) && !node.implied)?.[0];
        if (gone === undefined) return;
        const { result: wrong } = await verify(before, after, {
          allowed: (path) => path !== gone && allowed(path),
        });
        const found = wrong.platforms[0]?.differences ?? [];
        expect(found.map(({ what, path }) => `${what} ${path}`)).toContain(`missing ${gone}`);
        // Other findings are only the directories that it alone implied.
        for (const { path } of found) expect(`${gone}/`.startsWith(`${path}/`), path).toBe(true);
      }),
      { numRuns: runs },
    );
  });

  test('linked files are no differences if announced, and only these', async () => {
    await fc.assert(
      fc.asyncProperty(layerStack({ minLayers: 1 }), fc.nat(), async (stack, count) => {
        const tars = levelled(stack);
        const from = (count % tars.length) + 1;
        const selection = { kind: 'range', from, to: tars.length } as const;
        const outcome = await run(
          tars,
          squash(selection),
          arrange(selection, { order: 'similar', hardlinks: true, always: true }),
        );
        const links = new Map<string, string>();
        const { table, linked } = outcome.resolution;
        for (const { link, to } of linked) {
          const name = table?.paths[to.path] ?? '';
          links.set(name, name);
          links.set(table?.paths[link.path] ?? '', name);
        }
        const [before, after] = [imageOf(tars), imageOf(outcome.tars)];
        const { result } = await verify(before, after, { allowedLinks: (path) => links.get(path) ?? null });
        expect(result.platforms.flatMap(({ differences: found }) => found)).toEqual([]);
        const { result: plain } = await verify(before, after);
        expect(plain.equal).toBe(linked.length === 0);
        expect(plain.platforms[0]?.differences.every(({ what }) => what === 'links')).toBe(true);
      }),
      { numRuns: runs },
    );
  });

  test('prune --shadowed changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(layerStack({ minLayers: 1 }), async (stack) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const outcome = await run(tars, prune(all, { shadowed: true }));
        const { result } = await verify(imageOf(tars), imageOf(outcome.tars));
        expect(result.platforms.flatMap(({ differences: found }) => found)).toEqual([]);
        expect(formProblems(outcome, tars)).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  type Mutation = (spec: EntrySpec) => readonly EntrySpec[];
  const changed =
    (change: (spec: EntrySpec) => Partial<EntrySpec>): Mutation =>
    (spec) => [{ ...spec, format: spec.sparse?.format === 'gnu' ? 'gnu' : 'pax', ...change(spec) }];
  const nextTime = (time: string): string => {
    const [whole = '0', fraction = ''] = time.split('.');
    return `${whole}.${fraction.padEnd(9, '0').slice(0, 8)}${fraction[8] === '7' ? '8' : '7'}`;
  };
  const mutations: Readonly<Record<string, Mutation>> = {
    none: (spec) => [spec],
    mode: changed(({ mode = 0o644 }) => ({ mode: mode ^ 0o001 })),
    uid: changed(({ uid = 0 }) => ({ uid: uid + 1 })),
    gid: changed(({ gid = 0 }) => ({ gid: gid + 1 })),
    uname: changed(({ uname = '' }) => ({ uname: `${uname}x` })),
    gname: changed(({ gname = '' }) => ({ gname: `${gname}\xe9` })),
    nanosecond: changed(({ mtime = '0' }) => ({ mtime: nextTime(mtime) })),
    'xattr byte': changed(({ xattrs = {} }) => ({
      xattrs: { ...xattrs, 'user.a': xattrs['user.a'] === 'x' ? 'z' : 'x' },
    })),
    'no xattrs': (spec) =>
      Object.keys(spec.xattrs ?? {}).length === 0 ? [spec] : changed(() => ({ xattrs: {} }))(spec),
    'content byte': (spec) => {
      if (spec.body === undefined || spec.body.length === 0) return [spec];
      const body = new Uint8Array(spec.body);
      body[body.length - 1] = (body[body.length - 1] as number) ^ 1;
      return [{ ...spec, body }];
    },
    'content length': (spec) =>
      spec.body === undefined || spec.sparse !== undefined
        ? [spec]
        : [{ ...spec, body: Buffer.concat([spec.body, Buffer.of(0)]) }],
    target: (spec) =>
      spec.type === 'symlink' ? [{ ...spec, linkname: `${spec.linkname}/.`, format: 'pax' }] : [spec],
    device: (spec) =>
      spec.type === 'char' || spec.type === 'block'
        ? [{ ...spec, devminor: (spec.devminor ?? 0) + 1 }]
        : [spec],
    kind: (spec) =>
      spec.type === 'dir' || spec.type === 'global' ? [spec] : [{ name: spec.name, type: 'fifo' }],
    'link split': (spec) => (spec.type === 'link' ? [{ name: spec.name, body: bytesOf('a copy') }] : [spec]),
    missing: () => [],
    added: (spec) => [spec, { name: 'a new name' }],
    'another link': (spec) =>
      spec.type === undefined || spec.type === 'file'
        ? [spec, { name: 'a new name', type: 'link', linkname: spec.name }]
        : [spec],
  };

  /** Returns the paths whose attributes differ in the model, and whether the grouping of hard links differs, too. */
  function modelSays(before: Rootfs, after: Rootfs): { paths: Set<string>; links: boolean } {
    const lines = diffRootfs(before, after);
    const links = lines.filter((line) => line.includes('": hard links "'));
    const others = lines.filter((line) => !links.includes(line));
    return {
      paths: new Set(others.map((line) => line.slice(0, line.indexOf('": ') + 1))),
      links: links.length > 0,
    };
  }

  test('a change to one entry is found exactly where the model finds it', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        layerStack({ minLayers: 1, maxLayers: 4 }),
        fc.constantFrom(...Object.keys(mutations)),
        fc.nat(),
        async (stack, mutation, at) => {
          const tars = stack.layers.map((layer) => layer.tar);
          const mutate = mutations[mutation] as Mutation;
          const places = stack.layers.flatMap((layer, i) =>
            layer.entries.flatMap((spec, j) => {
              const specs = spec.type === 'global' ? [spec] : mutate(spec);
              return specs.length === 1 && specs[0] === spec && mutation !== 'none'
                ? []
                : [{ i, j, spec, specs }];
            }),
          );
          fc.pre(places.length > 0);
          const { i, j, spec, specs } = places[at % places.length] as (typeof places)[number];
          const entries = [...(stack.layers[i]?.entries ?? [])];
          entries.splice(j, 1, ...specs);
          const changed = tars.map((tar, number) => (number === i ? writeTar(entries) : tar));
          const before = rootfsOf(tars);
          const after = validRootfs(changed);
          fc.pre(after !== null);
          const model = modelSays(before, after);
          const { result } = await verify(imageOf(tars), imageOf(changed));
          const found = result.platforms[0]?.differences ?? [];
          const context = `${mutation} of ${describeSpec(spec)}\n${found.map(lineOf).join('\n')}`;
          const attributes = found.filter(({ what }) => what !== 'links');
          expect(new Set(attributes.map(({ path }) => show(path === '/' ? '' : path))), context).toEqual(
            model.paths,
          );
          if (found.some(({ what }) => what === 'links')) expect(model.links, context).toBe(true);
          if (model.paths.size === 0) expect(result.equal, context).toBe(!model.links);
          if (!result.equal) seen.add(mutation);
        },
      ),
      { numRuns: runs * 3 },
    );
    expect(seen.size).toBeGreaterThan(5);
  });

  function validRootfs(tars: readonly Uint8Array[]): Rootfs | null {
    try {
      return rootfsOf(tars);
    } catch (error) {
      if (error instanceof InvalidLayer) return null;
      throw error;
    }
  }
});

describe('what is not an image', () => {
  const amd = imageOf([tar('a=1')]);
  const arm = imageOf([tar('a=2')], { platform: { os: 'linux', architecture: 'arm64' } });
  const evil = imageOf([tar('a=3')], { platform: { os: 'linux', architecture: 'arm64' } });
  const chart = artifactOf(blobOf('application/vnd.example.config', '{}'), [blobOf('text/plain', 'chart')]);
  const forged = artifactOf(blobOf('application/vnd.example.config', '{}'), [blobOf('text/plain', 'forged')]);
  /** Another attestation of the same image. */
  const other = rowOf(forged, {
    annotations: buildAttestation(amd).descriptor.annotations,
    platform: { os: 'unknown', architecture: 'unknown' },
  });
  const squashed = buildImage({ layers: [tar('a=1')] });
  const noted = { annotations: { note: 'x' } };
  const attested = (image: typeof amd) => indexOf([buildAttestation(image)]);

  test.each<readonly [string, BuiltTree, BuiltTree, Verification['verdict']]>([
    ['an index and itself', indexOf([amd, chart]), indexOf([amd, chart]), 'identical'],
    ['an artifact and itself', chart, chart, 'identical'],
    ['an artifact and another', chart, forged, 'different'],
    ['rows in another order', indexOf([amd, chart]), indexOf([chart, amd]), 'same'],
    ['nested and not', indexOf([amd, indexOf([arm])]), indexOf([amd, arm]), 'same'],
    [
      'another file in a nested index',
      indexOf([amd, indexOf([arm])]),
      indexOf([amd, indexOf([evil])]),
      'different',
    ],
    ['a nested index that is gone', indexOf([amd, indexOf([arm])]), indexOf([amd]), 'different'],
    ['a nested index too many', indexOf([amd]), indexOf([amd, indexOf([arm])]), 'different'],
    ['an artifact that is gone', indexOf([amd, chart]), indexOf([amd]), 'different'],
    ['an artifact that is gone with its index', indexOf([amd, chart]), amd, 'different'],
    ['another artifact', indexOf([amd, chart]), indexOf([amd, forged]), 'different'],
    ['a blob too many', indexOf([amd]), indexOf([amd, blobOf('text/plain', 'x')]), 'different'],
    ['an attestation that is gone', indexOf([amd, buildAttestation(amd)]), indexOf([amd]), 'different'],
    ['a forged attestation', indexOf([amd, buildAttestation(amd)]), indexOf([amd, other]), 'different'],
    [
      'an attestation of what has changed',
      indexOf([amd, buildAttestation(amd)]),
      indexOf([squashed]),
      'same',
    ],
    ['an attestation without an index for it', indexOf([amd, buildAttestation(amd)]), amd, 'same'],
    ['the same artifacts in other indexes', indexOf([chart]), indexOf([chart], noted), 'same'],
    ['an empty index and itself', indexOf([]), indexOf([]), 'identical'],
    ['an image that is gone from its index', indexOf([amd]), indexOf([]), 'different'],
    ['an image in an index that had none', indexOf([]), indexOf([amd]), 'different'],
    ['an artifact in an index that had none', indexOf([]), indexOf([chart]), 'different'],
  ])('is compared by its digest: %s', async (_, before, after, verdict) => {
    const { result } = await verify(before, after);
    expect(result).toMatchObject({ verdict, equal: verdict !== 'different' });
  });

  test.each<readonly [string, BuiltTree, BuiltTree]>([
    ['two empty indexes', indexOf([]), indexOf([], noted)],
    ['nested empty indexes', indexOf([indexOf([])]), indexOf([indexOf([], noted)])],
    ['attestations of images that neither has', attested(amd), attested(arm)],
  ])('proves nothing of %s that are not identical', async (_, before, after) => {
    const { result } = await verify(before, after);
    expect(result).toMatchObject({ verdict: 'nothing', equal: false, platforms: [] });
    const compared = { a: 'A', b: 'B', reports: [], hasExceptions: false };
    expect(renderVerification(result, compared)).toMatch(
      /nothing was proved: neither A nor B holds an image to compare, and their digests differ\n$/,
    );
  });

  test('of a platform that is selected, only the image and its attestations count', async () => {
    const platforms = [{ os: 'linux', architecture: 'amd64' }];
    const before = indexOf([amd, chart, indexOf([arm])]);
    expect((await verify(before, indexOf([amd]), { platforms })).result.verdict).toBe('identical');
  });

  test('a child that cannot be read is an error that names it', async () => {
    const broken = artifactOf(blobOf(MEDIA_TYPES.oci.config, '{}'), [
      blobOf(MEDIA_TYPES.oci.layer.gzip, 'x'),
    ]);
    const error = await errorOf(verify(indexOf([amd, broken]), indexOf([amd, broken])));
    expect(error.message).toContain(broken.descriptor.digest);
  });
});
