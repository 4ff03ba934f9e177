import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { buildFlags } from '../cli/slimtoolkit-flags.ts';

const page = readFileSync(new URL('../../docs/from-slimtoolkit.md', import.meta.url), 'utf8');

test.each(buildFlags)('the page for people from SlimToolkit has its option --%s', (flag) => {
  expect(page).toMatch(new RegExp(`\`--${flag}[\` ]`));
});
