/**
 * Counts the tests in JSON reports of vitest: `node scripts/count-tests.ts REPORT…` prints "N passed, N failed" for
 * .ci/test. The status is 1 where a test failed or was skipped, a file could not be loaded, or a suite ran no test.
 */
import { existsSync, readFileSync } from 'node:fs';

/** The parts of a report that are counted. */
interface Report {
  readonly numPassedTests?: number;
  readonly numFailedTests?: number;
  readonly numPendingTests?: number;
  readonly numTodoTests?: number;
  readonly testResults?: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export interface Counts {
  readonly passed: number;
  /** Failed tests, skipped ones, files that could not be loaded, and suites without a test. */
  readonly failed: number;
}

/** Adds up the reports of several suites. A report that was not written is null. */
export function countTests(reports: readonly (Report | null)[]): Counts {
  let [passed, failed] = [0, 0];
  for (const report of reports) {
    const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = report ?? {};
    passed += numPassedTests;
    failed += numFailedTests + numPendingTests + numTodoTests + brokenFiles(report);
    if (numPassedTests === 0) failed++;
  }
  return { passed, failed };
}

/** Returns how many files failed without a failed test: they could not be loaded, or a hook failed. */
function brokenFiles(report: Report | null): number {
  const isFailed = ({ status }: { readonly status: string }): boolean => status === 'failed';
  return (report?.testResults ?? []).filter((file) => isFailed(file) && !file.assertionResults.some(isFailed))
    .length;
}

if (import.meta.main) {
  const reports = process.argv
    .slice(2)
    .map((path) => (existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : null));
  const { passed, failed } = countTests(reports);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
