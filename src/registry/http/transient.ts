import type { Clock } from '../../retry/clock.ts';

/** Statuses of failures that may pass. 499 and 522 come from proxies in front of registries. */
const transient: ReadonlySet<number> = new Set([408, 429, 499, 500, 502, 503, 504, 522]);

/** Returns whether a request that was answered by this status may succeed later. */
export function isTransient(status: number): boolean {
  return transient.has(status);
}

/** The longest delay that a server may ask for. Milliseconds. */
export const longestRetryAfter = 60_000;

/**
 * Returns the milliseconds that a `Retry-After` header asks for, at most a minute: it holds seconds or an HTTP date
 * (RFC 9110, 10.2.3). Null for a missing or malformed header, and for a date in the past.
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
