import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { createEncoderPool } from '../../src/codec/encoder-pool.ts';
import { OcislimError } from '../../src/errors.ts';
import { silent } from '../../src/events.ts';
import { Allowance } from '../../src/layers/read/allowance.ts';
import { exportRootfs } from '../../src/jobs/export.ts';
import { readImageSet } from '../../src/jobs/image-set.ts';
import { inspectImage } from '../../src/jobs/inspect.ts';
import { identity } from '../../src/jobs/rewrite/run.ts';
import { verifyImages } from '../../src/jobs/compare/verify.ts';
import { recompress } from '../../src/compress/recompress.ts';
import { tune } from '../../src/compress/tune.ts';
import type { Image, Transform } from '../../src/image/image.ts';
import { defaultLimits, type LimitName, type Limits, limitTable, showLimit } from '../../src/limits.ts';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import {
  type BuiltTree,
  buildImage,
  buildIndex,
  digestOf,
  jsonBytes,
  MEDIA_TYPES,
} from '../support/image-builder.ts';
import { MemorySource, MemoryTarget } from '../support/memory-store.ts';
import { runTransform } from '../support/run-image.ts';
import { tar } from './rig.ts';
import { MiB } from '../../src/units.ts';

const { signal } = new AbortController();
const pool = createEncoderPool({ jobs: 2 });
afterAll(() => pool.close());

function limited(limits: Partial<Limits>): Limits {
  return { ...defaultLimits, ...limits };
}

/** Two layers of more than 2 MiB when packed, so that threads unpack them; and the same ones small. */
const layersOf = (size: number) =>
  ['a', 'b'].map((name) => tar({ name, body: randomBytes(size) }, `etc/${name}=1`));
const images = {
  'in threads': buildImage({ layers: layersOf(3 * MiB), compress: 'zstd' }),
  inline: buildImage({ layers: layersOf(1000) }),
  unpacked: buildImage({ layers: layersOf(1000), compress: 'none' }),
};

/** Both layers of an image above are so long when unpacked. */
function tarSize(tree: BuiltTree): number {
  return tar({ name: 'a', body: new Uint8Array(tree === images['in threads'] ? 3 * MiB : 1000) }, 'etc/a=1')
    .length;
}

type Ways = Readonly<Record<string, (tree: BuiltTree, limits: Limits) => Promise<unknown>>>;

/** Every way to unpack a layer. What writes must not have published. */
const ways: Ways = {
  squash: (tree, limits) => rewrite(tree, limits, squash({ kind: 'all' })),
  prune: (tree, limits) =>
    rewrite(tree, limits, prune({ kind: 'all' }, { rules: [parseRule('etc', 'a test')] })),
  'recompress to gzip': (tree, limits) =>
    rewrite(tree, limits, recompress({ kind: 'all' }, { kind: 'gzip', level: 2, engine: 'libdeflate' })),
  'recompress to none': (tree, limits) =>
    rewrite(tree, limits, recompress({ kind: 'all' }, { kind: 'none' })),
  tune: (tree, limits) =>
    rewrite(tree, limits, tune({ kind: 'all' }, { goal: { kind: 'pull', bytesPerSecond: 1e6 } })),
  verify: async (tree, limits) => {
    const other = buildImage({ layers: [tar('other=1')], compress: 'none' });
    await verifyImages({
      a: new MemorySource(tree),
      b: new MemorySource(other),
      platforms: [],
      jobs: 1,
      maxScratch: 0,
      limits,
      listener: silent,
      signal,
      allowed: () => true,
    });
  },
  export: async (tree, limits) => {
    const source = new MemorySource(tree);
    const exported = await exportRootfs({
      source,
      platform: null,
      jobs: 1,
      maxScratch: 0,
      limits,
      listener: silent,
      signal,
    });
    try {
      for await (const _ of exported.stream);
    } finally {
      await exported.close();
    }
  },
  inspect: (tree, limits) =>
    inspectImage(
      {
        source: new MemorySource(tree),
        platform: null,
        jobs: 1,
        maxScratch: 0,
        limits,
        listener: silent,
        signal,
      },
      () => 10,
    ),
};

async function rewrite(tree: BuiltTree, limits: Limits, transform: Transform): Promise<void> {
  const target = new MemoryTarget();
  const source = new MemorySource(tree);
  try {
    await runTransform({
      source,
      target,
      transform,
      maxScratch: 0,
      limits,
      epoch: 0,
    });
  } catch (error) {
    expect(target.published).toBeNull();
    expect(target.pending).toBe(0);
    expect(source.held).toBe(0);
    throw error;
  }
}

/** Checks that the error names the limit, its value, the exceeding amount, its place, and how to raise the limit. */
async function expectLimit(
  work: Promise<unknown>,
  name: LimitName,
  limits: Limits,
  where: RegExp,
): Promise<void> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OcislimError);
  const { code, message, advice } = error as OcislimError;
  expect({ code, message }).toEqual({
    code: 'LIMIT',
    message: expect.stringContaining(`the limit ${name} is ${showLimit(name, limits[name])}`),
  });
  expect(message).toMatch(where);
  expect(message.replace(/the limit .*/, '')).toMatch(/\d/);
  expect(advice).toContain(`--limit ${name}=`);
}

describe.each(Object.entries(ways))('T9: unpacked bytes have limits: %s', (way, act) => {
  // A layer that is and stays uncompressed is copied unchanged.
  const unpacks = Object.entries(images).filter(
    ([, tree]) => way !== 'recompress to none' || tree !== images.unpacked,
  );

  test.each(unpacks)('stops at layer-bytes, %s', async (_, tree) => {
    const limits = limited({ 'layer-bytes': 1000 });
    await expectLimit(act(tree, limits), 'layer-bytes', limits, /layer [12]\b/);
  });

  test.each(unpacks)('stops at image-bytes, %s', async (_, tree) => {
    const first = tarSize(tree);
    // The first layer is within it; both are not.
    const limits = limited({ 'image-bytes': first + 100 });
    await expectLimit(act(tree, limits), 'image-bytes', limits, /layer [12]\b/);
    await act(tree, limited({ 'layer-bytes': first, 'image-bytes': 2 * first }));
  });

  test('stops at the ratio, above its floor only', async () => {
    const zeros = buildImage({
      layers: [tar('a=1'), tar({ name: 'z', body: new Uint8Array(4 * MiB) })],
      compress: 'zstd',
    });
    const limits = limited({ ratio: 100, 'ratio-floor': MiB });
    await expectLimit(act(zeros, limits), 'ratio', limits, /layer 2\b/);
    await act(zeros, limited({ ratio: 100, 'ratio-floor': 5 * MiB }));
  });
});

const readsHeaders = ['squash', 'prune', 'verify', 'export', 'inspect'];

describe.each(Object.entries(ways).filter(([way]) => readsHeaders.includes(way)))(
  'T8: headers have limits: %s',
  (_way, act) => {
    const many = buildImage({ layers: [tar('a=1', 'b=1', 'c=1'), tar('d=1', 'e=1', 'f=1')] });

    test('stops at more entries than a layer may have', async () => {
      const limits = limited({ 'layer-entries': 2 });
      await expectLimit(act(many, limits), 'layer-entries', limits, /layer [12]\b.*3 have been read/);
      await act(many, limited({ 'layer-entries': 3 }));
    });

    test('stops at more entries than all may have', async () => {
      const limits = limited({ 'image-entries': 5 });
      await expectLimit(act(many, limits), 'image-entries', limits, /layer [12]\b.*6 have been read/);
      await act(many, limited({ 'image-entries': 7 }));
    });

    test('stops at names that take too much memory', async () => {
      const limits = limited({ 'index-bytes': 1000 });
      await expectLimit(act(many, limits), 'index-bytes', limits, /layer [12]\b.*entries take/);
    });

    const longest = 'd/'.repeat(2047) + 'd';

    test.each([
      ['longer than any kernel opens', 'x'.repeat(4097)],
      ['500,000 directories deep', 'd/'.repeat(500_000)],
    ])('stops at a path that is %s', async (_, name) => {
      const tree = buildImage({ layers: [tar('a=1'), tar({ name, format: 'pax' })] });
      await expectLimit(
        act(tree, defaultLimits),
        'path-bytes',
        defaultLimits,
        /layer 2: the name of entry 1 is too long/,
      );
      await act(buildImage({ layers: [tar('a=1'), tar({ name: longest, format: 'pax' })] }), defaultLimits);
    });

    test('stops at a link target of such a length', async () => {
      const linkTo = (linkname: string) =>
        buildImage({ layers: [tar('a=1'), tar({ name: 'l', type: 'symlink', linkname, format: 'pax' })] });
      await expectLimit(
        act(linkTo('x'.repeat(4097)), defaultLimits),
        'path-bytes',
        defaultLimits,
        /layer 2: the link target of entry 1 is too long/,
      );
      await act(linkTo(longest), defaultLimits);
    });
  },
);

test('released headers no longer count', () => {
  const allowance = new Allowance(limited({ 'image-entries': 3 }));
  const first = allowance.headers();
  first.take('a', '', 0);
  first.take('b', '', 0);
  first.release();
  const second = allowance.headers();
  for (const path of ['c', 'd', 'e']) second.take(path, '', 0);
  expect(() => second.take('f', '', 0)).toThrow(/image-entries/);
});

test('a layer that is read twice, or occurs twice, is counted once', () => {
  const allowance = new Allowance(limited({ 'image-bytes': 150 }));
  const image = {} as Image;
  const descriptor = { digest: digestOf(new Uint8Array(1)), size: 10 } as never;
  for (let i = 0; i < 3; i++) allowance.unpacking(image, descriptor, () => 'gzip')(100);
  const other = { digest: 'sha256:other', size: 10 } as never;
  expect(() => allowance.unpacking(image, other, () => 'gzip')(51)).toThrow(/image-bytes/);
});

describe('documents', () => {
  const image = buildImage({ layers: [tar('a=1')] });

  test('a config that is too large is not read', async () => {
    const limits = limited({ 'config-bytes': 100 });
    const source = new MemorySource(image);
    await expectLimit(
      readImageSet(source, { platforms: [], limits, signal }),
      'config-bytes',
      limits,
      /the config of/,
    );
    expect(source.opened).toEqual([]);
  });

  test('the documents of an index with many images have a common limit', async () => {
    const children = Array.from({ length: 20 }, (_, i) =>
      buildImage({ layers: [tar(`a=${i}`)], platform: { os: 'linux', architecture: `a${i}` } }),
    );
    const index = buildIndex({ images: children });
    const limits = limited({ 'document-bytes': 5000 });
    await expectLimit(
      readImageSet(new MemorySource(index), { platforms: [], limits, signal }),
      'document-bytes',
      limits,
      /has too many images.*read so far/,
    );
    expect((await readImageSet(new MemorySource(index), { platforms: [], signal })).members).toHaveLength(20);
  });

  /** Makes nested indexes, each of which names the next one `times` times. */
  function nested(depth: number, times: number): BuiltTree {
    const blobs = new Map(image.blobs);
    let descriptor = image.descriptor;
    for (let i = 0; i < depth; i++) {
      const manifests = Array.from({ length: times }, (_, j) => ({
        ...descriptor,
        annotations: { n: `${j}` },
      }));
      const bytes = jsonBytes({ schemaVersion: 2, mediaType: MEDIA_TYPES.oci.index, manifests });
      descriptor = { mediaType: MEDIA_TYPES.oci.index, digest: digestOf(bytes), size: bytes.length };
      blobs.set(descriptor.digest, bytes);
    }
    return { descriptor, blobs };
  }

  test('nested indexes are copied up to the limit of depth', async () => {
    await rewrite(nested(8, 1), defaultLimits, identity);
    await expectLimit(
      rewrite(nested(9, 1), defaultLimits, identity),
      'index-depth',
      defaultLimits,
      /too many indexes in each other.*lies in 8 others/,
    );
  });

  test.each(['copied', 'rewritten'] as const)(
    'the rows of all indexes have a limit when they are %s',
    async (how) => {
      const transform = how === 'copied' ? identity : squash({ kind: 'last', count: 1 });
      // Each index is counted once: 2 + 2 + 2 rows.
      await rewrite(nested(3, 2), { ...defaultLimits, 'index-children': 6 }, transform);
      await expectLimit(
        rewrite(nested(3, 2), { ...defaultLimits, 'index-children': 5 }, transform),
        'index-children',
        { ...defaultLimits, 'index-children': 5 },
        /its indexes have 6 rows together/,
      );
    },
  );

  test('an index that names another many times, which does the same, is copied in linear time', async () => {
    // 30^8 manifests if each were copied wherever it is named.
    await rewrite(nested(8, 30), defaultLimits, identity);
  });
});

test('every limit has a default that its unit allows, and a description', () => {
  for (const [name, { value, doc }] of Object.entries(limitTable)) {
    expect(Number.isSafeInteger(value), name).toBe(true);
    expect(doc, name).toMatch(/^[A-Z].*\.$/);
    expect(showLimit(name as LimitName, value), name).not.toMatch(/undefined|NaN/);
  }
});

test('gigabytes of zeros in a compressed layer of a megabyte are legitimate', () => {
  const allowance = new Allowance(defaultLimits);
  const packed = zstdCompressSync(new Uint8Array(64 * MiB)).length;
  const count = allowance.unpacking(
    {} as Image,
    { digest: digestOf(new Uint8Array(1)), size: packed } as never,
    () => 'zstd',
  );
  for (let i = 0; i < 64; i++) count(64 * MiB);
  expect(() => count(1)).toThrow(/the limit ratio is 1000/);
});
