import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Transform } from '../../src/image/image.ts';
import { recipeOf } from '../../src/layers/write/recipe.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { arrange } from '../../src/slim/arrange.ts';
import { prune } from '../../src/slim/prune.ts';
import type { SyncedPackages } from '../../src/slim/resolve/package-sync.ts';
import { squash } from '../../src/slim/squash.ts';
import { diffRootfs, type Rootfs } from '../support/model/filesystem.ts';
import { type Short, specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { formProblems, lawRuns, type Outcome, rootfsOf, run, runRestore, runWithin } from './rig.ts';

const all = { kind: 'all' } as const;
const status = 'var/lib/dpkg/status';
const installed = 'lib/apk/db/installed';

/** Names of packages, one of which begins as another with a dot does. */
const names = ['a', 'b', 'b.1', 'lib:amd64', 'meta'];
/** The files of each. `meta` has none, and all but `lib` share one. */
const filesOf = (name: string): readonly string[] =>
  name === 'meta' ? [] : name.startsWith('lib') ? ['lib/1'] : [`${name}/1`, `${name}/2`, 'shared/f'];

/** What one layer installs: the packages that its databases list. */
interface Step {
  readonly dpkg: readonly string[];
  readonly apk: readonly string[];
  /** Whether the database of dpkg is a name of a file elsewhere. */
  readonly isLinked: boolean;
  readonly deleted: readonly string[];
  /** What is left unwritten of the files of packages. */
  readonly omitted: readonly string[];
}

const some = fc.subarray(names);
const step: fc.Arbitrary<Step> = fc.record({
  dpkg: some,
  apk: fc.subarray(['a', 'b', 'meta']),
  isLinked: fc.boolean(),
  deleted: fc.subarray(['a/1', 'b', 'shared/f', 'var/lib/dpkg/info/a.list', 'b.1/2'], { maxLength: 2 }),
  omitted: fc.subarray(names.flatMap(filesOf), { maxLength: 3 }),
});

function stanzaOf(name: string): string {
  const [own = '', arch = 'all'] = name.split(':');
  const multi = name.includes(':') ? 'Multi-Arch: same\n' : '';
  return `Package: ${own}\nStatus: install ok installed\nArchitecture: ${arch}\n${multi}Version: 1\nDescription: x\n y\n\n`;
}

function apkStanzaOf(name: string): string {
  const files = filesOf(name).map((file) => {
    const slash = file.lastIndexOf('/');
    return `F:${file.slice(0, slash)}\nR:${file.slice(slash + 1)}\n`;
  });
  return `C:Q1x\nP:${name}\nV:1\n${files.join('')}\n`;
}

function layerOf({ dpkg, apk, isLinked, deleted, omitted }: Step): Uint8Array {
  const files = [...new Set([...dpkg, ...apk].flatMap(filesOf))].filter((file) => !omitted.includes(file));
  const text = dpkg.map(stanzaOf).join('');
  const entries: Short[] = [
    ...files.map((file) => `${file}=1`),
    ...(dpkg.length === 0
      ? []
      : [
          isLinked ? `var/backup=${text}` : `${status}=${text}`,
          ...(isLinked ? [`${status}->var/backup`] : []),
          `${status}-old=${text}`,
          ...dpkg.map(
            (name) =>
              `var/lib/dpkg/info/${name}.list=/.\n${filesOf(name)
                .map((f) => `/${f}\n`)
                .join('')}`,
          ),
          ...dpkg.map((name) => `var/lib/dpkg/info/${name}.postinst=#!/bin/sh\n`),
        ]),
    ...(apk.length === 0 ? [] : [`${installed}=${apk.map(apkStanzaOf).join('')}`]),
    ...deleted
      .filter((path) => !files.some((file) => file === path || file.startsWith(`${path}/`)))
      .map((path) => path.replace(/[^/]*$/, '.wh.$&')),
  ];
  return writeTar(entries.map(specOf));
}

const stacks = fc.array(step, { minLength: 1, maxLength: 4 });
const rules = fc.subarray([
  'a',
  'a/1',
  'b',
  'b.1/*',
  'shared',
  'lib',
  'var/lib/dpkg/info/*.list',
  `${status}-old`,
]);
const options = fc.record({
  texts: rules,
  shadowed: fc.boolean(),
  merge: fc.boolean(),
  order: fc.boolean(),
  hardlinks: fc.boolean(),
  from: fc.nat(),
  to: fc.nat(),
});

type Options = typeof options extends fc.Arbitrary<infer T> ? T : never;

function transforms(
  { texts, shadowed, merge, order, hardlinks, from: a, to: b }: Options,
  count: number,
): Transform[] {
  const from = (Math.min(a, b) % count) + 1;
  const to = Math.max(from, (Math.max(a, b) % count) + 1);
  const selection = { kind: 'range', from, to } as const;
  return [
    prune(selection, { rules: texts.map((text) => parseRule(text, '--rule')), shadowed, packageDb: 'sync' }),
    ...(merge ? [squash(selection)] : []),
    ...(order || hardlinks
      ? [arrange(all, { order: order ? 'similar' : null, hardlinks, always: false })]
      : []),
  ];
}

function syncedOf({ resolution }: Outcome): SyncedPackages {
  const { synced } = resolution;
  if (synced === null) throw new Error('no package database was looked at');
  return synced;
}

/** Returns the text of a file; empty for a path without one. */
function textOf(rootfs: Rootfs, path: string): string {
  return rootfs.get(path)?.content.replace(/^\d+ bytes(?: @0 )?/, '') ?? '';
}

/** Splits a database into its stanzas. Written without the reader that is tested. */
function stanzasOf(text: string): string[] {
  return text.split(/(?<=\n\n)/).filter((stanza) => stanza !== '');
}

/** Returns what a database lists by what is left: the model of the law. */
function expected(before: Rootfs, after: Rootfs, path: string): string {
  const isLeft = (file: string) => after.has(file);
  return stanzasOf(textOf(before, path))
    .filter((stanza) => {
      const isApk = path === installed;
      const name = names.find((each) => stanza === (isApk ? apkStanzaOf(each) : stanzaOf(each))) ?? '';
      const isKnown = isApk || before.has(`var/lib/dpkg/info/${name}.list`);
      return !isKnown || filesOf(name).length === 0 || filesOf(name).some(isLeft);
    })
    .join('');
}

describe('law 2: prune --package-db sync', () => {
  test('edits what its report says, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, options, async (steps, wish) => {
        const tars = steps.map(layerOf);
        const outcome = await run(tars, ...transforms(wish, tars.length));
        const [before, after] = [rootfsOf(tars), rootfsOf(outcome.tars)];
        const { edits, kept } = syncedOf(outcome);
        const edited = new Map(
          edits.flatMap(({ names: of, contents }) => of.map((name) => [name as string, contents])),
        );
        const untouched = new Map([...before].filter(([path]) => after.has(path) && !edited.has(path)));
        const others = new Map([...after].filter(([path]) => !edited.has(path)));
        if (!wish.hardlinks) expect(diffRootfs(untouched, others)).toEqual([]);
        const refused = new Set(kept.map(({ path }) => path as string));
        for (const path of [status, installed]) {
          if (!after.has(path)) continue;
          const text = textOf(after, path);
          if (refused.has(path)) expect(text).toBe(textOf(before, path));
          else expect(text).toBe(expected(before, after, path));
          const contents = edited.get(path);
          expect(contents !== undefined).toBe(text !== textOf(before, path));
          if (contents !== undefined) expect(Buffer.from(contents.bytes).toString('latin1')).toBe(text);
        }
        expect(formProblems(outcome, tars)).toEqual([]);
      }),
      { numRuns: lawRuns() },
    );
  });

  test('a second run changes nothing more', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, rules, async (steps, texts) => {
        const slimming = prune(all, {
          rules: texts.map((text) => parseRule(text, '--rule')),
          packageDb: 'sync',
        });
        const once = await run(steps.map(layerOf), slimming);
        const twice = await run(once.tars, prune(all, { packageDb: 'sync' }));
        expect(twice.tars).toEqual(once.tars);
        expect(syncedOf(twice).edits).toEqual([]);
      }),
      { numRuns: lawRuns({ share: 1 / 2 }) },
    );
  });

  test('restore puts the original databases back', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, options, async (steps, wish) => {
        const tars = steps.map(layerOf);
        const slim = await run(tars, ...transforms({ ...wish, hardlinks: false }, tars.length));
        const back = await runRestore(slim.tars, tars, null);
        expect(diffRootfs(rootfsOf(tars), rootfsOf(back.tars))).toEqual([]);
      }),
      { numRuns: lawRuns({ share: 1 / 2 }) },
    );
  });

  test('the bytes do not depend on the room for data that is put in order', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, rules, async (steps, texts) => {
        const tars = steps.map(layerOf);
        const wish = [
          prune(all, { rules: texts.map((text) => parseRule(text, '--rule')), packageDb: 'sync' }),
          arrange(all, { order: 'similar', hardlinks: false, always: true }),
        ];
        const [wide, tight] = [await run(tars, ...wish), await runWithin(3000, tars, ...wish)];
        expect(tight.tars).toEqual(wide.tars);
      }),
      { numRuns: lawRuns({ share: 1 / 4 }) },
    );
  });
});

const small: Step = { dpkg: ['a', 'b', 'meta'], apk: [], isLinked: false, deleted: [], omitted: [] };
const withoutA = prune(all, {
  rules: [parseRule('a', '--rule'), parseRule('shared', '--rule')],
  packageDb: 'sync',
});

test('law 5: where every listed package has files, sync changes nothing', async () => {
  const tars = [layerOf(small), layerOf({ ...small, apk: ['a', 'meta'] })];
  const outcome = await run(tars, prune(all, { packageDb: 'sync' }));
  expect(outcome.tars).toEqual(tars);
  expect(syncedOf(outcome)).toMatchObject({ edits: [], takenOut: [], kept: [] });
});

test('a package that was deleted by an instruction goes too, and one that never had files stays', async () => {
  const tars = [layerOf(small), writeTar(['.wh.a', 'shared/.wh.f'].map(specOf))];
  const outcome = await run(tars, prune(all, { packageDb: 'sync' }));
  expect(textOf(rootfsOf(outcome.tars), status)).toBe(stanzaOf('b') + stanzaOf('meta'));
});

test('files in info go with their package, by a rule of their own', async () => {
  const outcome = await run([layerOf(small)], withoutA);
  const { removals, table } = outcome.resolution;
  const gone = removals.flatMap(({ change, reason }) =>
    reason.kind === 'rule' && reason.rule.text === 'package-db' ? [table?.paths[change.path]] : [],
  );
  expect(new Set(gone)).toEqual(new Set(['var/lib/dpkg/info/a.list', 'var/lib/dpkg/info/a.postinst']));
});

test('a shadowed copy of a database in another layer stays as it is', async () => {
  const tars = [layerOf({ ...small, dpkg: ['a', 'b'] }), layerOf(small)];
  const outcome = await run(tars, withoutA);
  const [below] = outcome.tars as [Uint8Array];
  expect(textOf(rootfsOf([below]), status)).toBe(stanzaOf('a') + stanzaOf('b'));
  expect(textOf(rootfsOf(outcome.tars), status)).toBe(stanzaOf('b') + stanzaOf('meta'));
});

test('a database in a layer that was not selected is left as it is, with a reason', async () => {
  const tars = [layerOf(small), writeTar(['.wh.a', 'shared/.wh.f', 'z=1'].map(specOf))];
  const outcome = await run(tars, prune({ kind: 'range', from: 2, to: 2 }, { packageDb: 'sync' }));
  expect(outcome.tars).toEqual(tars);
  expect(syncedOf(outcome).kept).toEqual([
    { path: status, why: 'it is in layer 1, which was not selected', packages: 1 },
  ]);
});

test('an edited database is not linked to a copy that was the same', async () => {
  const wish = [withoutA, arrange(all, { order: null, hardlinks: true, always: true })];
  const after = rootfsOf((await run([layerOf(small)], ...wish)).tars);
  expect(textOf(after, `${status}-old`)).toContain('Package: a\n');
  expect(textOf(after, status)).not.toContain('Package: a\n');
});

test('the recipe of an edited layer names the new contents', async () => {
  const recipes = await Promise.all(
    ['1', '2'].map(async (version) => {
      const tars = [layerOf(small)];
      const { image, resolution } = await run(tars, withoutA);
      const [content] = resolution.contents;
      if (content?.kind !== 'edited') throw new Error('no edit');
      const [source] = content.edit.sources;
      for (const [entry, action] of source?.actions ?? [])
        if (action.kind === 'replace')
          source?.actions.set(entry, { ...action, contents: { ...action.contents, digest: version } });
      return recipeOf(image, content);
    }),
  );
  expect(recipes[0]).not.toBe(recipes[1]);
});

test('distroless: the file of a package in status.d goes, with its checksums', async () => {
  const fragments = ['a', 'b'].flatMap((name) => [
    `var/lib/dpkg/status.d/${name}=${stanzaOf(name)}`,
    `var/lib/dpkg/status.d/${name}.md5sums=0  ${name}/1\n`,
  ]);
  const tar = writeTar([...fragments, 'a/1=1', 'b/1=1'].map(specOf));
  const outcome = await run([tar], withoutA);
  const left = [...rootfsOf(outcome.tars).keys()].filter((path) => path.includes('status.d/'));
  expect(left.toSorted()).toEqual(['var/lib/dpkg/status.d/b', 'var/lib/dpkg/status.d/b.md5sums']);
  expect(syncedOf(outcome).takenOut.map(({ name }) => name)).toEqual(['a']);
});

test('what is to be kept stays, and is told', async () => {
  const tar = writeTar(
    [`var/lib/dpkg/status.d/a=${stanzaOf('a')}`, 'var/lib/dpkg/status.d/a.md5sums=0  a/1\n', 'a/1=1'].map(
      specOf,
    ),
  );
  const slimming = prune(all, {
    rules: [parseRule('a', '--rule')],
    keep: ['var/lib/dpkg/**'],
    packageDb: 'sync',
  });
  const { kept, takenOut } = syncedOf(await run([tar], slimming));
  expect(takenOut).toEqual([]);
  expect(kept).toMatchObject([{ path: 'var/lib/dpkg/status.d/a', packages: 1 }]);
});

test('an image with a database of rpm is refused, with the reason', async () => {
  const tar = writeTar(['var/lib/rpm/rpmdb.sqlite=not one', 'a=1'].map(specOf));
  await expect(run([tar], prune(all, { packageDb: 'sync' }))).rejects.toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('binary database') }),
  );
});
