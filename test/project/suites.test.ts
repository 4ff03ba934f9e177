import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import e2e from '../../vitest.e2e.config.ts';
import unit from '../../vitest.config.ts';
import { include as withNative } from '../../vitest.native.config.ts';
import { include as onOldestNode } from '../../vitest.node24.config.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const filesOf = (patterns: readonly string[] = [], exclude: readonly string[] = []) =>
  globSync(patterns, { cwd: root, exclude }).toSorted();
const unitFiles = filesOf(unit.test?.include, unit.test?.exclude);

test('every file of tests is in exactly one suite', () => {
  const all = filesOf(['test/**/*.test.ts']);
  expect(all.length).toBeGreaterThan(200);
  expect([...unitFiles, ...filesOf(e2e.test?.include)].toSorted()).toEqual(all);
});

test.each([...onOldestNode, ...withNative])(
  'a suite of a part of the unit tests has files of %s',
  (pattern) => {
    const files = filesOf([pattern]);
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !unitFiles.includes(file))).toEqual([]);
  },
);

test('.ci/run does what the README says: npm cit', () => {
  const read = (name: string) => readFileSync(`${root}${name}`, 'utf8');
  expect(read('README.md')).toContain('npm cit ');
  expect(read('.ci/run')).toMatch(/^npm ci /m);
  expect(read('.ci/test')).toMatch(/^OCISLIM_NATIVE=0 step npm test /m);
});
