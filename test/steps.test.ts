import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { atOnce, inTurns, type Steps } from '../src/steps.ts';

/** Counts up to a number, for a while at each. */
function* counting(to: number, each: () => void = () => {}): Steps<number> {
  let count = 0;
  while (count < to) {
    each();
    count++;
    yield;
  }
  return count;
}

const never = new AbortController().signal;

/** Makes each look at the clock a minute later than the one before, so that every step takes long. */
beforeEach(() => {
  let time = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (time += 60_000));
});
afterEach(() => vi.restoreAllMocks());

describe('a computation in steps', () => {
  test('has its result at once, and in turns', async () => {
    expect(atOnce(counting(5))).toBe(5);
    expect(await inTurns(counting(5), never)).toBe(5);
    expect(await inTurns(counting(0), never)).toBe(0);
  });

  test('lets the process look around between long steps', async () => {
    let heard = 0;
    let seen = 0;
    const steps = counting(3, () => {
      seen = heard;
      setImmediate(() => heard++);
    });
    await inTurns(steps, never);
    expect(seen).toBeGreaterThan(0);
  });

  test('ends with the reason of a signal that came in the meantime', async () => {
    const stop = new AbortController();
    let steps = 0;
    const work = counting(100, () => {
      if (++steps === 2) setImmediate(() => stop.abort(new Error('enough')));
    });
    await expect(inTurns(work, stop.signal)).rejects.toThrow('enough');
    expect(steps).toBeLessThan(5);
  });

  test('throws what the computation throws', async () => {
    const fails = () =>
      counting(3, () => {
        throw new Error('broken');
      });
    expect(() => atOnce(fails())).toThrow('broken');
    await expect(inTurns(fails(), never)).rejects.toThrow('broken');
  });
});
