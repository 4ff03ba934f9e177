import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RecordingEnd } from '../../src/cli/commands/recording-end.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const day = 24 * 3600;

test('--for ends the command with SIGTERM, and is not an error', () => {
  using ending = new RecordingEnd({ seconds: 5, limits: { time: day }, hasTerminal: true });
  vi.advanceTimersByTime(4999);
  expect(ending.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(ending.signal.reason).toBe('SIGTERM');
  ending.check();
});

test.each([
  [1, '1 second'],
  [3, '3 seconds'],
])('--limit time=%ds ends the command, and the recording fails with the limit', (time, shown) => {
  using ending = new RecordingEnd({ seconds: null, limits: { time }, hasTerminal: false });
  ending.check();
  vi.advanceTimersByTime(time * 1000);
  expect(ending.signal.reason).toBe('SIGTERM');
  expect(() => ending.check()).toThrow(`it has run for ${shown}, and the limit time is ${time}s`);
});

test.each([
  ['SIGINT', false, 'SIGINT'],
  ['SIGINT', true, null],
  ['SIGTERM', true, 'SIGTERM'],
] as const)('%s is passed on, unless the terminal did it: %s', (name, hasTerminal, reason) => {
  const ending = new RecordingEnd({ seconds: null, limits: { time: Infinity }, hasTerminal });
  const listeners = process.listenerCount(name);
  process.listeners(name).at(-1)?.(name);
  expect([ending.signal.aborted, ending.signal.reason]).toEqual([true, reason]);
  ending[Symbol.dispose]();
  expect(process.listenerCount(name)).toBe(listeners - 1);
  expect(vi.getTimerCount()).toBe(0);
});
