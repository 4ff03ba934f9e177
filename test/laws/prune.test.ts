import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { diffRootfs, type Rootfs } from '../support/model/filesystem.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { formProblems, type Outcome, rootfsOf, run, lawRuns } from './rig.ts';

const all = { kind: 'all' } as const;

test('law 3: prune --shadowed leaves the root filesystem as it was', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), fc.nat(), fc.nat(), async (stack, a, b) => {
      const tars = stack.layers.map((layer) => layer.tar);
      const from = (Math.min(a, b) % tars.length) + 1;
      const to = Math.max(from, (Math.max(a, b) % tars.length) + 1);
      const outcome = await run(tars, prune({ kind: 'range', from, to }, { shadowed: true }));
      expect(diffRootfs(rootfsOf(tars), rootfsOf(outcome.tars))).toEqual([]);
      expect(formProblems(outcome, tars)).toEqual([]);
    }),
    { numRuns: lawRuns() },
  );
});

/** Globs over the small alphabet of the generated names. */
const globs = fc.array(
  fc.constantFrom(
    'a',
    'b',
    'a/**',
    '**/b',
    'c/*',
    '*/a',
    'b/**/c',
    '**',
    '!a',
    '!**/c',
    '!b/*',
    'd',
    '?',
    '*/*/a',
    '*x*',
  ),
  { minLength: 1, maxLength: 4 },
);

/** Lists the paths that are missing after a pruning. The report must name each of them. */
function lost(before: Rootfs, after: Rootfs): string[] {
  return [...before.keys()].filter((path) => !after.has(path));
}

function removedPaths(outcome: Outcome): Set<string> {
  const { resolution } = outcome;
  return new Set(
    resolution.removals
      .filter(({ reason }) => reason.kind === 'rule')
      .map(({ change }) => resolution.table?.paths[change.path] as string),
  );
}

test('law 2: prune removes exactly what its report says', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1 }),
      globs,
      fc.nat(),
      fc.nat(),
      fc.boolean(),
      async (stack, texts, a, b, whole) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const from = whole ? 1 : (Math.min(a, b) % tars.length) + 1;
        const to = whole ? tars.length : Math.max(from, (Math.max(a, b) % tars.length) + 1);
        const rules = texts.map((text) => parseRule(text, '--rule'));
        const outcome = await run(tars, prune({ kind: 'range', from, to }, { rules }));
        const before = rootfsOf(tars);
        const after = rootfsOf(outcome.tars);
        const gone = new Set(lost(before, after));
        const named = removedPaths(outcome);
        const covered = (path: string): boolean =>
          named.has(path) ||
          (path !== '' && covered(path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''));
        const kept = new Map([...before].filter(([path]) => !gone.has(path)));
        expect(diffRootfs(kept, after)).toEqual([]);
        for (const path of gone) {
          const implied = (before.get(path) as { implied?: boolean }).implied === true;
          expect(covered(path) || implied, `${path} is gone, but not in the report`).toBe(true);
        }
        // What the report names is gone, unless it stays as the directory of something kept.
        if (whole)
          expect([...named].filter((path) => after.has(path) && after.get(path)?.kind !== 'dir')).toEqual([]);
        expect(formProblems(outcome, tars)).toEqual([]);
      },
    ),
    { numRuns: lawRuns() },
  );
});

test('pruning and squashing in one pass keep the same files as one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 2 }),
      globs,
      fc.boolean(),
      fc.nat(),
      async (stack, texts, shadowed, a) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const from = (a % tars.length) + 1;
        const rules = texts.map((text) => parseRule(text, '--rule'));
        const slim = prune(all, { rules, shadowed });
        const merge = squash({ kind: 'from', layer: from });
        const together = await run(tars, slim, merge);
        const pruned = await run(tars, slim);
        expect(diffRootfs(rootfsOf(pruned.tars), rootfsOf(together.tars))).toEqual([]);
        expect(formProblems(together, tars)).toEqual([]);
        expect(together.tars.length).toBe(from);
      },
    ),
    { numRuns: lawRuns() },
  );
});

test('a directory that only markers implied is in the report when it goes', async () => {
  const tar = writeTar(['a=1', 'b/.wh..wh..opq'].map(specOf));
  const outcome = await run([tar, tar], prune(all, { rules: [parseRule('?', '--rule')] }));
  expect([...rootfsOf(outcome.tars).keys()].filter((path) => path !== '')).toEqual([]);
  expect([...removedPaths(outcome)].sort()).toEqual(['a', 'b']);
});

test('T17: a rule takes a directory with all that only markers imply in it', async () => {
  for (const names of [
    ['a/b/.wh.g', 'a/f=1'],
    ['a/f=1', './a//b/.wh..wh..opq'],
    ['/a/b/c/.wh.g', 'a/b/.wh.f'],
  ]) {
    const tar = writeTar([...names, 'z=1'].map(specOf));
    const outcome = await run([tar], prune(all, { rules: [parseRule('a', '--rule')] }));
    expect([...rootfsOf(outcome.tars).keys()]).toEqual(['', 'z']);
    expect(removedPaths(outcome).has('a')).toBe(true);
  }
});
