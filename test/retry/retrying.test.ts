import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { OcislimError } from '../../src/errors.ts';
import type { ProgressEvent } from '../../src/events.ts';
import { systemClock } from '../../src/retry/clock.ts';
import {
  backoff,
  exhausted,
  noDelay,
  Retries,
  retrying,
  type RetryPolicy,
} from '../../src/retry/retrying.ts';
import { FakeClock } from '../support/registry/setup.ts';

class Passing extends OcislimError {
  constructor(message = 'it fails') {
    super('NETWORK', message);
  }
}

const passing: RetryPolicy = { retries: 4, isTransient: (error) => error instanceof Passing };

/** An operation that fails so often, and notes the failures that it was told of. */
function failing(times: number, error: () => unknown = () => new Passing()) {
  const told: number[] = [];
  const attempt = (failures: number): Promise<string> => {
    told.push(failures);
    return told.length > times ? Promise.resolve('done') : Promise.reject(error());
  };
  return { told, attempt };
}

const context = () => ({ clock: new FakeClock(), signal: new AbortController().signal });

describe('a policy', () => {
  test('lets an operation succeed after any number of failures up to its retries, and never attempts more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(8), fc.nat(8), async (retries, failures) => {
        const { told, attempt } = failing(failures);
        const outcome = await retrying({ ...passing, retries, delay: noDelay }, context(), attempt).catch(
          (error: unknown) => error,
        );
        if (failures <= retries) expect(outcome).toBe('done');
        else expect(outcome).toBeInstanceOf(OcislimError);
        const attempts = Math.min(failures, retries) + 1;
        expect(told).toEqual(Array.from({ length: attempts }, (_, i) => i));
      }),
    );
  });

  test('throws a failure that cannot pass as it is, at once', async () => {
    const error = new OcislimError('DENIED', 'no');
    const { told, attempt } = failing(9, () => error);
    const { clock, signal } = context();
    await expect(retrying(passing, { clock, signal }, attempt)).rejects.toBe(error);
    expect(told).toEqual([0]);
    expect(clock.sleeps).toEqual([]);
  });

  test('retries no failure of an operation that is not idempotent', async () => {
    const error = new Passing();
    const { told, attempt } = failing(9, () => error);
    await expect(retrying({ ...passing, idempotent: false }, context(), attempt)).rejects.toBe(error);
    expect(told).toEqual([0]);
  });

  test('waits longer after each failure by default, or as long as it says', async () => {
    const { clock, signal } = context();
    await retrying(passing, { clock, signal }, failing(3).attempt);
    expect(clock.sleeps).toEqual([500, 1000, 2000]);
    const own = context();
    const delay = (failures: number, error: unknown) => failures * (error instanceof Passing ? 10 : 1);
    await retrying({ ...passing, delay }, own, failing(3).attempt);
    expect(own.clock.sleeps).toEqual([10, 20, 30]);
  });

  test('tells the listener what it says before each retry', async () => {
    const events: ProgressEvent[] = [];
    const listener = (event: ProgressEvent) => void events.push(event);
    const describe = (error: unknown) => `again: ${(error as Error).message}`;
    await retrying({ ...passing, describe }, { ...context(), listener }, failing(2).attempt);
    expect(events).toEqual([
      { type: 'detail', message: 'again: it fails' },
      { type: 'detail', message: 'again: it fails' },
    ]);
  });

  test('ends the attempts early for a reason, which the error tells', async () => {
    const { told, attempt } = failing(9);
    const stopsEarly = () => (told.length < 2 ? null : 'the server is down');
    await expect(retrying({ ...passing, stopsEarly }, context(), attempt)).rejects.toThrow(
      /^it fails; the server is down$/,
    );
    expect(told).toEqual([0, 1]);
  });
});

describe('the error after the last retry', () => {
  test('is the last one, with the number of attempts, its code and its advice', async () => {
    let count = 0;
    const { attempt } = failing(9, () => new Passing(`failure ${(count += 1)}`));
    await expect(retrying(passing, context(), attempt)).rejects.toMatchObject({
      code: 'NETWORK',
      message: 'failure 5; tried 5 times',
      advice: 'The failures may pass: try again later.',
      cause: { message: 'failure 5' },
    });
    const advised = exhausted(new OcislimError('REGISTRY', 'no', { advice: 'Ask.' }), '');
    expect(advised).toMatchObject({ code: 'REGISTRY', message: 'no', advice: 'Ask.' });
  });

  test('is not retried by a loop of attempts around it', async () => {
    const { told, attempt } = failing(99);
    const { clock, signal } = context();
    const inner = () => retrying({ ...passing, retries: 1 }, { clock, signal }, attempt);
    await expect(retrying(passing, { clock, signal }, inner)).rejects.toThrow('tried 2 times');
    expect(told).toEqual([0, 1]);
  });

  test('is what the policy makes of it', async () => {
    const error = new Passing();
    const { attempt } = failing(99, () => error);
    await expect(retrying({ ...passing, exhausted: (last) => last }, context(), attempt)).rejects.toBe(error);
    const foreign = new Error('not ours');
    const all: RetryPolicy = { retries: 0, isTransient: () => true };
    await expect(retrying(all, context(), () => Promise.reject(foreign))).rejects.toBe(foreign);
  });
});

describe('cancellation', () => {
  test('ends a wait at once, with the signal’s reason', async () => {
    const stop = new AbortController();
    const clock = { ...systemClock, random: () => 0.5, now: () => 0 };
    const { told, attempt } = failing(9);
    const work = retrying({ ...passing, delay: () => 3_600_000 }, { clock, signal: stop.signal }, attempt);
    await Promise.resolve();
    stop.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
    expect(told).toEqual([0]);
  });

  test('begins no attempt after it, and goes before the failure of the one under way', async () => {
    const stop = new AbortController();
    const { told, attempt } = failing(9);
    const work = retrying(passing, { clock: new FakeClock(), signal: stop.signal }, (failures) => {
      if (failures === 1) stop.abort(new Error('enough'));
      return attempt(failures);
    });
    await expect(work).rejects.toThrow('enough');
    expect(told).toEqual([0, 1]);
    await expect(retrying(passing, { signal: stop.signal }, attempt)).rejects.toThrow('enough');
    expect(told).toEqual([0, 1]);
  });
});

describe('a count that several operations share', () => {
  test('goes on from one to the next, until there is progress', async () => {
    const { clock, signal } = context();
    const retries = new Retries({ ...passing, retries: 2 }, { clock });
    expect(await retries.run(signal, failing(1).attempt)).toBe('done');
    expect(await retries.run(signal, failing(1).attempt)).toBe('done');
    await expect(retries.run(signal, failing(1).attempt)).rejects.toThrow('tried 3 times');
    retries.reset();
    expect(await retries.run(signal, failing(2).attempt)).toBe('done');
    expect(clock.sleeps).toEqual([500, 1000, 500, 1000]);
  });
});

test('delays double, vary by a quarter either way and end at half a minute', () => {
  const at = (random: number): readonly number[] =>
    [1, 2, 3, 4, 21].map((failures) => backoff(failures, { ...systemClock, random: () => random }));
  expect(at(0.5)).toEqual([500, 1000, 2000, 4000, 30_000]);
  expect(at(0)).toEqual([375, 750, 1500, 3000, 22_500]);
  expect(at(1)).toEqual([625, 1250, 2500, 5000, 37_500]);
});

test('the system’s clock waits, and stops at once when the signal fires', async () => {
  vi.useFakeTimers();
  try {
    let isOver = false;
    const before = systemClock.now();
    const sleeping = systemClock.sleep(5000, new AbortController().signal).then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(4999);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await sleeping;
    expect(systemClock.now() - before).toBe(5000);
    await expect(systemClock.sleep(5000, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    const stop = new AbortController();
    const stopped = systemClock.sleep(5000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(stopped).rejects.toThrow('enough');
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
