import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import { run } from '../laws/rig.ts';
import { nameCases } from '../support/corpus/name-cases.ts';
import { file, member, tarOf } from '../support/corpus/tar-case.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';
import type { Listing } from '../support/e2e/rootfs-listing.ts';
import { unpackTars } from '../support/e2e/unpacked-tars.ts';
import { bytesOf, utf8 } from '../support/model/byte-string.ts';
import { type EntrySpec, writeTar } from '../support/model/tar-bytes.ts';

// umoci's unpacked files, not our own listing, decide what is in an image.
let work: string;

beforeAll(() => {
  work = workFolder('identity');
});

afterAll(() => removeFolder(work));

const all = { kind: 'all' } as const;

async function unpacked(tars: readonly Uint8Array[]): Promise<Listing> {
  const result = await unpackTars(tars, work);
  if ('refusal' in result) throw new Error(result.refusal);
  return result.rootfs;
}

/**
 * Returns what a container sees of each path, less times: umoci changes the time of a directory when it removes
 * something from it.
 */
function seen(listing: Listing, without: (path: string) => boolean = () => false): Record<string, string> {
  const names = new Map<string, string[]>();
  for (const [path, { inode, type }] of listing)
    if (type !== 'dir' && !without(path)) names.set(inode, [...(names.get(inode) ?? []), path].sort());
  return Object.fromEntries(
    [...listing]
      .filter(([path]) => path !== '' && !without(path))
      .map(([path, { type, mode, uid, gid, target, sha256, inode }]) => [
        path,
        [type, mode, uid, gid, target, sha256, ...(names.get(inode) ?? [])].join(' '),
      ]),
  );
}

const directories = ['a', 'a/b', 'd'] as const;
const files = [
  'f',
  'a/f',
  'a/b/f',
  'a/b/g',
  'd/f',
  'a/f.',
  'a/f ',
  'a\\f',
  'C:f',
  'a/F',
  utf8('d/é'),
  utf8('d/é'),
  'd/\xff',
  '...',
  'a/..f',
];
const paths = [...directories, ...files];
/** Paths that a rule can name: rules are text. */
const nameable = paths.filter((path) => !path.includes('\xff'));

/** Another spelling of a path: one of those that `cleanPath` turns into it, but never with `..`. */
const spelling = fc.record({
  before: fc.constantFrom('', '', './', '/', '././', '//', '/./'),
  between: fc.array(fc.constantFrom('/', '/', '//', '/./', '/.//'), { minLength: 3, maxLength: 3 }),
  after: fc.constantFrom('', '', '/', '/.', '//'),
});
type Spelling = { readonly before: string; readonly between: readonly string[]; readonly after: string };

function spell(path: string, { before, between, after }: Spelling, end = after): string {
  return before + path.split('/').reduce((text, part, i) => text + (between[i - 1] ?? '/') + part) + end;
}

const entry = fc.record({
  path: fc.constantFrom(...paths),
  spelled: spelling,
  format: fc.constantFrom('pax' as const, 'gnu' as const, 'pax-all' as const),
});
const layer = fc.record({
  entries: fc.array(entry, { maxLength: 12 }),
  whiteouts: fc.array(fc.record({ path: fc.constantFrom(...paths), spelled: spelling }), { maxLength: 2 }),
});

function isWithin(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}/`);
}

type Layer = {
  readonly entries: readonly {
    readonly path: string;
    readonly spelled: Spelling;
    readonly format: 'pax' | 'gnu' | 'pax-all';
  }[];
  readonly whiteouts: readonly { readonly path: string; readonly spelled: Spelling }[];
};

function tarOfLayer({ entries, whiteouts }: Layer, number: number): Uint8Array {
  // What a marker hides has no entry in the same layer: programs differ in which of the two comes first.
  const clear = whiteouts.filter(({ path }) => !entries.some((one) => isWithin(one.path, path)));
  // Some programs (not umoci) make the directory of a marker, so it has an entry here.
  const specs = clear.flatMap(({ path, spelled }): EntrySpec[] => {
    const slash = path.lastIndexOf('/') + 1;
    const directory = path.slice(0, slash);
    const marker = { name: spell(`${directory}.wh.${path.slice(slash)}`, spelled, '') };
    return slash === 0 ? [marker] : [{ name: spell(directory.slice(0, -1), spelled), type: 'dir' }, marker];
  });
  for (const [i, { path, spelled, format }] of entries.entries()) {
    const name = spell(path, spelled);
    if ((directories as readonly string[]).includes(path))
      specs.push({ name, type: 'dir', format, mode: 0o750 });
    else
      specs.push({
        name,
        format,
        typeflag: '0',
        body: bytesOf(`<${path}> of entry ${i} in layer ${number}`),
      });
  }
  return writeTar(specs);
}

test('T17: what a rule names is gone from what umoci unpacks, however names, whiteouts and rules are spelled; all else stays', async () => {
  let removed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(layer, { minLength: 1, maxLength: 3 }),
      fc.array(fc.record({ path: fc.constantFrom(...nameable), spelled: spelling }), {
        minLength: 1,
        maxLength: 3,
      }),
      async (layers, named) => {
        const tars = layers.map(tarOfLayer);
        const rules = named.map(({ path, spelled }) => parseRule(asRule(spell(path, spelled, '')), '--rule'));
        const { tars: slim } = await run(tars, prune(all, { rules }));
        const isNamed = (path: string) => named.some((one) => isWithin(path, one.path));
        const before = await unpacked(tars);
        expect(seen(await unpacked(slim))).toEqual(seen(before, isNamed));
        for (const path of before.keys()) if (isNamed(path)) removed++;
        // The named paths are not in any single layer either, where somebody may look for them.
        for (const tar of slim) {
          const text = Buffer.from(tar).toString('latin1');
          for (const path of files.filter(isNamed)) expect(text).not.toContain(`<${path}>`);
        }
      },
    ),
    { numRuns: 60, seed: 1 },
  );
  expect(removed).toBeGreaterThan(50);
});

/** Writes bytes as the text of a rule, in which backslashes and a blank at the end have a meaning. */
function asRule(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8').replaceAll('\\', '\\\\').replace(/ $/, '[ ]');
}

describe('T1: names that programs could read otherwise', () => {
  const read = nameCases.filter(({ verdict }) => verdict === 'read');

  test('come out of a prune and a squash as umoci had them before, or umoci refuses both', async () => {
    for (const { name, tar } of read) {
      const rules = [parseRule('after', '--rule')];
      const other = tarOf(file('other'));
      const before = await unpackTars([tar, other], work);
      const slim = await run([tar, other], prune(all, { rules }));
      const squashed = await run([tar, other], squash(all));
      const pruned = await unpackTars(slim.tars, work);
      const merged = await unpackTars(squashed.tars, work);
      expect(slim.tars[0], name).not.toBe(tar);
      if ('refusal' in before) {
        expect(['refusal' in pruned, 'refusal' in merged], name).toEqual([true, true]);
        continue;
      }
      if ('refusal' in pruned || 'refusal' in merged) throw new Error(`umoci refuses ${name}`);
      expect(seen(pruned.rootfs), name).toEqual(seen(before.rootfs, (path) => path === 'after'));
      expect(seen(merged.rootfs), name).toEqual(seen(before.rootfs));
    }
    expect(read.length).toBeGreaterThan(20);
  });

  test('are refused where they lead out of the root or stand for nothing', async () => {
    for (const { name, tar, verdict } of nameCases.filter((one) => one.verdict !== 'read'))
      await expect(run([tar, tarOf(file('other'))], squash(all)), name).rejects.toMatchObject({
        code: verdict,
      });
  });
});

test('T2: a hard link to a symlink is another name of the symlink, which is not followed', async () => {
  const tars = [
    writeTar([
      { name: 's', type: 'symlink', linkname: '../../../../etc/passwd' },
      { name: 'l', type: 'link', linkname: './s' },
      { name: 'loop', type: 'symlink', linkname: 'loop' },
      { name: 'x' },
    ]),
    writeTar([{ name: 'm', type: 'link', linkname: '/l' }]),
  ];
  const before = await unpacked(tars);
  const rules = [parseRule('s', '--rule'), parseRule('x', '--rule')];
  for (const stages of [[prune(all, { rules })], [prune(all, { rules }), squash(all)]]) {
    const slim = await run(tars, ...stages);
    expect(seen(await unpacked(slim.tars))).toEqual(seen(before, (path) => path === 's' || path === 'x'));
  }
  expect(before.get('m')?.target).toBe('../../../../etc/passwd');
});

test('T6: umoci refuses the types that we refuse', async () => {
  for (const typeflag of ['V', 'D', 'M', 'N', 'X', 'A', 'Z'])
    expect(await unpackTars([tarOf(member({ name: 'f', typeflag }))], work)).toMatchObject({
      refusal: expect.stringContaining('unknown typeflag'),
    });
});

test('T6: umoci refuses contiguous files and global headers, too, which others read and we pass on', async () => {
  for (const typeflag of ['7', 'g'])
    expect(await unpackTars([tarOf(member({ name: 'f', typeflag }))], work)).toMatchObject({
      refusal: expect.stringContaining('unknown typeflag'),
    });
});

test('T3: below a symlink of a lower layer umoci follows it, and where a directory has an entry replaces it', async () => {
  const lower = writeTar([
    { name: 'etc/', type: 'dir' },
    { name: 'a', type: 'symlink', linkname: 'etc' },
  ]);
  const implied = await unpacked([lower, tarOf(file('a/b'))]);
  expect([implied.get('a')?.type, implied.has('etc/b')]).toEqual(['symlink', true]);
  const stated = [lower, writeTar([{ name: 'a/', type: 'dir' }, { name: 'a/b' }])];
  const before = await unpacked(stated);
  expect([before.get('a')?.type, before.has('etc/b')]).toEqual(['dir', false]);
  expect(seen(await unpacked((await run(stated, squash(all))).tars))).toEqual(seen(before));
});

const linked = ['p', 'q', 'r', 'x/p', 'x/q', 'y/p'];
const group = fc.record({
  /** Names of one file in the order of the tar. The first one carries the data. */
  names: fc.shuffledSubarray(linked, { minLength: 1 }),
  spelled: spelling,
});

test('T18: whatever names of linked files go, the others keep contents and links', async () => {
  let primaries = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ group, more: fc.subarray(linked) }), { minLength: 1, maxLength: 3 }),
      fc.subarray(linked, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (layers, gone, merges) => {
        const tars = layers.map(({ group: { names, spelled }, more }, i) => {
          const [first = 'p', ...others] = names;
          // Further links lead to what an earlier layer has, by a name that this layer does not touch.
          const lower = layers.slice(0, i).flatMap((below) => below.group.names);
          const target = lower.find((name) => !names.includes(name));
          const links =
            target === undefined ? [] : more.filter((name) => !names.includes(name) && name !== target);
          return writeTar([
            { name: spell(first, spelled, ''), body: bytesOf(`file ${i}`), mode: 0o640 },
            ...others.map((name): EntrySpec => ({ name, type: 'link', linkname: spell(first, spelled, '') })),
            ...links.map(
              (name): EntrySpec => ({ name, type: 'link', linkname: spell(target ?? '', spelled, '') }),
            ),
          ]);
        });
        const rules = gone.map((name) => parseRule(name, '--rule'));
        const stages = [prune(all, { rules }), ...(merges ? [squash(all)] : [])];
        const slim = await run(tars, ...stages);
        const isGone = (path: string) => gone.some((top) => isWithin(path, top));
        const before = await unpacked(tars);
        expect(seen(await unpacked(slim.tars), (path) => path === 'x' || path === 'y')).toEqual(
          seen(before, (path) => path === 'x' || path === 'y' || isGone(path)),
        );
        for (const {
          group: { names },
        } of layers)
          if (gone.includes(names[0] ?? '') && names.some((name) => !gone.includes(name))) primaries++;
      },
    ),
    { numRuns: 60, seed: 1 },
  );
  expect(primaries).toBeGreaterThan(20);
});
