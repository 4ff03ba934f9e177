import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { prune } from '../../../src/slim/prune.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { squash } from '../../../src/slim/squash.ts';
import type { Report } from '../../../src/report/report.ts';
import { callCli } from '../../support/cli.ts';
import {
  buildIndex,
  MEDIA_TYPES,
  openLayout,
  type ReadImage,
  readImageFrom,
  validateTree,
  writeLayout,
} from '../../support/image-builder.ts';
import type { ImageSource } from '../../support/image-reader.ts';
import { utf8 } from '../../support/model/byte-string.ts';
import {
  ambiguities,
  applyLayers,
  diffRootfs,
  linkGroups,
  type Rootfs,
} from '../../support/model/filesystem.ts';
import { readTar } from '../../support/model/tar-bytes.ts';
import {
  armImage,
  baseImage,
  capability,
  designedImage,
  paths,
  smallTars,
  wasteMark,
  writeOldDockerArchive,
} from '../../support/small-image.ts';
import { rewrite } from '../rig.ts';

const built = designedImage();
const docker = designedImage({ family: 'docker' });
const index = buildIndex({ images: [built, armImage()], attestations: true });
const image = readImageFrom(built);
const before = applyLayers(image.layers);
const count = smallTars.length;

let folder = '';
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-test-'));
  await writeLayout(join(folder, 'in'), { app: built, base: baseImage(), docker, index });
  await writeOldDockerArchive(join(folder, 'old.tar'), docker, 'app:1');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Result = { readonly tree: ImageSource; readonly report: Report };

/** Opens an archive that contains an OCI layout. */
async function openArchive(file: string): Promise<ImageSource> {
  const entries = readTar(await readFile(file));
  const json = entries.find(({ name }) => name === 'index.json')?.body ?? new Uint8Array(0);
  const blobs = entries.filter(({ name, type }) => type === 'file' && name.startsWith('blobs/'));
  return {
    descriptor: JSON.parse(new TextDecoder().decode(json)).manifests[0],
    blobs: new Map(blobs.map(({ name, body }) => [name.split('/').slice(1).join(':'), body])),
  };
}

type Form = 'oci' | 'oci-archive' | 'docker-archive';

/** Runs a command of the command line into a new place, and checks that a valid image came out. */
async function call(
  command: readonly string[],
  source = `oci:${join(folder, 'in')}:app`,
  form: Form = 'oci',
): Promise<Result> {
  runs += 1;
  const place = join(folder, `out-${runs}`);
  const target = form === 'docker-archive' ? `${form}:${place}:app:new` : `${form}:${place}:new`;
  const [name = '', ...options] = command;
  const { status, stdout, stderr } = await callCli([
    name,
    source,
    target,
    ...options,
    '--format',
    'json',
    '--progress',
    'none',
    '--jobs',
    '1',
  ]);
  expect(status, stderr).toBe(0);
  const tree = form === 'oci' ? await openLayout(place, 'new') : await openArchive(place);
  expect(validateTree(tree, { completeTars: true })).toEqual([]);
  return { tree, report: JSON.parse(stdout) as Report };
}

/** Paths that the report says went by a rule: what `shadowed` took was hidden anyway. */
function removedIn(report: Report): Set<string> {
  const removed = report.platforms.flatMap(({ slimming }) => slimming?.removed ?? []);
  return new Set(
    removed
      .filter(({ rule }) => rule !== 'shadowed')
      .map(({ path, pathBase64 }) =>
        pathBase64 === undefined ? utf8(path) : Buffer.from(pathBase64, 'base64').toString('latin1'),
      ),
  );
}

/** Checks that the result has every attribute of the source, except for the paths in the report. Returns the missing paths. */
function compare(source: Rootfs, result: ReadImage, report: Report): string[] {
  const after = applyLayers(result.layers);
  const gone = [...source.keys()].filter((path) => !after.has(path));
  const lost = new Set(gone);
  expect(diffRootfs(new Map([...source].filter(([path]) => !lost.has(path))), after)).toEqual([]);
  const named = removedIn(report);
  const covered = (path: string): boolean =>
    named.has(path) || (path.includes('/') && covered(path.slice(0, path.lastIndexOf('/'))));
  // A directory without an entry disappears together with the paths that imply it.
  expect(gone.filter((path) => !covered(path) && source.get(path)?.implied !== true)).toEqual([]);
  expect([...named].filter((path) => after.has(path) && after.get(path)?.kind !== 'dir')).toEqual([]);
  return gone;
}

const rootOf = ({ report }: Result) => report.destination?.digest;
const wasteIn = ({ tars }: ReadImage) => tars.filter((tar) => Buffer.from(tar).includes(wasteMark)).length;
const layersIn = ({ manifest }: ReadImage) => manifest.layers.map(({ digest }) => digest);

describe('the image holds what it was designed to hold', () => {
  test('every runtime reads it alike', () => {
    image.layers.forEach((layer, i) =>
      expect(ambiguities(applyLayers(image.layers.slice(0, i)), layer)).toEqual([]),
    );
    expect(count).toBe(9);
    expect(wasteIn(image)).toBe(2);
  });

  test('modes, attributes, owners, times and devices', () => {
    expect(before.get(paths.setuid)?.mode).toBe(0o4755);
    expect(before.get(paths.sticky)?.mode).toBe(0o1777);
    expect(before.get(paths.capability)?.xattrs.get('security.capability')).toBe(capability);
    expect(before.get(paths.attribute)?.xattrs.get('user.origin')).toBe('new');
    expect(before.get(paths.largeUid)).toMatchObject({ uid: 3_000_000_000, gid: 2_097_152 });
    expect(before.get(paths.nanoseconds)?.mtime).toBe('1700000000.123456789');
    expect(before.get(paths.fifo)?.kind).toBe('fifo');
    expect(before.get(paths.character)).toMatchObject({ kind: 'char', devmajor: 1, devminor: 3 });
    expect(before.get(paths.block)).toMatchObject({ kind: 'block', devmajor: 7, devminor: 0 });
    for (const path of [paths.longPax, paths.longGnu, paths.accented, paths.latin])
      expect(before.has(path), path).toBe(true);
    const sparse = (image.layers[2] ?? []).filter((entry) => entry.sparse !== undefined);
    expect(sparse.map(({ name, size }) => [name, size])).toEqual([
      [paths.sparsePax, 300_000],
      [paths.sparseGnu, 300_000],
      ['opt/data/doomed-sparse', 100_000],
    ]);
  });

  test('links, markers and changes of kind', () => {
    const groups = linkGroups(before);
    expect(before.has(paths.links[0])).toBe(false);
    for (const heir of paths.heirs) expect(groups.get(heir)).toEqual([heir]);
    expect(groups.get(paths.links[1])).toEqual([paths.links[2], paths.links[1]].sort());
    expect(groups.get(paths.oldData)).toEqual([paths.oldData]);
    expect(before.get(paths.oldData)?.content).not.toBe(before.get(paths.newData)?.content);
    const below = (top: string) => [...before.keys()].filter((path) => path.startsWith(`${top}/`));
    expect(below(paths.opaque)).toEqual([`${paths.opaque}/before`, `${paths.opaque}/after`]);
    expect(below(paths.madeAgainAcross)).toEqual([`${paths.madeAgainAcross}/new`]);
    expect(below(paths.madeAgainAtOnce)).toEqual([`${paths.madeAgainAtOnce}/new`]);
    expect(before.get(paths.fileThenDirectory)?.kind).toBe('dir');
    expect(before.get(paths.directoryThenSymlink)?.kind).toBe('symlink');
    expect(before.get(paths.symlinkThenFile)?.kind).toBe('file');
    expect(before.has(paths.deb)).toBe(false);
  });
});

describe('squash leaves the root filesystem as it was, and the layers outside byte for byte', () => {
  test.each([
    ['--last 3', ['--last', '3'], [1, 2, 3, 4, 5, 6], 2],
    ['--layers 2..5', ['--layers', '2..5'], [1, 6, 7, 8, 9], 0],
    ['--layers 1..3', ['--layers', '1..3'], [4, 5, 6, 7, 8, 9], 1],
    ['--all', ['--all'], [], 0],
    ['--base', ['--base', 'BASE'], [1, 2], 1],
  ] as const)('with %s', async (_, options, outside, waste) => {
    const given = options.map((option) => (option === 'BASE' ? `oci:${join(folder, 'in')}:base` : option));
    const result = await call(['squash', ...given]);
    const squashed = readImageFrom(result.tree);
    expect(compare(before, squashed, result.report)).toEqual([]);
    const kept = outside.map((number) => built.layers[number - 1]?.digest);
    expect(layersIn(squashed).filter((digest) => layersIn(image).includes(digest))).toEqual(kept);
    expect(squashed.layers.length).toBe(outside.length + 1);
    expect(wasteIn(squashed)).toBe(waste);
    expect(rootOf(await call(['squash', ...given]))).toBe(rootOf(result));
  });
});

describe('prune', () => {
  test('--shadowed makes the planted waste disappear and nothing that a container sees', async () => {
    const result = await call(['prune', '--shadowed']);
    const pruned = readImageFrom(result.tree);
    expect(compare(before, pruned, result.report)).toEqual([]);
    expect(wasteIn(pruned)).toBe(0);
    const rows = result.report.platforms[0]?.slimming?.removed.map(({ path, layer }) => `${layer} ${path}`);
    expect(rows).toEqual(
      expect.arrayContaining([
        `2 ${paths.deb}`,
        '3 opt/app/bin/run',
        '3 opt/app/settings',
        '1 srv/doomed-tree/child',
      ]),
    );
    expect(rootOf(await call(['prune', '--shadowed']))).toBe(rootOf(result));
  });

  test('--preset removes lists, caches, documents and logs, and leaves licences and log links', async () => {
    const command = ['prune', '--preset', 'apt-lists,apt-cache,docs,logs'];
    const result = await call(command);
    const pruned = readImageFrom(result.tree);
    const gone = compare(before, pruned, result.report);
    expect(gone.sort()).toEqual([
      'usr/share/doc/tool/README',
      paths.changelog,
      'usr/share/man/man1/tool.1.gz',
      'var/cache/apt/pkgcache.bin',
      paths.aptList,
      'var/lib/apt/lists/lock',
      'var/log/app/today.log',
      paths.log,
    ]);
    // A preset removes hidden files too: the .deb of layer 2 no longer exists.
    expect(wasteIn(pruned)).toBe(1);
    expect(rootOf(await call(command))).toBe(rootOf(result));
  });

  test('--rule with --keep, of selected layers only', async () => {
    const command = ['prune', '--rule', 'opt/data/**', '--rule', 'usr/bin/perl5', '--keep', 'opt/data/p*/**'];
    const result = await call(command);
    const pruned = readImageFrom(result.tree);
    const gone = compare(before, pruned, result.report);
    // The other name of the file keeps its data.
    expect(gone).toContain(paths.links[1]);
    expect(applyLayers(pruned.layers).get(paths.links[2])?.content).toBe(before.get(paths.links[1])?.content);
    expect(gone).not.toContain(paths.longPax);
    for (const path of [paths.latin, paths.accented, paths.sparsePax, paths.sparseGnu, paths.longGnu])
      expect(gone, path).toContain(path);

    const some = await call([...command, '--layers', '4..9']);
    const kept = readImageFrom(some.tree);
    expect(layersIn(kept).slice(0, 3)).toEqual(layersIn(image).slice(0, 3));
    expect(compare(before, kept, some.report)).toEqual([]);
    expect(rootOf(await call(command))).toBe(rootOf(result));
  });

  test('a path removed from a selected layer does not reappear from a lower one', async () => {
    const result = await call(['prune', '--rule', 'opt/app/settings', '--layers', '4']);
    const pruned = readImageFrom(result.tree);
    expect(compare(before, pruned, result.report)).toEqual(['opt/app/settings']);
    expect(layersIn(pruned).filter((digest, i) => digest === layersIn(image)[i]).length).toBe(count - 1);
  });
});

describe('recompress leaves every DiffID and every unpacked byte as it was', () => {
  test.each(['zstd 3', 'zstd 19', 'gzip 6', 'gzip 10', 'gzip 9 zlib', 'gzip 6 pako', 'none'])(
    'as %s',
    async (wish) => {
      const [compression = '', level, engine] = wish.split(' ');
      const command = [
        'recompress',
        '--compression',
        compression,
        ...(level === undefined ? [] : ['--level', level]),
        ...(engine === undefined ? [] : ['--gzip-engine', engine]),
      ];
      const result = await call(command);
      const packed = readImageFrom(result.tree);
      expect(packed.tars).toEqual(smallTars);
      expect(packed.config).toEqual(image.config);
      const type = MEDIA_TYPES.oci.layer[compression as 'none' | 'gzip' | 'zstd'];
      expect(new Set(packed.manifest.layers.map(({ mediaType }) => mediaType))).toEqual(new Set([type]));
      expect(rootOf(await call(command))).toBe(rootOf(result));
    },
  );

  test('of chosen layers: the others keep their blobs', async () => {
    const { tree } = await call(['recompress', '--compression', 'zstd', '--level', '5', '--layers', '3..5']);
    const packed = readImageFrom(tree);
    const same = layersIn(packed).map((digest, i) => digest === built.layers[i]?.digest);
    expect(same).toEqual([true, true, false, false, false, true, true, true, true]);
    expect(packed.tars).toEqual(smallTars);
  });
});

describe('similar files in order, and hard links instead of copies', () => {
  const arranging = ['--order', 'similar', '--dedupe-hardlink'];
  const apart = (rootfs: Rootfs): Rootfs =>
    new Map([...rootfs].map(([path, node], i) => [path, { ...node, inode: i }]));

  test.each([
    ['squash', '--all'],
    ['squash', '--layers', '2..5'],
    ['squash', '--last', '1'],
    ['prune', '--shadowed'],
  ])('keep the root filesystem with %s %s', async (...command) => {
    const plain = readImageFrom((await call(command)).tree);
    const ordered = await call([...command, '--order', 'similar']);
    expect(compare(applyLayers(plain.layers), readImageFrom(ordered.tree), ordered.report)).toEqual([]);
    const result = await call([...command, ...arranging]);
    const linked = readImageFrom(result.tree);
    expect(diffRootfs(apart(before), apart(applyLayers(linked.layers)))).toEqual([]);
    expect(linked.layers.length).toBe(plain.layers.length);
    expect(rootOf(await call([...command, ...arranging]))).toBe(rootOf(result));
  });

  test('finds identical files within a layer, and across the layers of a squash', async () => {
    const { report } = await call(['squash', '--all', ...arranging]);
    const links = report.platforms[0]?.slimming?.linked?.links ?? [];
    const [first] = links;
    expect(links.map(({ path }) => path)).toEqual([
      paths.longPax,
      'srv/across/new',
      'srv/alias',
      'srv/at-once/new',
      'srv/file-then-dir/child',
      'srv/symlink-then-file',
      'var/cache/app/after',
      'var/cache/app/before',
    ]);
    for (const { to } of links.slice(1)) expect(utf8(to)).toBe(paths.accented);
    expect(first?.to).toBe(paths.longGnu);
  });
});

describe('everything in one pass', () => {
  test('slim without options is safe', async () => {
    const result = await call(['slim']);
    const slimmed = readImageFrom(result.tree);
    const gone = compare(before, slimmed, result.report);
    expect(gone).toContain(paths.aptList);
    expect(gone.filter((path) => !/^var\/(?:lib\/apt|cache\/apt)\//.test(path))).toEqual([]);
    expect(wasteIn(slimmed)).toBe(0);
    const size = ({ manifest }: ReadImage) => manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
    expect(size(slimmed)).toBeLessThan(size(image));
    expect(rootOf(await call(['slim']))).toBe(rootOf(result));
  });

  test('squash, prune and recompress in one pass give the same as one after the other', async () => {
    const removing = ['--preset', 'docs,logs', '--rule', 'opt/data/s*'];
    const command = ['slim', '--from-layer', '3', ...removing, '--compression', 'zstd', '--level', '9'];
    const result = await call(command);
    const slimmed = readImageFrom(result.tree);
    const gone = compare(before, slimmed, result.report);
    expect(gone).toEqual(expect.arrayContaining([paths.sparsePax, paths.sparseGnu, paths.changelog]));
    expect(slimmed.layers.length).toBe(3);
    expect(wasteIn(slimmed)).toBe(0);
    expect(rootOf(await call(command))).toBe(rootOf(result));

    const pruned = await call(['slim', ...removing]);
    const next = await call(['squash', '--from-layer', '3'], `oci:${join(folder, `out-${runs}`)}:new`);
    const apart = applyLayers(readImageFrom(next.tree).layers);
    expect(diffRootfs(apart, applyLayers(slimmed.layers))).toEqual([]);
    expect(rootOf(pruned)).not.toBe(rootOf(next));
  });
});

describe('from place to place', () => {
  test.each(['oci-archive', 'docker-archive'] as const)('a layout into %s', async (form) => {
    const result = await call(['squash', '--last', '4'], undefined, form);
    const squashed = readImageFrom(result.tree);
    expect(compare(before, squashed, result.report)).toEqual([]);
    expect(squashed.layers.length).toBe(count - 3);
  });

  test('an OCI archive into a layout', async () => {
    await call(['copy'], undefined, 'oci-archive');
    const archive = `oci-archive:${join(folder, `out-${runs}`)}:new`;
    const result = await call(['slim', '--all'], archive);
    const slimmed = readImageFrom(result.tree);
    compare(before, slimmed, result.report);
    expect(slimmed.layers.length).toBe(1);
    // The manifests differ in one thing: each names the place that its original was read from.
    const other = readImageFrom((await call(['slim', '--all'])).tree);
    expect(layersIn(other)).toEqual(layersIn(slimmed));
    expect(other.config).toEqual(slimmed.config);
  });

  test.each(['squash --all', 'prune --shadowed', 'recompress --compression gzip --level 10'])(
    'what an old `docker save` wrote: %s',
    async (command) => {
      const result = await call(command.split(' '), `docker-archive:${join(folder, 'old.tar')}`);
      expect(compare(before, readImageFrom(result.tree), result.report)).toEqual([]);
    },
  );

  test('Docker schema 2 becomes OCI in a layout, with a warning', async () => {
    const source = `oci:${join(folder, 'in')}:docker`;
    const squashed = await call(['squash', '--last', '3'], source);
    expect(squashed.tree.descriptor.mediaType).toBe(MEDIA_TYPES.oci.manifest);
    expect(squashed.report.warnings.map(({ code }) => code)).toContain('FAMILY_CHANGED');
    expect(compare(before, readImageFrom(squashed.tree), squashed.report)).toEqual([]);
    const packed = await call(['recompress', '--compression', 'zstd'], source);
    expect(packed.tree.descriptor.mediaType).toBe(MEDIA_TYPES.oci.manifest);
    expect(readImageFrom(packed.tree).tars).toEqual(smallTars);
    expect(packed.report.warnings.map(({ code }) => code)).toContain('FAMILY_CHANGED');
  });

  test('memory to memory, in one pass of the library', async () => {
    const all = { kind: 'all' } as const;
    const { tree } = await rewrite(built, [
      prune(all, { shadowed: true, rules: [parseRule('srv/across', '--rule')] }),
      squash({ kind: 'range', from: 4, to: 8 }),
      recompress(all, { kind: 'gzip', level: 9, engine: 'zlib' }),
    ]);
    const after = applyLayers(readImageFrom(tree).layers);
    const rest = new Map([...before].filter(([path]) => !/^srv\/across(?:\/|$)/.test(path)));
    expect(diffRootfs(rest, after)).toEqual([]);
  });
});

describe('an index of two platforms that share layers', () => {
  const source = () => `oci:${join(folder, 'in')}:index`;
  const arm = applyLayers(readImageFrom(index, 'linux/arm64').layers);

  test.each(['squash --last 2', 'squash --layers 2..5', 'prune --shadowed', 'recompress --compression zstd'])(
    'is rewritten by %s',
    async (command) => {
      const { tree, report } = await call(command.split(' '), source());
      const [amd, other] = [readImageFrom(tree, 'linux/amd64'), readImageFrom(tree, 'linux/arm64')];
      expect(compare(before, amd, report)).toEqual([]);
      expect(compare(arm, other, report)).toEqual([]);
      if (command.includes('--last'))
        expect(layersIn(other).slice(0, 4)).toEqual(layersIn(image).slice(0, 4));
      // The layers that both platforms share become the same blob.
      if (!command.includes('--shadowed')) expect(layersIn(other)[1]).toBe(layersIn(amd)[1]);
    },
  );
});
