import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntryAction } from '../../src/changeset/edit.ts';
import { EntryActions } from '../../src/changeset/entry-actions.ts';

const action = fc.oneof(
  fc.constant<EntryAction>({ kind: 'keep' }),
  fc.nat(0o777).map((mode): EntryAction => ({ kind: 'chmod', mode })),
);

test('holds what a map holds, in the order of the entries', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(500), action)), (list) => {
      const map = new Map(list);
      const actions = new EntryActions();
      for (const [entry, each] of list) actions.set(entry, each);
      expect([...actions]).toEqual([...map].sort(([a], [b]) => a - b));
      expect(actions.size).toBe(map.size);
      for (let entry = 0; entry < 600; entry++) expect(actions.get(entry)).toEqual(map.get(entry));
    }),
  );
});
