import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { root } from '../../../src/bytes/path.ts';
import type { PrunedStack } from '../../../src/slim/resolve/prune-stack.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { applyLayers, diffRootfs, keepPaths, type Rootfs } from '../../support/model/filesystem.ts';
import { list } from '../../support/model/shorthand.ts';
import { type BothStacks, entriesOf, prune, readSpecs, readStack, type ShortPruning } from './rig.ts';

/** Returns the layers after a pruning, for the model. */
const after = (stacks: BothStacks, { all }: PrunedStack) =>
  [...all.values()].map((changes) => entriesOf(stacks, changes));

/** Prunes layers in short. Returns what is left of each: names, whiteouts as `-a`, opaque markers as `a/*`. */
async function pruned(layers: readonly (readonly string[])[], ...prunings: readonly ShortPruning[]) {
  const stacks = await readStack(...layers);
  const result = prune(stacks, ...prunings);
  const { paths } = stacks.stack.table;
  const shown = { whiteout: '-%', opaque: '%/*', directory: '%/', link: '%->' } as const;
  return {
    ...result,
    rootfs: list(...(after(stacks, result) as Parameters<typeof list>)),
    layers: [...result.all.values()].map((changes) =>
      changes.map(({ kind, path, target }) => {
        const form = shown[kind as keyof typeof shown] ?? '%';
        return form.replace('%', paths[path] as string) + (kind === 'link' ? paths[target] : '');
      }),
    ),
    gone: result.removals.map(
      ({ change, reason, how }) => `${change.layer} ${paths[change.path]} ${reason.kind} ${how}`,
    ),
  };
}

describe('a rule', () => {
  test('takes an entry of a selected layer, visible or not', async () => {
    const { layers, gone } = await pruned([['a=1', 'b=1'], ['a=2']], { rules: ['a'] });
    expect(layers).toEqual([['b'], []]);
    expect(gone).toEqual(['1 a rule freed', '2 a rule freed']);
  });

  test('leaves a whiteout where an unselected layer below has the path', async () => {
    const { layers, gone, rootfs } = await pruned([['a=1', 'b=1'], ['a=2']], { from: 2, rules: ['a'] });
    expect(layers).toEqual([['a', 'b'], ['-a']]);
    expect(gone).toEqual(['2 a rule hidden']);
    expect(rootfs).toEqual(['b=1']);
  });

  test('leaves a directory that something kept lies in', async () => {
    const { layers } = await pruned([['d/', 'd/a=1', 'd/b=1']], { rules: ['d/**', 'd', '!d/b'] });
    expect(layers).toEqual([['d/', 'd/b']]);
  });

  test('takes a directory without an entry once nothing lies in it, and names it in the removals', async () => {
    const { layers, gone } = await pruned([['d/a=1', 'z=1']], { rules: ['d'] });
    expect(layers).toEqual([['z']]);
    expect(gone).toEqual(['1 d/a rule freed', '1 d rule freed']);
  });

  test('leaves the file that a hard link of an unselected layer names', async () => {
    const result = await pruned([['a=1'], ['b->a']], { to: 1, rules: ['a'] });
    expect(result.layers).toEqual([['a'], ['b->a']]);
    expect(result.keptForLinks.map(({ layer }) => layer)).toEqual([1]);
  });

  test('that takes the name with the data leaves the data under the other name', async () => {
    const { layers, promotions, rootfs } = await pruned([['a=1', 'b->a']], { rules: ['a'] });
    expect(layers).toEqual([['b']]);
    expect(promotions.map(({ reason }) => reason)).toEqual(['target removed']);
    expect(rootfs).toEqual(['b=1']);
  });

  test('takes nothing that the pruning keeps', async () => {
    const { layers } = await pruned([['a=1', 'b=1']], { rules: ['*'], keep: ['b'] });
    expect(layers).toEqual([['b']]);
  });
});

describe('a pruning of shadowed entries', () => {
  const shadowed = true;

  test('takes what a layer above hides, and the whiteout with it', async () => {
    const { layers, gone } = await pruned(
      [
        ['a=1', 'b=1'],
        ['.wh.a', 'b=2'],
      ],
      { shadowed },
    );
    expect(layers).toEqual([[], ['b']]);
    expect(gone).toEqual(['1 a shadowed freed', '1 b shadowed freed', '2 a idle freed']);
  });

  test('takes an entry that a later one of its own layer replaces', async () => {
    const { layers, rootfs } = await pruned([['a=1', 'a=2']], { shadowed });
    expect(layers).toEqual([['a']]);
    expect(rootfs).toEqual(['a=2']);
  });

  test('leaves the data that a visible hard link names', async () => {
    const { layers, rootfs } = await pruned([['a=1'], ['b->a'], ['.wh.a']], { shadowed });
    expect(rootfs).toEqual(['b=1']);
    expect(layers[0]).toEqual(['a']);
  });

  test('changes no layer in which everything is visible', async () => {
    const { all, layers } = await pruned([['a=1'], ['b=2']], { shadowed });
    expect(layers).toEqual([['a'], ['b']]);
    expect([...all.keys()]).toEqual([1, 2]);
  });
});

test('cleared mode bits change a layer and remove nothing', async () => {
  const stacks = await readSpecs([[{ name: 'su', mode: 0o4755 }, { name: 'b' }], [{ name: 'c' }]]);
  const result = prune(stacks, { clearSetuid: ['su', 'b'] });
  expect([...result.marking.cleared.values()]).toEqual([{ from: 0o4755, to: 0o755 }]);
  expect([...result.layers.keys()]).toEqual([1]);
  expect(result.removals).toEqual([]);
});

describe('over random stacks', () => {
  const texts = ['a', 'b', 'a/**', '**/b', 'c/*', '**', '!a', '!**/c', 'd', '*x*'];
  const rules = fc.array(fc.constantFrom(...texts), { maxLength: 4 });
  const stacks = layerStack({ minLayers: 1, maxLayers: 5, maxIntents: 8 });
  const pick = fc.nat();

  const isDirectory = (rootfs: Rootfs, path: string) => rootfs.get(path)?.kind === 'dir';

  test('what a pruning leaves is the root filesystem less what the removals name', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, rules, fc.boolean(), pick, pick, async (generated, chosen, shadowed, a, b) => {
        const both = await readSpecs(generated.layers.map(({ entries }) => entries));
        const count = generated.layers.length;
        const from = (Math.min(a, b) % count) + 1;
        const to = Math.max(from, (Math.max(a, b) % count) + 1);
        const result = prune(both, { from, to, rules: chosen, shadowed });
        const before = applyLayers(both.model);
        const left = applyLayers(after(both, result));
        const { paths } = both.stack.table;
        const ruled = new Set(
          result.removals.flatMap(({ change, reason }) =>
            reason.kind === 'rule' ? [paths[change.path] as string] : [],
          ),
        );
        const isNamed = (path: string): boolean =>
          ruled.has(path) || (path.includes('/') && isNamed(path.slice(0, path.lastIndexOf('/'))));
        for (const path of before.keys())
          if (!left.has(path)) expect(isNamed(path), `${path} is gone, but no removal names it`).toBe(true);
        // A name that a rule took is gone; but a directory stays while something lies in it.
        if (from === 1 && to === count)
          expect([...ruled].filter((path) => left.has(path) && !isDirectory(left, path))).toEqual([]);
        expect(
          diffRootfs(
            keepPaths(before, (path) => left.has(path)),
            left,
          ),
        ).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('the trees of the result say of every path what the model says', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, rules, fc.boolean(), async (generated, chosen, shadowed) => {
        const both = await readSpecs(generated.layers.map(({ entries }) => entries));
        const result = prune(both, { rules: chosen, shadowed });
        const kinds = (rootfs: Rootfs) =>
          new Map([...rootfs].map(([path, { kind }]) => [path, kind === 'dir' ? 'directory' : kind]));
        const told = (fs: PrunedStack['fs']) =>
          new Map([root, ...fs.all()].map((path) => [path, fs.kind(path)]));
        expect(told(result.fs)).toEqual(kinds(applyLayers(both.model)));
        expect(told(result.result)).toEqual(kinds(applyLayers(after(both, result))));
      }),
      { numRuns: 100 },
    );
  });

  test('a layer that was not selected keeps its changes', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, rules, pick, async (generated, chosen, a) => {
        const both = await readSpecs(generated.layers.map(({ entries }) => entries));
        const only = (a % generated.layers.length) + 1;
        const { layers, all } = prune(both, { from: only, to: only, rules: chosen, shadowed: true });
        expect([...layers.keys()].filter((layer) => layer !== only)).toEqual([]);
        for (const [layer, changes] of all) {
          const before = both.stack.layers.get(layer) ?? [];
          if (layer !== only) expect(changes.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
        }
      }),
      { numRuns: 100 },
    );
  });
});
