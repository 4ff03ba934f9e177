import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type DiffAspect, type Ignorable, ignorable } from '../../../src/analyze/diff/image-diff.ts';
import type { DiffOptions } from '../../../src/jobs/compare/diff.ts';
import { compareTrees, listsNothing, onlyPlatform } from '../../support/diff-images.ts';
import {
  type BuiltImage,
  type BuiltTree,
  buildAttestation,
  buildImage,
  buildIndex,
  digestOf,
  type ImageRecipe,
  jsonBytes,
} from '../../support/image-builder.ts';
import { type Short, specOf, tar } from '../../support/model/shorthand.ts';
import { bytesOf } from '../../support/model/byte-string.ts';
import { type EntrySpec, writeTar } from '../../support/model/tar-bytes.ts';
import { zipOf } from '../../support/zip.ts';

type Layers = readonly (readonly Short[])[];

function image(layers: Layers, recipe: Partial<ImageRecipe> = {}): BuiltImage {
  return buildImage({ layers: layers.map((entries) => tar(...entries)), compress: 'none', ...recipe });
}

async function verdict(a: BuiltTree, b: BuiltTree, options: Partial<DiffOptions> = {}) {
  return (await compareTrees(a, b, options)).diff.verdict;
}

/** Puts other bytes in the place of a document of an image; the names of what names it are made new. */
function rewritten(
  built: BuiltImage,
  which: 'config' | 'manifest',
  change: (text: string) => string,
): BuiltTree {
  const blobs = new Map(built.blobs);
  const put = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    blobs.set(digestOf(bytes), bytes);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const [config, manifest] = [built.config, built.manifest].map((bytes) =>
    new TextDecoder().decode(bytes),
  ) as [string, string];
  if (which === 'manifest') return { descriptor: { ...built.descriptor, ...put(change(manifest)) }, blobs };
  const document = JSON.parse(manifest) as { config: object };
  const moved = { ...document, config: { ...document.config, ...put(change(config)) } };
  return { descriptor: { ...built.descriptor, ...put(JSON.stringify(moved)) }, blobs };
}

/** Packs the layer of an image in another way. */
function repacked(built: BuiltImage): BuiltTree {
  const [layer] = built.layers;
  const plain = built.blobs.get(layer?.digest ?? '') as Uint8Array;
  const packed = gzipSync(plain, { level: 1 });
  const other = buildImage({ layers: [plain], compress: 'gzip' });
  const [before] = other.layers;
  const text = (change: string) =>
    change
      .replace(before?.digest ?? '', digestOf(packed))
      .replace(`"size":${before?.size}}`, `"size":${packed.length}}`);
  const made = rewritten(other, 'manifest', text);
  return { ...made, blobs: new Map([...made.blobs, [digestOf(packed), packed] as const]) };
}

const file: EntrySpec = { name: 'f', mode: 0o644, mtime: '7', body: bytesOf('text') };
const one = (entry: Short) => image([['other', entry]]);
const plain = image([['a=1', 'b=2']]);

/** Pairs of images that differ in one aspect alone. */
const single: readonly (readonly [aspect: DiffAspect, how: string, a: BuiltTree, b: BuiltTree])[] = [
  ['mtime', 'the time of a file', one(file), one({ ...file, mtime: '8' })],
  ['mtime', 'a time below a second', one(file), one({ ...file, mtime: '7.5' })],
  ['mode', 'permission bits', one(file), one({ ...file, mode: 0o755 })],
  ['owner', 'the number of an owner', one(file), one({ ...file, uid: 5 })],
  ['owner', 'a number of an owner that needs a record', one(file), one({ ...file, uid: 3_000_000 })],
  ['owner', 'the name of an owner', one(file), one({ ...file, uname: 'app' })],
  ['xattr', 'an extended attribute', one(file), one({ ...file, xattrs: { 'user.a': 'b' } })],
  ['links', 'a copy in the place of a hard link', image([['a=1', 'b->a']]), image([['a=1', 'b=1']])],
  [
    'sparse',
    'a file stored with holes',
    one({ name: 's', body: new Uint8Array(8192) }),
    one({ name: 's', body: new Uint8Array(0), sparse: { format: '1.0', size: 8192, map: [] } }),
  ],
  ['order', 'the order of entries', plain, image([['b=2', 'a=1']])],
  ['pax', 'a record that is no attribute', one(file), one({ ...file, pax: [['comment', 'x']] })],
  ['pax', 'the format of heads', one({ ...file, format: 'gnu' }), one({ ...file, format: 'ustar' })],
  ['pax', 'the spelling of names', image([['a=1']]), image([['./a=1']])],
  [
    'pax',
    'the end of the tar',
    image([['a=1']]),
    buildImage({ layers: [writeTar([specOf('a=1')], 'record')], compress: 'none' }),
  ],
  ['layers', 'the number of layers', image([['a=1', 'b=2']], none()), image([['a=1'], ['b=2']], none())],
  ['layers', 'the layer of a file', image([['a=1', 'b=2'], ['c']]), image([['a=1'], ['c', 'b=2']])],
  ['layers', 'what a layer above hides', image([['a=1'], ['a=3']]), image([['a=2'], ['a=3']])],
  ['layers', 'a whiteout of nothing', image([['a=1', '.wh.b']]), image([['a=1']])],
  ['layers', 'a name that comes twice', image([['a=1', 'a=1']]), image([['a=1']])],
  ['compression', 'another compression', plain, image([['a=1', 'b=2']], { compress: 'gzip' })],
  ['compression', 'another level', image([['a=1', 'b=2']], { compress: 'gzip' }), repacked(plain)],
  ['mediatype', 'the types of Docker', plain, image([['a=1', 'b=2']], { family: 'docker' })],
  ['mediatype', 'an index around the image', plain, buildIndex({ images: [plain] })],
  ['annotations', 'of the manifest', plain, image([['a=1', 'b=2']], { annotations: { a: 'b' } })],
  ['annotations', 'of a layer', plain, image([['a=1', 'b=2']], { layerAnnotations: [{ a: 'b' }] })],
  ['history', 'a row without a layer', plain, image([['a=1', 'b=2']], { history: 'with-empty-layers' })],
  [
    'created',
    'the time of the image',
    plain,
    image([['a=1', 'b=2']], { config: { created: '1999-01-01T00:00:00Z' } }),
  ],
  ['config', 'the user', withConfig({}), withConfig({ User: 'me' })],
  ['config', 'the author', plain, image([['a=1', 'b=2']], { config: { author: 'me' } })],
  ['env', 'a variable', withConfig({ Env: ['A=1'] }), withConfig({ Env: ['A=2'] })],
  ['env', 'the order of variables', withConfig({ Env: ['A=1', 'B=2'] }), withConfig({ Env: ['B=2', 'A=1'] })],
  ['labels', 'a label', withConfig({ Labels: { a: '1' } }), withConfig({ Labels: { a: '2' } })],
  ['json', 'spaces in the config', plain, rewritten(plain, 'config', (text) => `${text} `)],
  ['json', 'spaces in the manifest', plain, rewritten(plain, 'manifest', (text) => `${text}\n`)],
  [
    'artifacts',
    'an attestation',
    buildIndex({ images: [plain] }),
    buildIndex({ images: [plain], attestations: true }),
  ],
  ['files', 'a path', image([['a=1']]), image([['a=1', 'b=2']])],
  ['content', 'the contents of a file', image([['a=1']]), image([['a=2']])],
  ['content', 'the target of a symlink', image([['a~>b']]), image([['a~>c']])],
  ['content', 'the kind of a file', image([['a/']]), image([['a']])],
  [
    'platform',
    'an image for a platform',
    buildIndex({ images: [plain] }),
    buildIndex({ images: [plain, image([['x']], { platform: { os: 'linux', architecture: 'arm64' } })] }),
  ],
];

function none(): Partial<ImageRecipe> {
  return { history: 'none' };
}

function withConfig(config: object): BuiltImage {
  return image([['a=1', 'b=2']], { config: { config } });
}

describe('one aspect', () => {
  test.each(single)('%s is the only difference: %s', async (aspect, _, a, b) => {
    for (const [left, right] of [
      [a, b],
      [b, a],
    ] as const) {
      const { diff } = await compareTrees(left, right);
      expect(diff.verdict).toEqual({ kind: 'different', butFor: [], differIn: [aspect] });
      if (aspect !== 'json') expect(listsNothing(diff)).toBe(false);
    }
  });

  test.each(single)('%s does not count where it is ignored: %s', async (aspect, _, a, b) => {
    const isIgnorable = (each: DiffAspect): each is Ignorable =>
      (ignorable as readonly DiffAspect[]).includes(each);
    if (!isIgnorable(aspect)) {
      expect((await verdict(a, b, { ignored: ignorable })).kind).toBe('different');
      return;
    }
    const { diff } = await compareTrees(a, b, { ignored: [aspect] });
    expect(diff.verdict).toEqual({ kind: 'identical-but', butFor: [aspect], differIn: [] });
    expect(listsNothing(diff)).toBe(true);
    const others = ignorable.filter(
      (each) => each !== aspect && !(each === 'config' && ['env', 'labels'].includes(aspect)),
    );
    expect((await verdict(a, b, { ignored: others })).kind).toBe('different');
  });
});

describe('files', () => {
  const before = image([['gone=1', 'same=1', 'd/', 'd/x=12', 'h=abc', 'h2->h', 'l~>a'], ['d/x=123']]);
  const after = image([
    ['same=1', { name: 'd/', type: 'dir', mode: 0o700 }, 'd/x=1234', 'h=abc', 'h2->h', 'l/'],
    ['new=12345', 'new2->new'],
  ]);

  test('are listed by path, with what both sides have there and the layer that brought it', async () => {
    const { files, totals } = onlyPlatform((await compareTrees(before, after)).diff);
    const lines = files.map(({ path, change, a, b, details }) => {
      const side = (state: typeof a) =>
        state === null ? '-' : `${state.kind} ${state.bytes} ${state.layer}`;
      return `${change} ${path}: ${side(a)} → ${side(b)} ${details.map(({ what }) => what).join()}`;
    });
    expect(lines).toEqual([
      'attributes d: directory 0 1 → directory 0 1 mode',
      'changed d/x: file 3 2 → file 4 1 content',
      'removed gone: file 1 1 → - ',
      'changed l: symlink 0 1 → directory 0 1 kind',
      'added new: - → file 5 2 ',
      'added new2: - → file 5 2 ',
    ]);
    expect(totals).toEqual({
      added: { paths: 2, bytes: 5 },
      removed: { paths: 1, bytes: 1 },
      changed: { paths: 2, bytesBefore: 3, bytesAfter: 4 },
      attributes: { paths: 1, bytes: 0 },
    });
  });

  test('an ignored attribute takes files out of the list that differ in nothing else', async () => {
    const { files } = onlyPlatform((await compareTrees(before, after, { ignored: ['mode'] })).diff);
    expect(files.map(({ path }) => path)).toEqual(['d/x', 'gone', 'l', 'new', 'new2']);
  });

  test('of a selection are all that counts', async () => {
    const selection = { globs: ['same'], matches: (path: string) => path === 'same' };
    const { diff } = await compareTrees(before, withConfig({ User: 'x' }), { selection });
    expect(onlyPlatform(diff).files.map(({ path }) => path)).toEqual(['same']);
    const { diff: same } = await compareTrees(before, after, { selection });
    expect([same.verdict.kind, same.paths, listsNothing(same)]).toEqual(['identical', ['same'], true]);
  });
});

describe('layers', () => {
  test('stand side by side, those with the same bytes in their places', async () => {
    const a = image([['base=1'], ['old=1'], ['top=1']]);
    const b = image([['base=1'], ['new=1'], ['more=1'], ['top=1']]);
    const { layers } = onlyPlatform((await compareTrees(a, b)).diff);
    expect(layers.map(({ relation, a: left, b: right }) => [relation, left?.number, right?.number])).toEqual([
      ['same', 1, 1],
      ['changed', 2, 2],
      ['added', undefined, 3],
      ['same', 3, 4],
    ]);
    expect(layers[1]?.b).toMatchObject({
      transferBytes: 2048,
      tarBytes: 2048,
      instruction: expect.any(String),
    });
  });

  test('with the same contents but another packing are repacked', async () => {
    const { diff } = await compareTrees(image([['a=1', 'b=2']], { compress: 'gzip' }), repacked(plain));
    expect(onlyPlatform(diff).layers.map(({ relation }) => relation)).toEqual(['repacked']);
  });

  test('show their own entries where that is asked for: whiteouts, order, heads', async () => {
    const a = image([['x=1'], ['a=1', 'b=1', 'c=1', '.wh.x', { ...file, name: 'p' }]]);
    const b = image([['x=1'], ['b=1', 'a=1', 'c=2', 'd', { ...file, name: 'p', pax: [['comment', 'y']] }]]);
    const { layers } = onlyPlatform((await compareTrees(a, b, { layers: true })).diff);
    expect(layers[0]?.entries).toBe(null);
    const lines = (layers[1]?.entries ?? []).map(
      ({ path, kind, change, details }) =>
        `${change} ${kind} ${path} ${details.map(({ what }) => what).join()}`,
    );
    expect(lines).toEqual([
      'moved file a ',
      'changed file c content',
      'added file d ',
      'changed file p form',
      'removed whiteout x ',
    ]);
    expect(layers[1]?.aspects).toEqual(['order', 'pax']);
    const { diff } = await compareTrees(a, b, { layers: true, ignored: ['order', 'pax'] });
    expect(onlyPlatform(diff).layers[1]?.entries?.map(({ change }) => change)).toEqual([
      'changed',
      'added',
      'removed',
    ]);
  });
});

describe('reading', () => {
  test('a blob of both is read once, and equal stacks are not read', async () => {
    const shared = ['shared=1'];
    const [a, b] = [image([shared, ['a']]), image([shared, ['b']])];
    const { a: left, b: right } = await compareTrees(a, b);
    const [digest = ''] = a.diffIds;
    expect(left.countOf(digest) + right.countOf(digest)).toBe(1);
    const same = await compareTrees(plain, image([['a=1', 'b=2']], { annotations: { x: 'y' } }));
    expect(same.a.opened.concat(same.b.opened).filter((each) => plain.diffIds.includes(each))).toEqual([]);
    expect(onlyPlatform(same.diff)).toMatchObject({ a: { contents: null }, files: [], packages: [] });
  });

  test('platforms are paired, each with its own lists', async () => {
    const arm = { os: 'linux', architecture: 'arm64' };
    const index = (...files: string[]) =>
      buildIndex({
        images: [image([[files[0] as string]]), image([[files[1] as string]], { platform: arm })],
      });
    const { diff } = await compareTrees(index('a=1', 'b=1'), index('a=1', 'b=2'));
    expect(
      diff.platforms.map(({ platform, verdict: { kind }, files }) => [platform, kind, files.length]),
    ).toEqual([
      ['linux/amd64', 'identical', 0],
      ['linux/arm64', 'different', 1],
    ]);
    const { diff: narrowed } = await compareTrees(index('a=1', 'b=1'), index('a=1', 'b=2'), {
      platforms: [{ os: 'linux', architecture: 'amd64' }],
    });
    expect(narrowed.verdict.kind).toBe('identical');
  });

  test('an attestation is listed by its type', async () => {
    const attestation = buildAttestation(plain).descriptor.digest;
    const { diff } = await compareTrees(
      buildIndex({ images: [plain], attestations: true }),
      buildIndex({ images: [plain] }),
    );
    expect(diff.artifacts).toEqual([{ digest: attestation, type: expect.any(String), change: 'removed' }]);
  });
});

test('packages are compared, with the bytes of their files', async () => {
  const stanza = (version: string) =>
    `Package: curl\nVersion: ${version}\nArchitecture: amd64\nStatus: install ok installed\n\n`;
  const dpkg = (version: string, body: string) =>
    image([
      [
        `var/lib/dpkg/status=${stanza(version)}`,
        'var/lib/dpkg/info/curl.list=/usr/bin/curl\n',
        `usr/bin/curl=${body}`,
      ],
    ]);
  const { packages, a, b } = onlyPlatform(
    (await compareTrees(dpkg('7.9-1', 'old'), dpkg('7.10-1', 'newer'))).diff,
  );
  expect(packages).toEqual([
    { kind: 'dpkg', name: 'curl', change: 'upgraded', a: '7.9-1', b: '7.10-1', bytesA: 3, bytesB: 5 },
  ]);
  expect([a?.contents, b?.contents]).toEqual([
    { paths: 9, bytes: 96, packages: 1 },
    { paths: 9, bytes: 99, packages: 1 },
  ]);
});

test('packages that only files themselves tell of are compared: archives of Java', async () => {
  const withJar = (version: string) => {
    const properties = `version=${version}\ngroupId=a\nartifactId=b\n`;
    const body = zipOf({ 'META-INF/maven/a/b/pom.properties': properties });
    return buildImage({ layers: [writeTar([{ ...specOf('app/b.jar='), body }])], compress: 'none' });
  };
  const { packages } = onlyPlatform((await compareTrees(withJar('1.9'), withJar('1.10'))).diff);
  expect(packages).toMatchObject([{ kind: 'java', name: 'a:b', change: 'upgraded', a: '1.9', b: '1.10' }]);
});

test('downloads count blobs, chains and contents', async () => {
  const a = image([['base=1'], ['x=same', 'y=1']]);
  const b = image([['base=1'], ['x=same', 'z=22']]);
  const { downloads, b: right } = onlyPlatform((await compareTrees(a, b)).diff);
  const config = b.config.length;
  expect(downloads).toEqual([
    {
      model: 'blob',
      transferBytes: config + 3072,
      totalBytes: config + 5120,
      layers: [2],
      isEstimate: false,
    },
    {
      model: 'prefix',
      transferBytes: config + 3072,
      totalBytes: config + 5120,
      layers: [2],
      isEstimate: false,
    },
    { model: 'file', transferBytes: config + 1024, totalBytes: config + 5120, layers: [2], isEstimate: true },
  ]);
  expect(right?.transferBytes).toBe(config + 5120);
});

test('a signal ends the comparison', async () => {
  const stop = new AbortController();
  const comparing = compareTrees(plain, one(file), { signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(comparing).rejects.toThrow('enough');
});

test('the names of history rows and members are those of the documents', async () => {
  const a = image([['a']], { config: { config: { Labels: { 'a.b': '1', __proto__x: 'y' } } } });
  const b = image([['a']], { config: { config: { Labels: { 'a.b': '2' }, Cmd: ['sh'] } } });
  const { config } = onlyPlatform((await compareTrees(a, b)).diff);
  expect(config).toEqual([
    { member: 'config.Labels.a.b', aspect: 'labels', a: '"1"', b: '"2"' },
    { member: 'config.Labels.__proto__x', aspect: 'labels', a: '"y"', b: null },
    { member: 'config.Cmd', aspect: 'config', a: null, b: '["sh"]' },
  ]);
  expect(jsonBytes(config).length).toBeGreaterThan(0);
});

describe('patches', () => {
  const patchesOf = async (before: Layers, after: Layers, options: Partial<DiffOptions> = {}) => {
    const compared = await compareTrees(image(before), image(after), { patch: true, ...options });
    const files = onlyPlatform(compared.diff).files.map(({ path, patch }) => [path, patch ?? null] as const);
    return { ...compared, patches: Object.fromEntries(files) };
  };

  test('are made of small texts, and of nothing else', async () => {
    const [large, larger] = ['x'.repeat(65_536), 'x'.repeat(65_537)];
    const { patches } = await patchesOf(
      [
        [
          'text=one\ntwo\n',
          'binary=a\0b',
          'latin=caf\xe9',
          `large=${large}`,
          `larger=${larger}`,
          'gone=1',
          'mode=1',
          'kind=1',
        ],
      ],
      [
        [
          'text=one\n2',
          'binary=a\0c',
          'latin=caff\xe9',
          `large=y${large.slice(1)}`,
          `larger=y${larger.slice(1)}`,
          'new=1',
          { ...specOf('mode=1'), mode: 0o600 },
          'kind/',
          'kind/in=1',
        ],
      ],
    );
    expect(patches['text']).toBe(
      '--- a/text\n+++ b/text\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n\\ No newline at end of file\n',
    );
    expect(patches['large']).toMatch(/^--- a\/large\n/);
    expect(patches['gone']).toBe(
      '--- a/gone\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-1\n\\ No newline at end of file\n',
    );
    expect(patches['new']).toBe(
      '--- /dev/null\n+++ b/new\n@@ -0,0 +1,1 @@\n+1\n\\ No newline at end of file\n',
    );
    // No tool would make a directory where the file is.
    const others = ['binary', 'latin', 'larger', 'mode', 'kind', 'kind/in'];
    expect(others.map((path) => [path, patches[path]])).toEqual(others.map((path) => [path, null]));
  });

  test('show what a container sees: the data of hard links, and of the topmost layer', async () => {
    const { patches } = await patchesOf([['a=1\n', 'b->a'], ['a=2\n']], [['b=3\n'], ['a=4\n']]);
    expect(patches['a']).toContain('-2\n+4\n');
    expect(patches['b']).toContain('-1\n+3\n');
  });

  test('apply: patch(1) in its place makes B of A', async () => {
    const { applyPatch } = await import('diff');
    const lines = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd', ''), { maxLength: 12 })
      .map((list) => list.join('\n'));
    await fc.assert(
      fc.asyncProperty(lines, lines, async (before, after) => {
        const { patches } = await patchesOf([[`f=${before}`]], [[`f=${after}`]]);
        if (before === after) expect(patches).toEqual({});
        else expect(applyPatch(before, patches['f'] ?? '')).toBe(after);
      }),
      { numRuns: 50 },
    );
  });

  test('read only the layers concerned once more, and a blob of both images once', async () => {
    const [before, after]: [Layers, Layers] = [
      [['base=1'], ['f=1\n']],
      [['base=1'], ['f=2\n']],
    ];
    const { a, b } = await patchesOf(before, after);
    const counts = image(before).diffIds.map((digest) => a.countOf(digest) + b.countOf(digest));
    expect(counts).toEqual([1, 2]);
    const copied = await patchesOf(before, after, { maxScratch: 1e6 });
    expect(
      image(before).diffIds.map((digest) => copied.a.countOf(digest) + copied.b.countOf(digest)),
    ).toEqual([1, 1]);
  });

  test('of texts that differ in thousands of lines are left out: finding them takes too long', async () => {
    const text = (word: string) => Array.from({ length: 5000 }, (_, i) => `${word}${i}`).join('\n');
    const { patches } = await patchesOf([[`f=${text('a')}`]], [[`f=${text('b')}`]]);
    expect(patches).toEqual({ f: null });
  });
});
