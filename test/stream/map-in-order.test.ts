import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mapInOrder } from '../../src/stream/parallel.ts';

const never = new AbortController().signal;

async function* from<T>(items: readonly T[], taken: T[] = []): AsyncGenerator<T> {
  for (const item of items) {
    taken.push(item);
    yield item;
  }
}

test('results come in the order of the items, and never more than the limit are under way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(5)), fc.integer({ min: 1, max: 4 }), async (turns, limit) => {
      let [running, most] = [0, 0];
      const work = async (count: number) => {
        most = Math.max(most, ++running);
        for (let i = 0; i < count; i += 1) await Promise.resolve();
        running -= 1;
        return count * 2;
      };
      const found: number[] = [];
      for await (const each of mapInOrder(from(turns), limit, never, work)) found.push(each);
      expect(found).toEqual(turns.map((count) => count * 2));
      expect(most).toBeLessThanOrEqual(limit);
    }),
  );
});

test('a failure ends it after what had begun, and later items are not taken', async () => {
  const taken: number[] = [];
  const ended: number[] = [];
  const work = async (item: number) => {
    await Promise.resolve();
    ended.push(item);
    if (item === 2) throw new Error('no');
    return item;
  };
  const found: number[] = [];
  const run = async () => {
    for await (const each of mapInOrder(from([1, 2, 3, 4, 5, 6, 7], taken), 2, never, work)) found.push(each);
  };
  await expect(run()).rejects.toThrow('no');
  expect(found).toEqual([1]);
  expect(new Set(ended)).toEqual(new Set(taken));
  expect(taken.length).toBeLessThan(5);
});

test('leaving early aborts what is under way', async () => {
  const aborted: number[] = [];
  const work = (item: number, signal: AbortSignal) =>
    item === 1
      ? Promise.resolve(item)
      : new Promise<number>((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(item);
            reject(signal.reason as Error);
          });
        });
  for await (const each of mapInOrder(from([1, 2, 3]), 2, never, work)) {
    expect(each).toBe(1);
    break;
  }
  expect(aborted).toEqual([2]);
});
