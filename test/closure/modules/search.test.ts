import { expect, test } from 'vitest';
import { placesOf } from '../../../src/closure/modules/search.ts';
import type { ClosureContext } from '../../../src/closure/rule.ts';
import type { SourceLanguage } from '../../../src/rootfs/facts/named-modules.ts';
import { b, p } from '../../support/bytes.ts';
import { imageOf, runtimeOf, type Table } from '../rig.ts';

/** Returns the places of a module that a source names, and how often a path was resolved for it. */
async function search(image: Table, name: string, from: string, language: SourceLanguage = 'python') {
  const { fs } = await imageOf(image);
  let resolved = 0;
  const counting = {
    all: () => fs.all(),
    kind: (path: Parameters<typeof fs.kind>[0]) => fs.kind(path),
    resolve: (path: Parameters<typeof fs.resolve>[0]) => {
      resolved++;
      return fs.resolve(path);
    },
  };
  const context = { fs: counting, runtime: runtimeOf(), isKept: () => false } as unknown as ClosureContext;
  const steps = placesOf(b(name), language, p(from), context);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return { places: value, resolved };
  }
}

const deep = `${'d/'.repeat(30)}main.py`;
const dotted = Array.from({ length: 16 }, (_, i) => `m${i}`).join('.');

test('a dotted name of Python is looked for by its first part in each directory', async () => {
  const { places, resolved } = await search({ [deep]: '' }, dotted, deep);
  expect(places).toEqual([]);
  // The directory, and four file names of the first part.
  expect(resolved).toBeLessThanOrEqual(5 * 33);
});

test('the files of a dotted name are found in the nearest directory that has its first part', async () => {
  const image = { 'd/d/main.py': '', 'd/a/__init__.py': '', 'd/a/b.py': '', 'a/b/c.py': '' };
  const { places } = await search(image, 'a.b.c', 'd/d/main.py');
  expect(places.map((place) => place.replace('//', '/'))).toEqual(['d/a/b.py', 'd/a/__init__.py']);
});

test.each([
  ['q', 'd/node_modules/q/package.json', 'node_modules/q/index.js'],
  ['q/lib', 'd/node_modules/q/lib.cjs', 'node_modules/q/lib.js'],
])('a file that Node may pass by does not hide one in a directory above: %s', async (name, near, above) => {
  const image = { 'd/main.js': '', [near]: '{}', [above]: '' };
  const { places } = await search(image, name, 'd/main.js', 'node');
  expect(places.map((place) => place.replace(/^\/+/, ''))).toEqual([near, above]);
});
