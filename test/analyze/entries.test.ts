import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allEntries, visibleEntries } from '../../src/analyze/entries.ts';
import { lawRuns } from '../laws/rig.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { applyLayers } from '../support/model/filesystem.ts';
import { layered, layeredOf } from './rig.ts';

test('law: the visible entries are the root filesystem of the model, with its owners, times and inodes', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), async ({ layers }) => {
      const image = await layered(layers.map(({ tar }) => tar));
      const model = applyLayers(layers.map((layer) => layer.model));
      const seen = new Set<number>();
      const expected = [...model]
        .filter(([path]) => path !== '')
        .map(([path, node]) => {
          const isAnotherName = seen.has(node.inode);
          seen.add(node.inode);
          const { kind, implied, mode, uid, gid, mtime } = node;
          if (implied) return { path, implied };
          return { path, kind, mode: mode & 0o7777, uid, gid, mtime: Number(mtime), link: isAnotherName };
        });
      const found = [...visibleEntries(image)].map(({ path, carrier, isAnotherName }) => {
        if (carrier === null) return { path, implied: true };
        const { kind, mode, uid, gid, mtime } = carrier;
        return {
          path,
          kind: kind === 'directory' ? 'dir' : kind,
          mode,
          uid,
          gid,
          mtime,
          link: isAnotherName,
        };
      });
      const byPath = (a: { readonly path: string }, b: { readonly path: string }) =>
        a.path < b.path ? -1 : 1;
      // Which of several names is the first depends on the order: only their number is compared.
      const withoutFirst = (list: readonly { readonly path: string }[]) =>
        list.map((each) => ({ ...each, link: undefined })).toSorted(byPath);
      expect(withoutFirst(found)).toEqual(withoutFirst(expected));
      const links = (list: readonly object[]) =>
        list.filter((each) => 'link' in each && each.link === true).length;
      expect(links(found)).toBe(links(expected));
    }),
    { numRuns: lawRuns() },
  );
});

test('entries tell their layer, length, target and what hides them', async () => {
  const image = await layeredOf(
    ['a=one', 'b~>a', 'c->a', { name: 'd/', type: 'dir', uid: 5, gid: 6, mtime: '1.5' }],
    ['a=other'],
  );
  expect([...allEntries(image)]).toMatchObject([
    {
      path: 'a',
      kind: 'file',
      size: 3,
      length: 3,
      target: null,
      layer: 1,
      entry: 0,
      fate: 'replaced',
      hiddenBy: 2,
    },
    { path: 'b', kind: 'symlink', target: 'a', fate: 'kept', hiddenBy: 0 },
    { path: 'c', kind: 'link', size: 0, length: 0, target: 'a', lost: false },
    { path: 'd', kind: 'directory', uid: 5, gid: 6, mtime: 1.5 },
    { path: 'a', size: 5, layer: 2, entry: 0, fate: 'kept' },
  ]);
  const [a, , c] = [...visibleEntries(image)];
  expect(a).toMatchObject({ path: 'a', isAnotherName: false, carrier: { layer: 2 } });
  expect(c).toMatchObject({
    path: 'c',
    entry: { layer: 1, entry: 2 },
    carrier: { path: 'a', layer: 1, entry: 0 },
  });
});

test('the length of a sparse file is that which a program sees', async () => {
  const image = await layeredOf([
    { name: 'pax', sparse: { format: '1.0', size: 10_000, map: [[0, 4]] }, body: new Uint8Array(4) },
  ]);
  expect([...allEntries(image)]).toMatchObject([{ length: 10_000 }]);
});
