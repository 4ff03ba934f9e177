/** Runs the demonstration, as the README tells newcomers to, and compares what it prints with what the README shows. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { blocksOf } from '../support/pages/markdown.ts';
import { missingLine } from '../support/pages/printed.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The image is made of installed packages, whose versions change: sizes may differ by this much from those of the README. */
const margin = 0.25;

test('the demonstration prints what the README shows', async () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  expect(scripts['demo']).toBe('node scripts/demo.ts');
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['scripts/demo.ts'], {
    cwd: root,
    maxBuffer: 2 ** 24,
  });
  const shown = blocksOf(readFileSync(`${root}README.md`, 'utf8')).filter(
    ({ heldBy, language }) => heldBy === 'test/e2e/demo.test.ts' && language === 'text',
  );
  expect(shown).toHaveLength(2);
  for (const { text } of shown)
    expect(missingLine(text, `${stdout}\n${stderr}`, margin), stdout + stderr).toBeNull();
});
