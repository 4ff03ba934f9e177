import type { Clock } from './clock.ts';

/** Statuses that may pass by themselves. 499 and 522 come from proxies in front of registries. */
const transient: ReadonlySet<number> = new Set([408, 429, 499, 500, 502, 503, 504, 522]);

export function isTransient(status: number): boolean {
  return transient.has(status);
}

const firstPause = 500;
/** Between two tries, but for what a server asks. Milliseconds. */
export const longestPause = 30_000;
/** More than this no server is allowed to ask for. Milliseconds. */
export const longestRetryAfter = 60_000;

/** Milliseconds before try `attempt + 1` (attempt counts from 0): exponential, with a quarter of jitter either way. */
export function pauseBefore(attempt: number, clock: Clock): number {
  const pause = Math.min(firstPause * 2 ** attempt, longestPause);
  return Math.round(pause * (0.75 + clock.random() / 2));
}

/**
 * Milliseconds that a `Retry-After` header asks for, at most a minute: seconds or an HTTP date (RFC 9110, 10.2.3).
 * Null for none, the past or nonsense.
 */
export function retryAfter(header: string | null, clock: Clock): number | null {
  if (header === null) return null;
  const text = header.trim();
  const milliseconds = /^\d+$/.test(text)
    ? Number(text) * 1000
    : /^[A-Z][a-z]{2}/.test(text)
      ? Date.parse(text) - clock.now()
      : 0;
  if (!Number.isFinite(milliseconds) || milliseconds <= 0) return null;
  return Math.min(milliseconds, longestRetryAfter);
}
