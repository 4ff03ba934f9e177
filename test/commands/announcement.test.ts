import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { announcedSteps } from '../../src/commands/announcement.ts';
import { defaultLimits } from '../../src/limits.ts';
import { readReports } from '../../src/settings/announced.ts';
import { atOnce } from '../../src/steps.ts';
import { b } from '../support/bytes.ts';
import { never } from '../support/registry/setup.ts';

const work = mkdtempSync(join(tmpdir(), 'announcement-'));
afterAll(() => rmSync(work, { recursive: true }));

function report(paths: readonly string[]): string {
  const file = join(work, 'report.json');
  const removed = paths.map((path) => ({ path, type: 'file', rule: 'a rule', layer: 1 }));
  writeFileSync(file, JSON.stringify({ reportVersion: 1, platforms: [{ slimming: { removed } }] }));
  return file;
}

async function announced(globs: readonly string[], paths: readonly string[]) {
  const reports = await readReports([report(paths)], '', { limits: defaultLimits, signal: never });
  return atOnce(announcedSteps(globs, reports));
}

test('what lies below a removed path may be missing, and nothing beside it', async () => {
  const { allowed } = await announced([], ['a/b', 'c']);
  // In any order: what is known of one directory is used for the next.
  for (let i = 0; i < 2; i++)
    for (const [path, expected] of [
      ['a/b/x/y', true],
      ['a/b', true],
      ['a', false],
      ['a/bx/y', false],
      ['a/x/b', false],
      ['c/d', true],
      ['d/c', false],
      ['x', false],
    ] as const)
      expect(allowed(b(path)), path).toBe(expected);
});

test('T16: a hundred thousand paths, 2,000 directories deep, are judged in linear time', async () => {
  const { allowed } = await announced(['b/**'], ['7/d/d', 'other']);
  let count = 0;
  for (let i = 0; i < 50; i++)
    for (
      let path = `${i}${'/d'.repeat(2000)}`;
      path !== '';
      path = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    )
      if (allowed(b(path))) count++;
  expect(count).toBe(1999);
});
