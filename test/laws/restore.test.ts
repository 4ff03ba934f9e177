import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prune } from '../../src/slim/prune.ts';
import { createKeepMatcher, literalPath, parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { diffRootfs, linkGroups, normalise, type Rootfs } from '../support/model/filesystem.ts';
import { readTar } from '../support/model/tar-reader.ts';
import { formProblems, rootfsOf, run, runRestore, lawRuns } from './rig.ts';
import { p } from '../support/bytes.ts';

/** Globs over the small alphabet of the generated names. */
const globs = fc.array(
  fc.constantFrom('a', 'b', 'a/**', '**/b', 'c/*', '*/a', 'b/**/c', '**', '!a', '!**/c', 'd', '?', '*x*'),
  { minLength: 1, maxLength: 4 },
);

/** A stack, and rules that prune some of its layers. */
const pruned = fc.record({
  stack: layerStack({ minLayers: 1 }),
  texts: globs,
  clear: fc.boolean(),
  merge: fc.boolean(),
  a: fc.nat(),
  b: fc.nat(),
});

async function pruneSome({
  stack,
  texts,
  clear,
  merge,
  a,
  b,
}: typeof pruned extends fc.Arbitrary<infer T> ? T : never) {
  const tars = stack.layers.map((layer) => layer.tar);
  const from = (Math.min(a, b) % tars.length) + 1;
  const to = Math.max(from, (Math.max(a, b) % tars.length) + 1);
  const rules = texts.map((text) => parseRule(text, '--rule'));
  const slimming = prune({ kind: 'range', from, to }, { rules, clearSetuid: clear ? ['**'] : [] });
  const slim = await run(tars, slimming, ...(merge ? [squash({ kind: 'from', layer: from })] : []));
  return { tars, slim: slim.tars };
}

test('restoring everything after a prune gives the root filesystem of the original', async () => {
  await fc.assert(
    fc.asyncProperty(pruned, async (given) => {
      const { tars, slim } = await pruneSome(given);
      const outcome = await runRestore(slim, tars, null);
      expect(diffRootfs(rootfsOf(tars), rootfsOf(outcome.tars))).toEqual([]);
      expect(outcome.resolution.restored?.missing).toBe(0);
      expect(outcome.tars.slice(0, slim.length)).toEqual(slim);
      expect(formProblems(outcome, slim)).toEqual([]);
    }),
    { numRuns: lawRuns() },
  );
});

test('a second restore changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(pruned, async (given) => {
      const { tars, slim } = await pruneSome(given);
      const whole = await runRestore(slim, tars, null);
      const again = await runRestore(whole.tars, tars, null);
      expect(again.resolution.restored).toEqual({ changes: [], missing: 0 });
    }),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});

test('with globs exactly the wanted paths come back, with their other names and the directories they need', async () => {
  await fc.assert(
    fc.asyncProperty(pruned, globs, async (given, written) => {
      // Names without wildcards also lead through symlinks: see slim/restore-stack.test.ts.
      const paths = written.map((glob) => (literalPath(glob) === null ? glob : glob.replace(/\w/, '[$&]')));
      const { tars, slim } = await pruneSome(given);
      const outcome = await runRestore(slim, tars, paths);
      const [before, less, after] = [rootfsOf(tars), rootfsOf(slim), rootfsOf(outcome.tars)];
      const match = createKeepMatcher(paths);
      const groups = linkGroups(before);
      const isDifferent = (path: string) => diffRootfs(only(before, path), only(less, path)).length > 0;
      // A directory without an entry of its own comes back with what is in it; alone it may or may not.
      const named = new Set(tars.flatMap((tar) => readTar(tar).map(({ name }) => normalise(name))));
      const isOptional = (path: string) => !named.has(path) && !less.has(path);
      const wanted = new Set<string>();
      for (const path of before.keys()) {
        if (!named.has(path) || !isDifferent(path) || match(p(path)) === null) continue;
        for (const name of groups.get(path) ?? [path]) wanted.add(name);
      }
      const back = new Set(wanted);
      for (const path of wanted)
        for (let at = path; at.includes('/'); ) {
          at = at.slice(0, at.lastIndexOf('/'));
          if (!less.has(at)) back.add(at);
        }
      const optional = [...after.keys()].filter((path) => isOptional(path) && before.has(path));
      for (const path of optional) back.add(path);
      expect(new Set(after.keys())).toEqual(new Set([...less.keys(), ...back]));
      for (const path of back) expect(diffRootfs(only(before, path), only(after, path)), path).toEqual([]);
      expect(formProblems(outcome, slim)).toEqual([]);
    }),
    { numRuns: lawRuns() },
  );
});

function only(rootfs: Rootfs, path: string): Rootfs {
  const node = rootfs.get(path);
  return new Map(node === undefined ? [] : [[path, node]]);
}
