/** Counts the tests in what `cargo test` prints, in the form of a report of vitest. */
export function countCargoTests(output: string): {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
} {
  const results = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  const sum = (group: number) => results.reduce((total, result) => total + Number(result[group]), 0);
  return { numPassedTests: sum(1), numFailedTests: sum(2), numPendingTests: sum(3) };
}
