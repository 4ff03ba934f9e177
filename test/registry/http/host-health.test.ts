import { describe, expect, test, vi } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { Clock } from '../../../src/retry/clock.ts';
import { HostHealth } from '../../../src/registry/http/host-health.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import type { Effect } from '../../support/registry/faults.ts';
import { drain, FakeClock, never, noise, refer, setup } from '../../support/registry/setup.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

const answer = (status: number, headers: Record<string, string> = {}): Effect => ({
  kind: 'answer',
  status,
  headers,
});

async function withBlobs(count: number, overrides: Parameters<typeof setup>[0] = {}) {
  const fake = await startRegistry();
  const blobs = Array.from({ length: count }, (_, i) => fake.repository('app').addBlob(noise(1000, i + 1)));
  const made = setup(overrides);
  const source = closing(openRegistrySource(refer(`${fake.host}/app:v1`), made.options));
  return { fake, blobs, source, ...made };
}

describe('a server that asks for rest', () => {
  test('is asked all the same when it has put off a request ten times', async () => {
    const clock = new FakeClock();
    const health = new HostHealth(4, clock);
    vi.spyOn(clock, 'sleep').mockImplementation(async (milliseconds) => {
      clock.sleeps.push(milliseconds);
      clock.time += milliseconds;
      // Another request was answered in the meantime.
      health.hold(1000);
    });
    health.hold(1000);
    await health.ready(never);
    expect(clock.sleeps).toHaveLength(10);
  });
});

describe('an outage', () => {
  test('counts from its first failure, and ends with the first success', () => {
    const clock = new FakeClock();
    const health = new HostHealth(4, clock);
    expect(health.spent).toBeNull();
    for (let minute = 0; minute < 10; minute += 1) {
      health.failed();
      expect(health.spent).toBeNull();
      clock.time += 60_000;
    }
    expect(health.spent).toBe(600_000);
    health.succeeded();
    expect(health.spent).toBeNull();
    health.failed();
    expect(health.spent).toBeNull();
  });

  test('ends when nothing was asked for longer than it may last', () => {
    const clock = new FakeClock();
    const health = new HostHealth(4, clock);
    health.failed();
    clock.time += 601_000;
    health.failed();
    expect(health.spent).toBeNull();
  });

  test('may last as long as the retries that are allowed take', () => {
    const clock = new FakeClock();
    const health = new HostHealth(100, clock);
    for (let minute = 0; minute < 49; minute += 1) {
      health.failed();
      clock.time += 60_000;
    }
    expect(health.spent).toBeNull();
    clock.time += 60_000;
    expect(health.spent).toBe(3_000_000);
  });

  test('that lasts too long fails all requests, with the last answer and how long it has lasted', async () => {
    const { fake, blobs, source, clock } = await withBlobs(5, { retryTimes: 20 });
    fake.fault({
      method: 'GET',
      path: /blobs/,
      times: 999,
      effect: answer(503, { 'retry-after': '60' }),
    });
    const outcomes = await Promise.allSettled(blobs.map((blob) => drain(source.blob(blob, never))));
    const reasons = outcomes.map((each) => (each.status === 'rejected' ? String(each.reason) : ''));
    for (const reason of reasons)
      expect(reason).toMatch(
        / answered 503; for 1\d minutes 127\.0\.0\.1:\d+ has given nothing but failures$/,
      );
    // Twenty tries of each, a minute apart, would be more.
    expect(fake.sent('GET', /blobs/).length).toBeLessThan(5 * 20);
    // Ten sleeps of about a minute are the whole budget, for the five requests together.
    expect(clock.sleeps.length).toBeGreaterThanOrEqual(10);
  });

  test('ends for all requests to a host with the success of one', async () => {
    const { fake, blobs, source } = await withBlobs(2, { retryTimes: 14 });
    const [bad, good] = blobs;
    if (bad === undefined || good === undefined) throw new Error('two blobs');
    // Fourteen pauses of a minute; after the eighth another download gets through.
    fake.fault({
      method: 'GET',
      path: new RegExp(bad.digest),
      times: 8,
      effect: answer(503, { 'retry-after': '60' }),
    });
    await drain(source.blob(bad, never));
    fake.fault({
      method: 'GET',
      path: new RegExp(bad.digest),
      times: 8,
      effect: answer(503, { 'retry-after': '60' }),
    });
    await drain(source.blob(good, never));
    await drain(source.blob(bad, never));
    expect(fake.faults.unused).toEqual([]);
  });
});

describe('a server that asks for a pause', () => {
  test.each([429, 503])('by %i gets no request before its end', async (status) => {
    const asleep: { readonly milliseconds: number; readonly wake: () => void }[] = [];
    let time = 0;
    const clock: Clock = {
      now: () => time,
      random: () => 0.5,
      sleep: (milliseconds) => new Promise((wake) => asleep.push({ milliseconds, wake })),
    };
    const { fake, blobs, source } = await withBlobs(6, { clock });
    const [first, ...others] = blobs;
    if (first === undefined) throw new Error('six blobs');
    fake.fault({ method: 'GET', path: /blobs/, effect: answer(status, { 'retry-after': '30' }) });
    const downloads = [drain(source.blob(first, never))];
    await eventually(() => expect(asleep).toHaveLength(1));
    downloads.push(...others.map((blob) => drain(source.blob(blob, never))));
    await eventually(() => expect(asleep).toHaveLength(6));
    expect(asleep.map(({ milliseconds }) => milliseconds)).toEqual([30_000, ...others.map(() => 30_500)]);
    expect(fake.requests).toHaveLength(1);
    time = 30_500;
    for (const { wake } of asleep) wake();
    await Promise.all(downloads);
    expect(fake.requests).toHaveLength(7);
  });

  test('gets the requests that waited one after another', async () => {
    const clock = new FakeClock();
    let chance = 0;
    const health = new HostHealth(4, {
      now: () => clock.now(),
      // Time stands still: everybody waits from the same moment on, and once is enough.
      sleep: async (milliseconds) => {
        clock.sleeps.push(milliseconds);
        health.hold(0);
        await Promise.resolve();
        if (clock.sleeps.length === 3) clock.time += 20_000;
      },
      random: () => (chance += 0.25),
    });
    health.hold(10_000);
    await Promise.all([health.ready(never), health.ready(never), health.ready(never)]);
    expect(clock.sleeps.slice(0, 3)).toEqual([10_250, 10_500, 10_750]);
    await health.ready(never);
    expect(clock.sleeps).toHaveLength(3);
  });

  test('delays no request for hours when the clock is set back', async () => {
    const clock = new FakeClock();
    const health = new HostHealth(4, clock);
    health.hold(5000);
    clock.time -= 3_600_000;
    const stop = new AbortController();
    const waiting = health.ready(stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(clock.sleeps[0]).toBeLessThanOrEqual(61_000);
  });
});
