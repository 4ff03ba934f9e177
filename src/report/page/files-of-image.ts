/**
 * Collects the files of an image that a command has looked into: all layers, with what containers see of them. `render-analysis.ts`
 * calls it.
 */
import { duplicateSteps } from '../../analyze/duplicates.ts';
import { fates as entryFates, type LayerFates } from '../../analyze/fates.ts';
import type { Steps } from '../../steps.ts';
import type { ScannedFiles } from '../analyze/analyzed.ts';
import { memoized } from './memoized.ts';
import {
  type CollectedFiles,
  FateList,
  isSeen,
  layerRowSteps,
  type LayerRows,
  RowList,
} from './collect-files.ts';
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
  const into: LayerRows = { table, rows: new RowList(), list: new FateList() };
  for (const [layer, index] of indexes) {
    const columns = fates.layers.get(layer) as LayerFates;
    const repeated = new Set<number>();
    for (const { entry } of duplicates?.of(layer) ?? []) repeated.add(entry);
    yield* layerRowSteps(into, layer, index, ({ entry, kind }) => {
      if (isSeen(columns, entry, kind)) return repeated.has(entry) ? duplicate : visible;
      const word = columns.fate[entry] === entryFates.deleted ? 'deleted' : 'overwritten';
      return hiddenFate(word, columns.hiddenBy[entry] as number);
    });
  }
  return { table: yield* into.rows.tableSteps(table), fates: into.list.fates };
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
