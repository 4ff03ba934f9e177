import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Fate, fateNames } from '../../src/analyze/fates.ts';
import { lawRuns } from '../laws/rig.ts';
import { layerStack } from '../support/arbitrary/layers.ts';
import { applyLayer, emptyRootfs, type Place, placeOf, type Rootfs } from '../support/model/filesystem.ts';
import type { ModelEntry } from '../support/model/tar-reader.ts';
import { layered, layeredOf } from './rig.ts';

type Told = { readonly fate: Fate; readonly hiddenBy: number; readonly lost: boolean };

/** Marks each entry by its layer and number in a member that its node keeps. */
function marked(layers: readonly (readonly ModelEntry[])[]): readonly (readonly ModelEntry[])[] {
  return layers.map((entries, i) => entries.map((entry, j) => ({ ...entry, uname: `${i + 1}:${j}` })));
}

function placeOfEntry({ type, name }: ModelEntry): Place {
  return type === 'global' ? { is: 'leftover' } : placeOf(name);
}

/** Tells by the model alone what becomes of every entry. */
function fatesByModel(plain: readonly (readonly ModelEntry[])[]): Told[][] {
  const layers = marked(plain);
  const states: Rootfs[] = [];
  for (const layer of layers) states.push(applyLayer(states.at(-1) ?? emptyRootfs(), layer));
  const shown = new Set([...(states.at(-1) ?? emptyRootfs()).values()].map(({ uname }) => uname));
  const puts = layers.map((entries) => entries.map(placeOfEntry));
  const isPut = (layer: number, path: string, after: number) =>
    (puts[layer] ?? []).some((place, i) => i > after && place.is === 'content' && place.path === path);
  const tell = (i: number, j: number): Omit<Told, 'lost'> => {
    const entry = (layers[i] as ModelEntry[])[j] as ModelEntry;
    const place = placeOfEntry(entry);
    if (place.is === 'leftover') return { fate: 'ignored', hiddenBy: 0 };
    if (place.is !== 'content') return { fate: 'marker', hiddenBy: 0 };
    for (let layer = i; layer < layers.length; layer++) {
      const hiddenBy = layer + 1;
      const node = states[layer]?.get(place.path);
      if (node === undefined) return { fate: 'deleted', hiddenBy };
      if (isPut(layer, place.path, layer === i ? j : -1)) return { fate: 'replaced', hiddenBy };
      const isSame = entry.type === 'link' ? node.kind !== 'dir' : node.uname === entry.uname;
      if (!isSame) return { fate: 'replaced', hiddenBy };
    }
    return { fate: 'kept', hiddenBy: 0 };
  };
  return layers.map((entries, i) =>
    entries.map((entry, j) => {
      const isData = entry.type === 'file' && placeOfEntry(entry).is === 'content';
      return { ...tell(i, j), lost: isData && !shown.has(entry.uname) };
    }),
  );
}

test('law: the fate of every entry is what the model tells, and the lost files are those without a name', async () => {
  const met = new Set<string>();
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), async ({ layers }) => {
      const { fates } = await layered(layers.map(({ tar }) => tar));
      const told = layers.map((_, i) => {
        const { fate, hiddenBy, lost } = fates.layers.get(i + 1) as NonNullable<
          ReturnType<typeof fates.layers.get>
        >;
        return Array.from(fate, (number, j) => ({
          fate: fateNames[number],
          hiddenBy: hiddenBy[j],
          lost: lost[j] === 1,
        }));
      });
      expect(told).toEqual(fatesByModel(layers.map(({ model }) => model)));
      for (const { fate, lost } of told.flat()) met.add(`${fate}${lost ? ' lost' : ''}`);
    }),
    { numRuns: lawRuns({ usual: 200 }) },
  );
  for (const each of ['kept', 'replaced lost', 'deleted lost', 'marker', 'ignored', 'replaced'])
    expect(met).toContain(each);
});

test('a file whose own name is hidden is not lost while a hard link shows it', async () => {
  const { fates } = await layeredOf(['a=data', 'b->a'], ['.wh.a']);
  expect(fates.layers.get(1)).toMatchObject({
    hiddenBy: new Uint32Array([2, 0]),
    lost: new Uint8Array([0, 0]),
  });
});

test('what lies in a directory that its own layer replaces by a file is deleted there', async () => {
  const { fates } = await layeredOf(['a/', 'a/b=data', 'a=file']);
  expect(Array.from(fates.layers.get(1)?.fate ?? [], (number) => fateNames[number])).toEqual([
    'replaced',
    'deleted',
    'kept',
  ]);
});
