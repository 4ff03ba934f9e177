import { readFileSync, statSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { openCache, partialIn, recipesIn } from '../../support/store/cache.ts';
import { newFolder } from '../../support/store/local.ts';

const { signal } = new AbortController();
const made = {
  digest: digestOf(new Uint8Array(1)),
  size: 123,
  diffId: digestOf(new Uint8Array(2)),
  tarBytes: 10_240,
};
let folder = '';
beforeEach(async () => {
  folder = await newFolder();
});

test('the result of a recipe is known to the next process of the same version', async () => {
  await (await openCache(folder)).recipes.remember('squash of two', made);
  const { recipes } = await openCache(folder);
  expect(await recipes.recall('squash of two', signal)).toEqual(made);
  expect(await recipes.recall('squash of three', signal)).toBeNull();
  const newer = await openCache(folder, { version: '1.0.1' });
  expect(await newer.recipes.recall('squash of two', signal)).toBeNull();
  const [file = ''] = recipesIn(folder);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(partialIn(folder)).toEqual([]);
});

test('the last result of a recipe counts', async () => {
  const { recipes } = await openCache(folder);
  await recipes.remember('recipe', made);
  await recipes.remember('recipe', { ...made, size: 124 });
  expect(await recipes.recall('recipe', signal)).toEqual({ ...made, size: 124 });
  expect(recipesIn(folder)).toHaveLength(1);
});

test('law: a file that is damaged in any way counts as missing', async () => {
  const { recipes } = await openCache(folder);
  await recipes.remember('recipe', made);
  const [file = ''] = recipesIn(folder);
  const whole = readFileSync(file);
  const damage = fc.oneof(
    fc.record({ at: fc.nat(whole.length - 2), bit: fc.nat(7) }).map(({ at, bit }) => {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      return bytes;
    }),
    fc.nat(whole.length - 2).map((length) => whole.subarray(0, length)),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc
      .oneof(fc.json(), fc.constantFrom('null', '[]', '{}', 'x'))
      .map((json) => Buffer.from(`${json}\n${digestOf(Buffer.from(json))}\n`)),
  );
  await fc.assert(
    fc.asyncProperty(damage, async (bytes) => {
      writeFileSync(file, bytes);
      expect(await recipes.recall('recipe', signal)).toBeNull();
      expect(recipesIn(folder)).toEqual([]);
      await recipes.remember('recipe', made);
      expect(await recipes.recall('recipe', signal)).toEqual(made);
    }),
  );
});

test('recipes take no more than their share of the bound', async () => {
  const { recipes } = await openCache(folder, { maxBytes: 64_000 });
  for (let i = 0; i < 40; i++) await recipes.remember(`recipe ${i}`, made);
  await openCache(folder, { maxBytes: 64_000 });
  const bytes = recipesIn(folder).reduce((sum, file) => sum + statSync(file).size, 0);
  expect(bytes).toBeLessThanOrEqual(4000);
  expect(bytes).toBeGreaterThan(3000);
});
