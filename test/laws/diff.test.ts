import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FileChange, ignorable, type ImageDiff } from '../../src/analyze/diff/image-diff.ts';
import type { GeneratedStack } from '../support/arbitrary/layers.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { compareTrees, listsNothing, onlyPlatform } from '../support/diff-images.ts';
import { type BuiltImage, buildImage } from '../support/image-builder.ts';
import { diffRootfs, linkGroups, type Rootfs, type RootfsNode } from '../support/model/filesystem.ts';
import { show } from '../support/model/byte-string.ts';
import { lawRuns, rootfsOf } from './rig.ts';

const runs = { numRuns: lawRuns({ share: 0.5 }) };

const tarsOf = (stack: GeneratedStack) => stack.layers.map(({ tar }) => tar);
const imageOf = (tars: readonly Uint8Array[]): BuiltImage => buildImage({ layers: tars, compress: 'none' });

/** Two stacks: strangers, or one and its lowest layers, or one twice. */
const stacks = fc.record({
  one: layerStack({ minLayers: 1, maxLayers: 4 }),
  other: layerStack({ minLayers: 1, maxLayers: 4 }),
  how: fc.constantFrom('strangers', 'strangers', 'more', 'less', 'same'),
});

function tarsOfBoth({ one, other, how }: { one: GeneratedStack; other: GeneratedStack; how: string }) {
  const [a, b] = [tarsOf(one), tarsOf(other)];
  if (how === 'strangers') return [a, b] as const;
  if (how === 'less') return [a, a.slice(0, -1)] as const;
  return how === 'same' ? ([a, a] as const) : ([a.slice(0, 1), a] as const);
}

/** Makes the root filesystem of B out of that of A and the changes listed. */
function applied(a: Rootfs, b: Rootfs, files: readonly FileChange[]): Rootfs {
  const result = new Map(a);
  for (const { path, change } of files)
    if (change === 'removed') result.delete(path);
    else result.set(path, b.get(path) as RootfsNode);
  return result;
}

/** Returns, for each path that both have as files of one kind, the first of these that are one file with it. */
function firstNames(rootfs: Rootfs, other: Rootfs): Map<string, string> {
  const groups = linkGroups(rootfs);
  const isCommon = (path: string) => other.get(path)?.kind === rootfs.get(path)?.kind;
  const first = (path: string) => (groups.get(path) ?? []).find(isCommon) ?? path;
  return new Map([...rootfs.keys()].filter(isCommon).map((path) => [path, first(path)]));
}

const sorted = (details: FileChange['details']) =>
  details.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));

const mirrored = {
  added: 'removed',
  removed: 'added',
  changed: 'changed',
  attributes: 'attributes',
} as const;

function mirror(files: readonly FileChange[]): unknown[] {
  return files.map(({ change, a, b, details, ...rest }) => ({
    ...rest,
    change: mirrored[change],
    a: b,
    b: a,
    details: sorted(details.map((detail) => ({ ...detail, a: detail.b, b: detail.a }))),
  }));
}

async function diffOf(
  a: readonly Uint8Array[],
  b: readonly Uint8Array[],
  ignored: ImageDiff['ignored'] = [],
) {
  return (await compareTrees(imageOf(a), imageOf(b), { ignored })).diff;
}

describe('law 12: a diff lists what differs, and nothing else', () => {
  test('the root filesystem of A with the changes listed is that of B', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, async (both) => {
        const [before, after] = tarsOfBoth(both);
        const [a, b] = [rootfsOf(before), rootfsOf(after)];
        const { files } = onlyPlatform(await diffOf(before, after));
        const isOfNodes = (line: string) => !line.includes(': hard links ');
        expect(diffRootfs(applied(a, b, files), b).filter(isOfNodes)).toEqual([]);
        const listed = new Set<string>(files.map(({ path }) => path));
        const [left, right] = [firstNames(a, b), firstNames(b, a)];
        for (const [path, first] of left)
          if (!listed.has(path)) expect([path, first]).toEqual([path, right.get(path)]);
      }),
      runs,
    );
  });

  test('every path listed differs', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, async (both) => {
        const [before, after] = tarsOfBoth(both);
        const differing = diffRootfs(rootfsOf(before), rootfsOf(after));
        for (const { path } of onlyPlatform(await diffOf(before, after)).files)
          expect(differing.find((line) => line.startsWith(`${show(path)}: `))).toBeDefined();
      }),
      runs,
    );
  });

  test('an image does not differ from itself', async () => {
    await fc.assert(
      fc.asyncProperty(layerStack(), async (stack) => {
        const diff = await diffOf(tarsOf(stack), tarsOf(stack));
        expect([diff.verdict.kind, listsNothing(diff)]).toEqual(['identical', true]);
      }),
      { numRuns: lawRuns({ share: 0.1 }) },
    );
  });

  test('the other way round, what was added is removed', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, async (both) => {
        const [a, b] = tarsOfBoth(both);
        const [there, back] = [onlyPlatform(await diffOf(a, b)), onlyPlatform(await diffOf(b, a))];
        const files = back.files.map((file) => ({ ...file, details: sorted(file.details) }));
        expect(files).toEqual(mirror(there.files));
        expect(back.totals).toMatchObject({ added: there.totals.removed, removed: there.totals.added });
        expect(back.verdict).toEqual(there.verdict);
      }),
      runs,
    );
  });

  const anyIgnored = fc.subarray([...ignorable]);
  test('images are different exactly if something is listed, and identical exactly if their digests are', async () => {
    await fc.assert(
      fc.asyncProperty(stacks, anyIgnored, async (both, ignored) => {
        const [a, b] = tarsOfBoth(both);
        const diff = await diffOf(a, b, ignored);
        expect(listsNothing(diff)).toBe(diff.verdict.kind !== 'different');
        expect(diff.verdict.kind === 'identical').toBe(diff.a.digest === diff.b.digest);
        const all = await diffOf(a, b);
        expect([...diff.verdict.differIn, ...diff.verdict.butFor].sort()).toEqual(
          [...all.verdict.differIn].sort(),
        );
      }),
      runs,
    );
  });
});
