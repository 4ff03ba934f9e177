import { expect, test } from 'vitest';
import { Slots } from '../../src/stream/slots.ts';

test('no more run at once than there are places, and those that wait come in order', async () => {
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

test('what fails gives its place back', async () => {
  const slots = new Slots(1);
  const broken = slots.run(() => Promise.reject(new Error('broken')));
  const next = slots.run(async () => 'next');
  await expect(broken).rejects.toThrow('broken');
  expect(await next).toBe('next');
  expect(await slots.run(async () => 'free')).toBe('free');
});
