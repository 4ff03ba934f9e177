import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Transform } from '../../src/image/image.ts';
import { arrange } from '../../src/slim/arrange.ts';
import { compareLikeness, likenessOf } from '../../src/slim/resolve/likeness.ts';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { diffRootfs, linkGroups, normalise, placeOf, type Rootfs } from '../support/model/filesystem.ts';
import { specOf } from '../support/model/shorthand.ts';
import { type EntrySpec, writeTar } from '../support/model/tar-bytes.ts';
import { readTar } from '../support/model/tar-reader.ts';
import {
  formProblems,
  levelled,
  type Outcome,
  rootfsOf,
  run,
  runRestore,
  runWithin,
  lawRuns,
} from './rig.ts';
import { selectionOf, type Span, span } from './stages.ts';
import { p } from '../support/bytes.ts';

/** What else is done: nothing, a squash of a range, a prune of one. */
const stages = fc.constantFrom('none', 'squash', 'shadowed', 'rules');

function stageOf(name: string, range: Span, count: number): Transform[] {
  const selection = selectionOf(range, count);
  switch (name) {
    case 'squash':
      return [squash(selection)];
    case 'shadowed':
      return [prune(selection, { shadowed: true })];
    case 'rules':
      return [prune(selection, { rules: ['a/**', '**/b', '!*/c'].map((text) => parseRule(text, '--rule')) })];
    default:
      return [];
  }
}

/** Whether the data entries of a layer are in the order of likeness, with its hard links after them. */
function isSimilar(tar: Uint8Array): boolean {
  const entries = readTar(tar).filter(
    ({ name, type }) => type !== 'dir' && type !== 'global' && placeOf(name).is === 'content',
  );
  const data = entries.filter(({ type }) => type !== 'link');
  const keys = data.map(({ name, type }) => likenessOf(type as 'file', p(normalise(name))));
  const isSorted = keys.every((key, i) => i === 0 || compareLikeness(keys[i - 1] as typeof key, key) < 0);
  return isSorted && entries.slice(0, data.length).every(({ type }) => type !== 'link');
}

/** Makes every name of a root filesystem a separate file. */
function unlinked(rootfs: Rootfs): Rootfs {
  return new Map([...rootfs].map(([path, node], i) => [path, { ...node, inode: i }]));
}

const rewritten = ({ tars }: Outcome, sources: readonly Uint8Array[]) =>
  tars.filter((tar) => !sources.includes(tar));

test('order similar leaves the root filesystem as it was, and groups similar files', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1 }),
      stages,
      span,
      span,
      fc.boolean(),
      async (stack, stage, where, range, always) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const others = stageOf(stage, where, tars.length);
        const plain = await run(tars, ...others);
        const selection = always ? selectionOf(range, tars.length) : ({ kind: 'all' } as const);
        const sorted = arrange(selection, { order: 'similar', hardlinks: false, always });
        const outcome = await run(tars, ...others, sorted);
        expect(diffRootfs(rootfsOf(plain.tars), rootfsOf(outcome.tars))).toEqual([]);
        expect(formProblems(outcome, tars)).toEqual([]);
        if (always) {
          expect(outcome.tars.length).toBe(plain.tars.length);
        } else {
          // No layer is rewritten that would not have been.
          outcome.tars.forEach((tar, i) =>
            expect(tars.includes(tar), `layer ${i + 1}`).toBe(tars.includes(plain.tars[i] as Uint8Array)),
          );
          for (const tar of rewritten(outcome, tars)) expect(isSimilar(tar)).toBe(true);
        }
      },
    ),
    { numRuns: lawRuns() },
  );
});

test('order similar: the same bytes however little room there is', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1, maxLayers: 4, maxIntents: 8 }),
      fc.integer({ min: 3, max: 40 }),
      async (stack, blocks) => {
        const tars = levelled(stack);
        const stages = [
          squash({ kind: 'all' }),
          arrange({ kind: 'all' }, { order: 'similar', hardlinks: true, always: true }),
        ];
        const roomy = await run(tars, ...stages);
        const tight = await runWithin(blocks * 512, tars, ...stages);
        expect(tight.tars).toEqual(roomy.tars);
      },
    ),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});

test('--dedupe-hardlink changes nothing but which names are one file', async () => {
  let linked = 0;
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1 }),
      stages,
      span,
      span,
      fc.constantFrom('similar' as const, null),
      async (stack, stage, where, range, order) => {
        const tars = levelled(stack);
        const others = stageOf(stage, where, tars.length);
        const before = rootfsOf((await run(tars, ...others)).tars);
        const selection = selectionOf(range, tars.length);
        const outcome = await run(
          tars,
          ...others,
          arrange(selection, { order, hardlinks: true, always: true }),
        );
        const after = rootfsOf(outcome.tars);
        expect(diffRootfs(unlinked(before), unlinked(after))).toEqual([]);
        expect(formProblems(outcome, tars)).toEqual([]);
        // Names that were one file still are: groups only grow together.
        const groups = linkGroups(after);
        const groupsBefore = linkGroups(before);
        for (const [path, names] of groupsBefore)
          for (const name of names) expect(groups.get(path)).toContain(name);
        linked += outcome.resolution.linked.length;
        if (outcome.resolution.linked.length === 0) expect(diffRootfs(before, after)).toEqual([]);
        for (const [path, node] of after) {
          const names = groups.get(path) ?? [];
          const [a, b] = [names.length, groupsBefore.get(path)?.length ?? 0];
          if (a !== b) expect(node.mode & 0o6000, `${path} has setuid bits and is linked`).toBe(0);
        }
      },
    ),
    { numRuns: lawRuns() },
  );
  expect(linked).toBeGreaterThan(0);
});

test('a restored image with linked files differs only in these links', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1, maxLayers: 5 }), async (stack) => {
      const tars = levelled(stack);
      const rules = ['a/**', '**/c'].map((text) => parseRule(text, '--rule'));
      const slim = await run(
        tars,
        prune({ kind: 'all' }, { rules, shadowed: true }),
        arrange({ kind: 'all' }, { order: 'similar', hardlinks: true, always: true }),
      );
      const back = await runRestore(slim.tars, tars, null);
      expect(diffRootfs(unlinked(rootfsOf(tars)), unlinked(rootfsOf(back.tars)))).toEqual([]);
    }),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});

test('law 8: the result of order similar does not depend on the order of the source', async () => {
  const names = fc.uniqueArray(
    fc
      .tuple(
        fc.constantFrom('', 'usr/bin/', 'lib/', 'doc/', 'd/e/'),
        fc.constantFrom('a', 'b', 'c', 'z', '.x'),
        fc.constantFrom('', '.py', '.so.1', '.JS', '.gz', '.html', '.unheard-of'),
      )
      .map((parts) => parts.join('')),
    { minLength: 2, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(names, fc.infiniteStream(fc.nat()), async (paths, numbers) => {
      const specs = paths.map((name): EntrySpec => specOf(`${name}=${name.length}`));
      const shuffled = specs
        .map((spec) => ({ spec, at: numbers.next().value as number }))
        .sort((a, b) => a.at - b.at)
        .map(({ spec }) => spec);
      for (const hardlinks of [false, true]) {
        const stage = arrange({ kind: 'all' }, { order: 'similar', hardlinks, always: true });
        const [one] = (await run([writeTar(specs)], stage)).tars;
        const [other] = (await run([writeTar(shuffled)], stage)).tars;
        expect(other).toEqual(one);
        // A second run changes nothing.
        expect((await run([one as Uint8Array], stage)).tars).toEqual([one]);
      }
    }),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});
