/**
 * Collects the files of an image that a command has looked into: all layers, with what containers see of them. `render-analysis.ts`
 * calls it.
 */
import { duplicateSteps } from '../../analyze/duplicates.ts';
import { fates as entryFates, type LayerFates } from '../../analyze/fates.ts';
import type { Path } from '../../bytes/path.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { ScannedFiles } from '../analyze/analyzed.ts';
import { memoized } from './memoized.ts';
import { type CollectedFiles, FateList, type Row, rowKindOf, RowList } from './collect-files.ts';
import type { Fate } from './page.ts';

const there = { before: true, after: false } as const;
const visible: Fate = { group: 'kept', name: 'visible', why: 'A container sees it.', ...there };
const duplicate: Fate = {
  group: 'duplicate',
  name: 'the same contents again',
  why: 'A visible file of this or a lower layer has the same contents.',
  ...there,
};

/** Collects the files of an image. */
export function* imageFilesSteps({
  stack,
  indexes,
  fates,
  facts = new Map(),
}: ScannedFiles): Steps<CollectedFiles> {
  const { table } = stack;
  const prints = new Map([...facts].map(([layer, own]) => [layer, own.prints]));
  const duplicates = prints.size === 0 ? null : yield* duplicateSteps({ indexes, fates, prints });
  const list = new FateList();
  const rows = new RowList();
  for (const [layer, index] of indexes) {
    const columns = fates.layers.get(layer) as LayerFates;
    const repeated = new Set<number>();
    for (const { entry } of duplicates?.of(layer) ?? []) repeated.add(entry);
    for (let entry = 0; entry < index.kinds.length; entry++) {
      if (entry % itemsPerStep === itemsPerStep - 1) yield;
      const kind = rowKindOf(index, entry);
      const name = index.paths[entry] as Path;
      if (kind === null || name === '') continue;
      const path = table.idOf(name);
      if (kind === 'directory' && table.end[path] !== path + 1) continue;
      const fate = fateOf(columns, { entry, kind, repeated });
      rows.push({ path, size: sizeOf(index, entry), layer, kind, fate: list.numberOf(fate) });
    }
  }
  return { table: yield* rows.tableSteps(table), fates: list.fates };
}

function sizeOf({ kinds, sizes }: LayerIndex, entry: number): number {
  return kinds[entry] === 'file' ? (sizes[entry] as number) : 0;
}

interface Entry {
  readonly entry: number;
  readonly kind: Row['kind'];
  readonly repeated: ReadonlySet<number>;
}

function fateOf({ fate, hiddenBy, lost }: LayerFates, { entry, kind, repeated }: Entry): Fate {
  const own = fate[entry];
  // The data of a file may be seen by another name.
  const isSeen = kind === 'file' ? lost[entry] !== 1 : own === entryFates.kept;
  if (isSeen) return repeated.has(entry) ? duplicate : visible;
  return hiddenFate(own === entryFates.deleted ? 'deleted' : 'overwritten', hiddenBy[entry] as number);
}

/** Returns the fate of what a layer hides; 0 stands for another entry of the same layer. */
const hiddenFate = memoized((word: string, by: number): Fate => {
  const where = by === 0 ? 'by another entry' : `by layer ${by}`;
  return {
    group: 'hidden',
    name: `${word} ${where}`,
    why: 'No container sees it, and every pull has it.',
    ...there,
  };
});
