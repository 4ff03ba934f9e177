/**
 * The order of RPM's versions: rpm-version(7). `versions.ts` asks for it.
 */
import { compareDigits, compareTexts, isDigit } from './digits.ts';

/** Compares two versions `[epoch:]version[-release]`. A release counts only where both have one. */
export function compareRpm(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  const order = compareDigits(left.epoch, right.epoch) || compareSegments(left.version, right.version);
  if (order !== 0 || left.release === null || right.release === null) return order;
  return compareSegments(left.release, right.release);
}

function split(text: string): { epoch: string; version: string; release: string | null } {
  const epoch = /^[0-9]+:/.exec(text)?.[0] ?? '';
  const rest = text.slice(epoch.length);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: epoch.slice(0, -1),
    version: dash < 0 ? rest : rest.slice(0, dash),
    release: dash < 0 ? null : rest.slice(dash + 1),
  };
}

/** Compares runs of digits and runs of letters in turns; all other characters only divide, but `~` and `^`. */
function compareSegments(a: string, b: string): number {
  const [left, right] = [segments(a), segments(b)];
  for (let i = 0; ; i++) {
    const [was, is] = [left[i], right[i]];
    if (was === undefined && is === undefined) return 0;
    const order = compareSegment(was, is);
    if (order !== 0) return order;
  }
}

function segments(text: string): readonly string[] {
  return text.match(/[0-9]+|[A-Za-z]+|[~^]/g) ?? [];
}

/** Compares two segments; undefined for the end. `~` is below all, the end below `^`, `^` below other segments, letters below digits. */
function compareSegment(a: string | undefined, b: string | undefined): number {
  const order = rank(a) - rank(b);
  if (order !== 0 || a === undefined || b === undefined) return order;
  return isDigit(a, 0) ? compareDigits(a, b) : compareTexts(a, b);
}

function rank(segment: string | undefined): number {
  if (segment === '~') return 0;
  if (segment === undefined) return 1;
  if (segment === '^') return 2;
  return isDigit(segment, 0) ? 4 : 3;
}
