import { expect, test } from 'vitest';
import { Slots } from '../../src/stream/slots.ts';

test('at most as much work runs as there are slots, and the rest waits in order', async () => {
  const slots = new Slots(2);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3].map((i) =>
    slots.run(async () => {
      started.push(i);
      await new Promise<void>((resolve) => ends.push(resolve));
      return i;
    }),
  );
  await Promise.resolve();
  expect(started).toEqual([0, 1]);
  ends[1]?.();
  expect(await all[1]).toBe(1);
  await Promise.resolve();
  expect(started).toEqual([0, 1, 2]);
  ends[0]?.();
  await all[0];
  await Promise.resolve();
  for (const end of ends) end();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
});

test('work that fails frees its slot', async () => {
  const slots = new Slots(1);
  const broken = slots.run(() => Promise.reject(new Error('broken')));
  const next = slots.run(async () => 'next');
  await expect(broken).rejects.toThrow('broken');
  expect(await next).toBe('next');
  expect(await slots.run(async () => 'free')).toBe('free');
});
