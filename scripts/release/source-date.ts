/** The time that stands in everything a release makes, so that the same sources give the same bytes at any time. */
import { execFileSync } from 'node:child_process';
import { root } from './manifest.ts';

/**
 * Returns SOURCE_DATE_EPOCH, in seconds since 1970. Default: the time of the last commit.
 * @throws Error for another value than a whole number, and where there is neither
 */
export function sourceDate(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const given = env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && given !== '') return seconds(given, 'SOURCE_DATE_EPOCH');
  const told = execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  return seconds(told.trim(), 'the time of the last commit');
}

function seconds(text: string, what: string): number {
  if (!/^\d{1,11}$/.test(text))
    throw new Error(`${what} is not a number of seconds: ${JSON.stringify(text)}`);
  return Number(text);
}

/** Returns the day of a time, `2026-11-30`, in UTC. */
export function dayOf(time: number): string {
  return new Date(time * 1000).toISOString().slice(0, 10);
}
