import { vi } from 'vitest';

/**
 * Waits until a check holds, for as long as a busy machine may need: what it waits for happens, or the test hangs. Rejects with the
 * error of the last check after five minutes.
 */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 300_000, interval: 5 });
}
