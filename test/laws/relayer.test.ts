import fc from 'fast-check';
import { expect, test } from 'vitest';
import { relayer, type RelayerOptions } from '../../src/slim/relayer.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import type { ByteString } from '../support/model/byte-string.ts';
import { diffRootfs, type Rootfs } from '../support/model/filesystem.ts';
import { readTar } from '../support/model/tar-reader.ts';
import type { Image } from '../../src/image/image.ts';
import { assignmentName, type LayerAssignment, noteOfAssignment } from '../../src/image/relayering.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { retimed } from '../support/noise.ts';
import { formProblems, lawRuns, rootfsOf, run, runAfter } from './rig.ts';

const options: RelayerOptions = {
  by: 'package',
  maxLayers: 64,
  maxLayer: null,
  groups: [],
  noise: 'keep',
  previousOf: () => [],
};

/** Returns an image that states a layout, as the first run would have written it. */
function stating(image: Image, assignment: LayerAssignment | null): Image {
  if (assignment === null) return image;
  const annotations = { [assignmentName]: noteOfAssignment(assignment) };
  return { ...image, manifest: { ...image.manifest, json: { ...image.manifest.json, annotations } } };
}

/** Lists the entries of a tar, shortly. */
function listed(tar: Uint8Array): readonly string[] {
  return readTar(tar).map(({ name, type, mtime, linkname }) => `${type} ${name} ${mtime} ${linkname}`);
}

/** A stack of layers, and the number of the lowest that is relayered. */
const stackAbove = fc
  .tuple(layerStack({ minLayers: 1 }), fc.nat(), fc.integer({ min: 1, max: 5 }))
  .map(([stack, a, maxLayers]) => {
    const tars = stack.layers.map(({ tar }) => tar);
    return { tars, from: (a % tars.length) + 1, maxLayers };
  });

test('law 16: new layers leave the root filesystem as it was, above any base, whose layers stay', async () => {
  await fc.assert(
    fc.asyncProperty(stackAbove, async ({ tars, from, maxLayers }) => {
      const selection = { kind: 'range', from, to: tars.length } as const;
      const limit = from - 1 + maxLayers;
      const outcome = await run(tars, relayer(selection, { ...options, maxLayers: limit }));
      expect(diffRootfs(rootfsOf(tars), rootfsOf(outcome.tars))).toEqual([]);
      expect(formProblems(outcome, tars)).toEqual([]);
      expect(outcome.tars.slice(0, from - 1)).toEqual(tars.slice(0, from - 1));
      expect(outcome.tars.length).toBeLessThanOrEqual(Math.max(limit, from));
    }),
    { numRuns: lawRuns() },
  );
});

test('law 16b: laid out again by its own assignment, the image stays as it is, byte by byte', async () => {
  await fc.assert(
    fc.asyncProperty(stackAbove, async ({ tars, from, maxLayers }) => {
      const base = from - 1;
      const limit = base + maxLayers;
      const selection = { kind: 'from', layer: from } as const;
      const first = await run(tars, relayer(selection, { ...options, maxLayers: limit }));
      const previous = first.resolution.relayered?.assignment ?? null;
      const laid = relayer(selection, {
        ...options,
        maxLayers: limit,
        previousOf: () => [previous ?? []].flat(),
      });
      const again = await run(first.tars, (image) => laid(stating(image, previous)));
      expect(again.tars.map(listed)).toEqual(first.tars.map(listed));
      expect(again.tars.map(digestOf)).toEqual(first.tars.map(digestOf));
    }),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});

test('law 16c: digests of components do not depend on times, and a rebuild keeps the layout', async () => {
  await fc.assert(
    fc.asyncProperty(
      stackAbove,
      fc.array(fc.nat(2_000_000_000), { minLength: 1 }),
      async ({ tars, from, maxLayers }, times) => {
        const limits = { ...options, maxLayers: from - 1 + maxLayers };
        const selection = { kind: 'from', layer: from } as const;
        const first = await run(tars, relayer(selection, limits));
        const assignment = first.resolution.relayered?.assignment as LayerAssignment;
        const rebuilt = await Promise.all(
          tars.map((tar, i) => retimed(tar, (entry) => times[(entry + i) % times.length] as number)),
        );
        const second = await run(rebuilt, relayer(selection, { ...limits, previousOf: () => [assignment] }));
        expect(second.resolution.relayered?.assignment).toEqual(assignment);
      },
    ),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});

test('law 16f: earlier versions tell the same in any order', async () => {
  const digests = fc.dictionary(
    fc.constantFrom('rest', 'volatile', 'tree:/a', 'tree:/b', 'big:/a'),
    fc.constantFrom('1', '2', '3'),
  );
  const history = fc.array(digests, { minLength: 2, maxLength: 6 });
  const orders = history.chain((versions) =>
    fc.tuple(fc.constant(versions), fc.shuffledSubarray(versions, { minLength: versions.length })),
  );
  await fc.assert(
    fc.asyncProperty(stackAbove, orders, async ({ tars, maxLayers }, [one, other]) => {
      const [first, second] = await Promise.all(
        [one, other].map((versions) =>
          run(
            tars,
            relayer({ kind: 'all' }, { ...options, by: 'path', maxLayers, historyOf: () => versions }),
          ),
        ),
      );
      expect(second?.tars.map(digestOf)).toEqual(first?.tars.map(digestOf));
      expect(second?.resolution.relayered?.assignment).toEqual(first?.resolution.relayered?.assignment);
    }),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});

/** Returns a root filesystem without what noise is: times, and the names of owners. */
function noiseless(rootfs: Rootfs): Rootfs {
  const still = { mtime: '0', uname: '' as ByteString, gname: '' as ByteString };
  return new Map([...rootfs].map(([path, node]) => [path, node.implied ? node : { ...node, ...still }]));
}

test('law 16d: a rebuild with other times that adopts the previous version has its very layers', async () => {
  await fc.assert(
    fc.asyncProperty(
      stackAbove,
      fc.array(fc.nat(2_000_000_000), { minLength: 1 }),
      async ({ tars, from, maxLayers }, times) => {
        const limits = { ...options, maxLayers: from - 1 + maxLayers };
        const selection = { kind: 'from', layer: from } as const;
        const first = await run(tars, relayer(selection, limits));
        const assignment = first.resolution.relayered?.assignment as LayerAssignment;
        // The layers of the base are the same ones.
        const rebuilt = await Promise.all(
          tars.map(async (tar, i) =>
            i + 1 < from ? tar : retimed(tar, (entry) => times[(entry + i) % times.length] as number),
          ),
        );
        const second = await runAfter(rebuilt, first.tars, (previous) =>
          relayer(selection, {
            ...limits,
            noise: 'adopt',
            previousOf: () => [assignment],
            imageBefore: () => previous,
          }),
        );
        expect(second.tars.map(listed)).toEqual(first.tars.map(listed));
        expect(second.tars.map(digestOf)).toEqual(first.tars.map(digestOf));
      },
    ),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});

test('law 16e: what is adopted of any other image leaves the root filesystem as it was, but for times', async () => {
  await fc.assert(
    fc.asyncProperty(
      stackAbove,
      layerStack({ minLayers: 1 }),
      fc.nat(),
      async ({ tars, from, maxLayers }, other, seed) => {
        const limits = { ...options, maxLayers: from - 1 + maxLayers };
        // Sometimes the other image begins as this one.
        const common = tars.slice(0, seed % (tars.length + 1));
        const otherTars = [
          ...(await Promise.all(common.map((tar) => retimed(tar, (entry) => entry + 7)))),
          ...(common.length === 0 ? other.layers.map(({ tar }) => tar) : []),
        ];
        const outcome = await runAfter(tars, otherTars, (previous) =>
          relayer({ kind: 'from', layer: from }, { ...limits, noise: 'adopt', imageBefore: () => previous }),
        );
        expect(diffRootfs(noiseless(rootfsOf(outcome.tars)), noiseless(rootfsOf(tars)))).toEqual([]);
      },
    ),
    { numRuns: lawRuns() },
  );
});
