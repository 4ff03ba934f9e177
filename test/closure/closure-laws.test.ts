import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parentOf } from '../../src/bytes/path.ts';
import { closeOver } from '../../src/closure/closure.ts';
import type { ClosureRule, Need } from '../../src/closure/rule.ts';
import { programRules } from '../../src/closure/rules/program.ts';
import { elf, inputOf, script, symlink, type Table, text, type Thing } from './rig.ts';
import { b, p } from '../support/bytes.ts';

// Few names, so that links hit, loop, and lead through each other.
const component = fc.constantFrom('a', 'b', 'c', 'lib', 'etc');
const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const target = fc.oneof(
  path,
  path.map((at) => `/${at}`),
  fc
    .array(fc.constantFrom('a', 'b', 'lib', '..', '.', ''), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join('/')),
  fc.constantFrom('/', '..', '../../../..', '.', '/proc/self/fd/1'),
);
const thing: fc.Arbitrary<Thing | string> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(text('x')) },
  { weight: 4, arbitrary: target.filter((at) => at !== '').map(symlink) },
  {
    weight: 2,
    arbitrary: fc
      .record({
        needed: fc.array(fc.oneof(component, target), { maxLength: 3 }),
        runpath: fc.option(fc.array(target, { maxLength: 2 }).map((list) => list.join(':'))),
        rpath: fc.option(target),
        interpreter: fc.option(target),
      })
      .map((facts) => elf(facts, { mode: 0o755 })),
  },
  { weight: 1, arbitrary: target.map((at) => script(at.replaceAll(/^$/g, 'a'))) },
);

/** A tree without two things in one place: what would lie below a file or a symlink is left out. */
const tree: fc.Arbitrary<Table> = fc
  .array(fc.tuple(path, thing), { minLength: 1, maxLength: 14 })
  .map((pairs) => {
    const table: Record<string, Thing | string> = {};
    for (const [name, what] of pairs) {
      let isBelow = Object.keys(table).some((at) => at === name || at.startsWith(`${name}/`));
      for (let up = parentOf(p(name)); up !== ''; up = parentOf(up)) isBelow ||= up in table;
      if (!isBelow) table[name] = what;
    }
    return table;
  });

/** One or two layers: the upper one may put a symlink where the lower had a directory, and the other way round. */
const layers: fc.Arbitrary<readonly Table[]> = fc.array(tree, { minLength: 1, maxLength: 2 });

const need: fc.Arbitrary<Need> = fc.record(
  {
    path: target.map(b),
    detail: fc.constant(b('wanted')),
    strength: fc.constantFrom('needed', 'whole', 'courtesy'),
    itself: fc.boolean(),
    below: fc.boolean(),
    required: fc.boolean(),
  },
  { requiredKeys: ['path', 'detail'] },
);

/** Asks for some things at once and for others once something is kept. */
function asking(roots: readonly Need[], later: readonly Need[]): ClosureRule {
  return {
    name: 'asks',
    describe: 'What the property asks for.',
    roots: () => roots,
    *follow(at) {
      const next = later[at.length % Math.max(1, later.length)];
      if (next !== undefined) yield next;
    },
  };
}

const rank = { courtesy: 1, whole: 2, needed: 3 };

test('every closure has the ancestors of its paths, the targets of its symlinks, and a root for each reason', async () => {
  await fc.assert(
    fc.asyncProperty(
      layers,
      fc.array(need, { minLength: 1, maxLength: 4 }),
      fc.array(need, { maxLength: 3 }),
      async (image, roots, later) => {
        const input = await inputOf({ image });
        const closure = closeOver(input, [asking(roots, later), ...programRules]);
        for (const at of closure.paths()) {
          expect(input.fs.kind(at)).not.toBeNull();
          if (at !== '') expect(input.fs.kind(parentOf(at))).toBe('directory');
          const own = rank[closure.strengthOf(at) ?? 'courtesy'];
          const up = closure.strengthOf(parentOf(at));
          expect(up === null ? 0 : rank[up]).toBeGreaterThanOrEqual(own);
          if (input.fs.kind(at) === 'symlink') {
            const walk = input.fs.resolve(b(`/${at}`));
            if (walk.path !== null) expect(closure.isKept(walk.path)).toBe(true);
            for (const link of walk.links) expect(closure.isKept(link)).toBe(true);
          }
          const chain = closure.chain(at);
          expect(chain.at(-1)?.because).toBeNull();
          for (const [i, step] of chain.entries())
            if (i > 0)
              expect(rank[step.strength]).toBeGreaterThanOrEqual(rank[chain[i - 1]?.strength ?? 'courtesy']);
        }
        for (const { path: name, strength = 'needed', itself = false } of roots) {
          const walk = input.fs.resolve(b(`/${name}`), { follow: !itself });
          if (walk.path === null) continue;
          expect(rank[closure.strengthOf(walk.path) ?? 'courtesy']).toBeGreaterThanOrEqual(rank[strength]);
          expect(closure.isKept(walk.path)).toBe(true);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('the order of rules and needs changes only the reasons', async () => {
  await fc.assert(
    fc.asyncProperty(layers, fc.array(need, { minLength: 1, maxLength: 5 }), async (image, roots) => {
      const input = await inputOf({ image });
      const rules = [asking(roots, []), ...programRules];
      const one = closeOver(input, rules);
      const other = closeOver(input, [...rules.toReversed().slice(0, -1), asking(roots.toReversed(), [])]);
      const listed = (closure: typeof one): string[] =>
        [...closure.paths()].map((at) => `${at} ${closure.strengthOf(at)}`);
      expect(listed(other)).toEqual(listed(one));
      expect(listed(closeOver(input, rules))).toEqual(listed(one));
    }),
    { numRuns: 200 },
  );
});
