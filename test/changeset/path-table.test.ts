import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Path, parentOf } from '../../src/bytes/path.ts';
import { buildPathTable } from '../../src/changeset/path-table.ts';
import { p } from '../support/bytes.ts';

const name = fc.constantFrom('a', 'b', 'a.b', 'a-', 'A', '\xff', '0', ' ', 'aa');
const paths = fc.array(
  fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/')),
  { maxLength: 30 },
);

test('paths are numbered in depth-first order, whatever the order they come in', () => {
  fc.assert(
    fc.property(fc.array(paths, { maxLength: 4 }), (lists) => {
      const all = new Set<Path>([p('')]);
      for (const path of lists.flat()) for (let at = path; at !== ''; at = parentOf(p(at))) all.add(p(at));
      // With the slash below every other byte, the order of texts is that of a walk.
      const inOrder = [...all]
        .map((path) => path.replaceAll('/', '\0'))
        .sort()
        .map((path) => path.replaceAll('\0', '/'));
      const table = buildPathTable(lists.map((list) => list.map(p)));
      expect(table.paths).toEqual(inOrder);
      inOrder.forEach((path, id) => {
        expect([table.idOf(p(path)), table.findId(p(path))]).toEqual([id, id]);
        expect(table.parent[id]).toBe(path === '' ? -1 : inOrder.indexOf(parentOf(p(path))));
        const below = inOrder.filter(
          (other) => path === '' || other.startsWith(`${path}/`) || other === path,
        );
        expect(table.end[id]).toBe(id + below.length);
      });
    }),
  );
});

test('a path in none of the layers has no number', () => {
  const table = buildPathTable([[p('a/b')]]);
  expect(table.findId(p('a/c'))).toBeNull();
  expect(() => table.idOf(p('a/c'))).toThrow('in none of the layers');
});

test('a name of many parts needs no deep recursion', () => {
  const path = Array.from({ length: 2000 }, () => 'd').join('/');
  expect(buildPathTable([[p(path)]]).paths.length).toBe(2001);
});
