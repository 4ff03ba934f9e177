import { expect, test } from 'vitest';
import { classPlaces } from '../../../src/closure/modules/composer.ts';
import { declaredIn, manifestBytes } from '../../../src/closure/modules/manifests.ts';
import type { ClosureContext } from '../../../src/closure/rule.ts';
import { KiB, MiB } from '../../../src/units.ts';
import { b, p } from '../../support/bytes.ts';

/** Returns what the readers of manifests ask of a context, in an image of one file. */
function contextOf(path: string, contents: string): ClosureContext {
  const bytes = Buffer.from(contents, 'latin1');
  return { fs: { all: () => [p(path)] }, facts: { contents: () => bytes } } as unknown as ClosureContext;
}

const paths = [
  'app/package.json',
  'site-packages/a-1.dist-info/METADATA',
  'site-packages/a-1.egg-info/requires.txt',
  'specifications/a-1.gemspec',
  'app/Gemfile.lock',
  'app/cpanfile',
  'app/composer.json',
  'app/composer.lock',
  'R/library/a/DESCRIPTION',
  'app/mix.lock',
];

const pumps = [
  '\n',
  ' ',
  '\t',
  ',',
  '"',
  'a',
  '-',
  '\n ',
  '\n"',
  '\n    a',
  'Requires-Dist:',
  '\nRequires-Dist: a; extra ',
  '\nImports: a,',
  '\nImports:\n ',
  'add_dependency',
  'requires ',
  '[',
  '{"dependencies":',
];

// With time that grew as the square of the length, one of these texts would take minutes.
test.each(paths)('%s is read in linear time', (path) => {
  const length = Math.min(manifestBytes(p(path)), MiB);
  expect(length).toBeGreaterThanOrEqual(64 * KiB);
  for (const pump of pumps) {
    const context = contextOf(path, `${pump.repeat(length / pump.length)}\u0001`);
    expect(declaredIn(p(path), true, context)?.names.length).toBeLessThanOrEqual(length);
  }
});

test('the dependencies of mix.lock, behind empty lines', () => {
  const context = contextOf('app/mix.lock', '%{\n\n  "jason": {:hex},\n\n"plug":{:hex},\n  "no"\n}\n');
  expect(declaredIn(p('app/mix.lock'), true, context)?.names).toEqual(['jason', 'plug']);
});

test('many packages of Composer declare the same beginning', () => {
  const packages = Array.from({ length: 400_000 }, (_, i) => ({
    name: `v/p${i}`,
    autoload: { 'psr-4': { 'A\\': 'src' } },
  }));
  const context = contextOf('app/vendor/composer/installed.json', JSON.stringify({ packages }));
  const places = classPlaces(b('A\\B'), context);
  expect(places).toHaveLength(packages.length);
  expect(places[1]).toBe('app/vendor/v/p1/composer.json');
});
