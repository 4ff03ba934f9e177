/** Adds up numbers. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Rounds seconds to milliseconds. */
export function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Counts of one rule in a report. */
interface RuleSum {
  readonly rule: string;
  readonly bytes: number;
}

/** Sorts rules for a report: most bytes first, then by name. */
export function heaviestFirst<T extends RuleSum>(rows: Iterable<T>): T[] {
  return [...rows].sort((a, b) => b.bytes - a.bytes || (a.rule < b.rule ? -1 : 1));
}
