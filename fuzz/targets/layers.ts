import { arrange } from '../../src/slim/arrange.ts';
import { prune } from '../../src/slim/prune.ts';
import { squash } from '../../src/slim/squash.ts';
import type { Transform } from '../../src/image/image.ts';
import { run, rootfsOf } from '../../test/laws/rig.ts';
import { diffRootfs } from '../../test/support/model/filesystem.ts';
import { specOf } from '../../test/support/model/shorthand.ts';
import { writeTar } from '../../test/support/model/tar-bytes.ts';
import { choiceOf, holds, outcomeOf, type Target } from '../target.ts';
import { mendTar, tarMutators } from '../tar-mutators.ts';
import { tarSeeds } from '../tar-seeds.ts';
import { KiB } from '../../src/units.ts';

/** A layer below and one above, with something of every kind to hide, to link to and to replace. */
const lower = writeTar(
  ['a=1', 'd/', 'd/b=2', 'd/sym~>../b', 'hard->a', 'srv/', 'srv/doomed=x', 'b/', 'b/c=3'].map(specOf),
);
const upper = writeTar(['d/new=4', 'srv/.wh.doomed', 'a=5'].map(specOf));
const all = { kind: 'all' } as const;
const nothing = { rules: [], keep: [], shadowed: true, clearSetuid: [], traces: [] };

/** Transforms that leave the root filesystem unchanged. */
const transforms: readonly Transform[] = [
  squash(all),
  squash({ kind: 'range', from: 2, to: 3 }),
  prune(all, nothing),
  arrange(all, { order: 'similar', hardlinks: false, always: true }),
];

export const target: Target = {
  name: 'layers',
  invariant:
    'a layer between others is refused, or squashed, pruned of what is shadowed and put in order with the root filesystem as it was, as a model of the specification reads it',
  seeds: tarSeeds,
  dictionary: [],
  mutators: tarMutators,
  mend: mendTar,
  maxBytes: 24 * KiB,
  run: async (bytes) => {
    const stack = [lower, bytes, upper];
    const transform = transforms[choiceOf(bytes) % transforms.length] as Transform;
    const outcome = await outcomeOf(() => run(stack, transform));
    let before;
    try {
      before = rootfsOf(stack);
    } catch {
      // The model refuses more than the program does.
      return;
    }
    if (outcome.kind === 'refused') return;
    const changes = diffRootfs(before, rootfsOf(outcome.value.tars));
    holds(changes.length === 0, `the root filesystem is another one: ${changes[0] ?? ''}`);
  },
};
