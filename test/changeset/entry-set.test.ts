import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EntrySet } from '../../src/changeset/entry-set.ts';

const entry = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 5000 }));

test('holds what was added and nothing else', () => {
  fc.assert(
    fc.property(fc.array(entry), fc.array(entry), (added, others) => {
      const set = new EntrySet();
      for (const [layer, at] of added) set.add(layer, at);
      for (const [layer, at] of [...added, ...others])
        expect(set.has(layer, at)).toBe(added.some(([l, e]) => l === layer && e === at));
    }),
  );
});
