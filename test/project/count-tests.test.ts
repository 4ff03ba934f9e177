import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { countCargoTests } from '../../scripts/cargo-tests.ts';
import { countTests } from '../../scripts/count-tests.ts';

const good = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };

test('counts over several suites', () => {
  expect(countTests([good, { ...good, numPassedTests: 4 }])).toEqual({ passed: 7, failed: 0 });
});

test.each([
  ['a failed test', { ...good, numFailedTests: 1 }],
  ['a skipped test', { ...good, numPendingTests: 1 }],
  ['a test that is to be written', { ...good, numTodoTests: 1 }],
  ['a suite that ran no test', { ...good, numPassedTests: 0 }],
  ['a suite without a report', null],
  ['a file that cannot be loaded', { ...good, testResults: [{ status: 'failed', assertionResults: [] }] }],
  [
    'a file whose hook failed',
    { ...good, testResults: [{ status: 'failed', assertionResults: [{ status: 'passed' }] }] },
  ],
])('%s counts as a failure', (_, report) => {
  expect(countTests([good, report]).failed).toBe(1);
});

test('a file with a failed test counts once', () => {
  const testResults = [{ status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] }];
  expect(countTests([{ ...good, numFailedTests: 1, testResults }]).failed).toBe(1);
});

test('tests of cargo count as those of vitest do', () => {
  const output = [
    'test deflate::tests::a ... ok',
    'test result: ok. 10 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s',
    'test result: FAILED. 2 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.00s',
  ].join('\n');
  const counted = countCargoTests(output);
  expect(counted).toEqual({ numPassedTests: 12, numFailedTests: 1, numPendingTests: 3 });
  expect(countTests([counted])).toEqual({ passed: 12, failed: 4 });
  expect(countTests([countCargoTests('error: could not compile')])).toEqual({ passed: 0, failed: 1 });
});

test('the command prints one line, and fails where a report is missing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ocislim-count-'));
  const script = fileURLToPath(new URL('../../scripts/count-tests.ts', import.meta.url));
  const run = (...reports: string[]) =>
    execFileSync(process.execPath, [script, ...reports.map((name) => join(folder, name))], {
      encoding: 'utf8',
    });
  try {
    writeFileSync(join(folder, 'unit.json'), JSON.stringify(good));
    expect(run('unit.json')).toBe('3 passed, 0 failed\n');
    expect(() => run('unit.json', 'e2e.json')).toThrow(
      expect.objectContaining({ status: 1, stdout: '3 passed, 1 failed\n' }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
