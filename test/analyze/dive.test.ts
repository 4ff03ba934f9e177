import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diveSteps } from '../../src/analyze/dive.ts';
import { atOnce } from '../../src/steps.ts';
import { lawRuns } from '../laws/rig.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { diveNumbers } from '../support/model/dive.ts';
import { type Short, tar } from '../support/model/shorthand.ts';
import { readTar } from '../support/model/tar-reader.ts';
import { layered, layeredOf } from './rig.ts';

async function numbersOf(...layers: readonly (readonly Short[])[]) {
  const { stack, indexes } = await layeredOf(...layers);
  return atOnce(diveSteps(stack.table, indexes));
}

/** A file of so many bytes, in short. */
const file = (name: string, bytes: number): string => `${name}=${'x'.repeat(bytes)}`;

/** Compares the numbers of tars with the model's. */
async function expectModel(tars: readonly Uint8Array[]): Promise<void> {
  const { stack, indexes } = await layered(tars);
  const { numbers, layerBytes } = atOnce(diveSteps(stack.table, indexes));
  const model = diveNumbers(tars.map((bytes) => readTar(bytes)));
  expect(layerBytes).toEqual(model.layerBytes);
  expect(numbers.efficiency).toBe(model.efficiency);
  expect(numbers.wastedBytes).toBe(model.wastedBytes);
  expect(new Map(numbers.inefficient.map(({ path, count, bytes }) => [path, [count, bytes]]))).toEqual(
    model.inefficient,
  );
}

test('law: the numbers equal those of a model that follows dive step by step', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), async ({ layers }) =>
      expectModel(layers.map((layer) => layer.tar)),
    ),
    { numRuns: lawRuns({ usual: 200 }) },
  );
});

/** Names whose whiteouts sort before and behind them, and directories that hold more. */
const names = ['a', 'b', '.a', '.x', '-', 'd', 'd/a', 'd/.a', 'd/e', 'd/e/a', '.d', '.d/a'];
const entries = fc.uniqueArray(
  fc.record({ name: fc.constantFrom(...names), is: fc.constantFrom('file', 'dir', 'whiteout', 'opaque') }),
  { maxLength: 6, selector: ({ name, is }) => `${name} ${is}` },
);

test('law: so do those of layers in which whiteouts stand beside what they hide', async () => {
  const written = ({ name, is }: { readonly name: string; readonly is: string }, i: number): Short => {
    const marker = name.replace(/[^/]*$/, '.wh.$&');
    return is === 'file'
      ? file(name, i + 1)
      : is === 'dir'
        ? `${name}/`
        : is === 'opaque'
          ? `${name}/.wh..wh..opq`
          : marker;
  };
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(entries, { minLength: 1, maxLength: 5 }), async (layers) => {
      const tars = layers.map((layer, i) => tar(...layer.map((each, j) => written(each, 10 * i + j))));
      // Layers that no program can unpack are refused before anything is computed.
      const isValid = await layered(tars).then(
        () => true,
        () => false,
      );
      if (!isValid) return;
      compared++;
      await expectModel(tars);
    }),
    { numRuns: lawRuns({ usual: 400 }) },
  );
  expect(compared).toBeGreaterThan(20);
});

describe('the odd numbers of dive', () => {
  test('a deleted directory with an entry counts as efficient, a deleted file does not', async () => {
    const directory = await numbersOf(
      ['big/', file('big/data', 900), file('rest', 100)],
      ['.wh.big', file('more', 0)],
    );
    expect(directory.numbers.efficiency).toBe(1);
    const single = await numbersOf([file('data', 900), file('rest', 100)], ['.wh.data']);
    expect(single.numbers.efficiency).toBe(0.1);
    expect(single.numbers.inefficient).toEqual([{ path: 'data', count: 2, bytes: 900 }]);
  });

  test('a dangling whiteout ends its layer, and takes one off the sum', async () => {
    const { numbers } = await numbersOf([file('kept', 4096)], ['.wh.gone', file('zzz', 4096)]);
    expect(numbers.efficiency).toBe(4095 / 4096);
    expect(numbers.sizeBytes).toBe(8192);
  });

  test('an opaque marker hides nothing', async () => {
    const { numbers } = await numbersOf(
      ['a/', file('a/one', 100)],
      ['a/', 'a/.wh..wh..opq', file('a/one', 100)],
    );
    expect(numbers).toMatchObject({ efficiency: 0.5, wastedBytes: 200, wastedUserPercent: 2 });
  });

  test('a deleted directory that only its contents imply has no bytes', async () => {
    const { numbers } = await numbersOf([file('big/data', 900), file('rest', 100)], ['.wh.big']);
    expect(numbers).toMatchObject({ efficiency: 1, wastedBytes: 0 });
  });

  test('of one layer there is no share of the wasted bytes', async () => {
    const { numbers } = await numbersOf([file('a', 10)]);
    expect(numbers).toMatchObject({ efficiency: 1, userSizeBytes: 0, wastedUserPercent: Number.NaN });
    const empty = await numbersOf([]);
    expect(empty.numbers.efficiency).toBe(1);
  });

  test('two entries of one path count twice in the size of the layer, and once among the files', async () => {
    const { numbers, layerBytes } = await numbersOf([file('a', 10), file('a', 30)]);
    expect(layerBytes).toEqual([40]);
    expect(numbers.inefficient).toEqual([]);
  });
});
