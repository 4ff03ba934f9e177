import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import { type Plan, type Transform, withPlan } from '../../src/image/image.ts';
import type { Granularity } from '../../src/image/trace-pruning.ts';
import { prune } from '../../src/slim/prune.ts';
import { parseRule } from '../../src/rules/rules.ts';
import { squash } from '../../src/slim/squash.ts';
import { uses } from '../../src/trace/trace.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { diffRootfs, keepPaths } from '../support/model/filesystem.ts';
import { formProblems, type Outcome, rootfsOf, run, lawRuns } from './rig.ts';
import { b, p } from '../support/bytes.ts';

const all = { kind: 'all' } as const;
const nameless = {
  name: 'app.trace',
  platform: null,
  image: null,
  knowsExecs: false,
  changes: [],
  ends: [],
  gaps: [],
  isBlind: false,
} as const;

/** Makes a trace of at least one path of the root filesystem, each with some kind of use. */
function traceOf(
  tars: readonly Uint8Array[],
  picks: readonly number[],
): readonly (readonly [string, number])[] {
  const rootfs = rootfsOf(tars);
  const paths = [...rootfs.keys()].filter((path) => rootfs.get(path)?.kind !== 'dir');
  const kinds = Object.values(uses);
  return picks.flatMap((pick) => {
    const path = paths[pick % Math.max(1, paths.length)];
    return path === undefined ? [] : [[path, kinds[pick % kinds.length] as number] as const];
  });
}

/** Converts the plan to JSON and back. Plans with traces are plain data (law 7), so every test below uses such a plan. */
const asJson: Transform = (image) => {
  const plan = JSON.parse(JSON.stringify(image.plan)) as Plan;
  expect(plan).toEqual(image.plan);
  return withPlan(image, plan);
};

async function pruneBy(
  tars: readonly Uint8Array[],
  picks: readonly number[],
  granularity: Granularity,
  options: { rules?: readonly string[]; from?: number; squash?: boolean } = {},
): Promise<Outcome | null> {
  const paths = traceOf(tars, picks);
  if (paths.length === 0) return null;
  const trace = { ...nameless, paths };
  const rules = (options.rules ?? []).map((rule) => parseRule(rule, '--rule'));
  const selection = options.from === undefined ? all : ({ kind: 'from', layer: options.from } as const);
  const traces = [{ trace, granularity, keepCommands: [] }];
  const steps = [
    prune(selection, { traces, rules, force: true }),
    ...(options.squash === true ? [squash(selection)] : []),
  ];
  return unlessLost(run(tars, ...steps, asJson));
}

/** Null where nothing of the trace is in the image: symlinks of the generated stacks often lead nowhere. */
async function unlessLost(outcome: Promise<Outcome>): Promise<Outcome | null> {
  try {
    return await outcome;
  } catch (error) {
    if (error instanceof OcislimError && error.code === 'TRACE_INVALID') return null;
    throw error;
  }
}

const granularity = fc.constantFrom<Granularity>('file', 'package', 'directory');
const picks = fc.array(fc.nat(), { minLength: 1, maxLength: 6 });

test('law: a pruning by trace leaves exactly what the closure keeps, unchanged', async () => {
  let pruned = 0;
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1 }),
      picks,
      granularity,
      fc.boolean(),
      async (stack, some, how, merge) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const outcome = await pruneBy(tars, some, how, { squash: merge });
        if (outcome === null) return;
        const [closed] = outcome.resolution.traced;
        const kept = new Set(closed?.closure.paths());
        const before = rootfsOf(tars);
        const after = rootfsOf(outcome.tars);
        // A directory without an entry cannot be removed: a marker may still imply it.
        const implied = (path: string) =>
          before.get(path)?.kind === 'dir' &&
          (before.get(path) as { implied?: boolean }).implied === true &&
          after.has(path);
        const expected = keepPaths(before, (path) => kept.has(p(path)) || implied(path));
        expect(diffRootfs(expected, after)).toEqual([]);
        expect(formProblems(outcome, tars)).toEqual([]);
        if (after.size < before.size) pruned++;
        // No path that stays has lost a directory above it, or its target.
        for (const path of kept) {
          const walk = closed?.input.fs.resolve(b(`/${path}`));
          if (walk?.path != null && closed?.closure.strengthOf(path) === 'needed')
            expect(kept.has(walk.path)).toBe(true);
        }
      },
    ),
    { numRuns: lawRuns() },
  );
  expect(pruned).toBeGreaterThan(lawRuns() / 10);
});

test('law: layers outside of the selection do not change, and none of their files is lost', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 2 }), picks, fc.nat(), async (stack, some, pick) => {
      const tars = stack.layers.map((layer) => layer.tar);
      const from = (pick % (tars.length - 1)) + 2;
      const outcome = await pruneBy(tars, some, 'file', { from });
      if (outcome === null) return;
      expect(outcome.tars.slice(0, from - 1)).toEqual(tars.slice(0, from - 1));
      const kept = new Set(outcome.resolution.traced[0]?.closure.paths());
      const before = rootfsOf(tars);
      const after = rootfsOf(outcome.tars);
      for (const path of kept) expect(after.get(path)?.kind).toBe(before.get(path)?.kind);
      expect(formProblems(outcome, tars)).toEqual([]);
    }),
    { numRuns: lawRuns() },
  );
});

test('law: no rule removes a needed path', async () => {
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1 }),
      picks,
      fc.constantFrom('**', 'a/**', '*', '**/b'),
      async (stack, some, rule) => {
        const tars = stack.layers.map((layer) => layer.tar);
        const outcome = await pruneBy(tars, some, 'directory', { rules: [rule] });
        if (outcome === null) return;
        const after = rootfsOf(outcome.tars);
        const closure = outcome.resolution.traced[0]?.closure;
        for (const path of closure?.paths() ?? [])
          if (closure?.strengthOf(path) === 'needed') expect(after.has(path)).toBe(true);
      },
    ),
    { numRuns: lawRuns() },
  );
});

test('law: of two prunings, neither removes a path that the other needs', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), picks, picks, async (stack, some, others) => {
      const tars = stack.layers.map((layer) => layer.tar);
      const prunings = [some, others].map((each) => {
        const trace = { ...nameless, paths: traceOf(tars, each) };
        return prune(all, { traces: [{ trace, granularity: 'file', keepCommands: [] }], force: true });
      });
      if (traceOf(tars, [0]).length === 0) return;
      const byRule = prune(all, { rules: [parseRule('**', '--rule')] });
      const outcome = await unlessLost(run(tars, ...prunings, byRule));
      const after = rootfsOf(outcome?.tars ?? []);
      for (const { closure } of outcome?.resolution.traced ?? [])
        for (const path of closure.paths())
          if (closure.strengthOf(path) === 'needed') expect(after.has(path)).toBe(true);
    }),
    { numRuns: lawRuns() },
  );
});
