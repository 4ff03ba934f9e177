/** Collects the files in which two images differ: what went, what came, and what is another on each side. `render-diff.ts` calls it. */
import type { FileChange, FileState, PlatformDiff } from '../../analyze/diff/image-diff.ts';
import { pathTableSteps } from '../../changeset/path-table.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { type CollectedFiles, FateList, type Row, RowList } from './collect-files.ts';
import { memoized } from './memoized.ts';
import type { Fate } from './page.ts';

const onlyA = { before: true, after: false } as const;
const onlyB = { before: false, after: true } as const;

const removed: Fate = { group: 'removed', name: 'removed', why: 'Only image A has it.', ...onlyA };
const added: Fate = { group: 'added', name: 'added', why: 'Only image B has it.', ...onlyB };

/** Collects the files that differ. */
export function* diffFilesSteps({ files }: Pick<PlatformDiff, 'files'>): Steps<CollectedFiles> {
  const table = yield* pathTableSteps([files.map(({ path }) => path)]);
  const list = new FateList();
  const rows = new RowList();
  for (const [i, file] of files.entries()) {
    if (i % itemsPerStep === itemsPerStep - 1) yield;
    if (file.path === '') continue;
    const path = table.idOf(file.path);
    for (const [state, fate] of statesOf(file))
      rows.push({ ...rowOf(state), path, fate: list.numberOf(fate) });
  }
  return { table: yield* rows.tableSteps(table), fates: list.fates };
}

/** Returns the fate of a side of a changed path, or of one with other attributes alone. */
const changed = memoized((aspects: string, what: 'was' | 'is' | 'attributes'): Fate => {
  if (what !== 'attributes') {
    const sides = what === 'was' ? onlyA : onlyB;
    return { group: 'changed', name: `changed, as it ${what}`, why: `It differs in ${aspects}.`, ...sides };
  }
  return {
    group: 'kept',
    name: 'other attributes',
    why: `The contents are the same; it differs in ${aspects}.`,
    // Their bytes are the same: beside them nothing else would be seen.
    before: false,
    after: false,
  };
});

/** Lists what a path is on each side, with its fate. */
function statesOf({ change, a, b, details }: FileChange): (readonly [FileState, Fate])[] {
  const aspects = details.map(({ what }) => what).join(', ');
  const both = (before: Fate, after: Fate): (readonly [FileState, Fate])[] => [
    ...(a === null ? [] : [[a, before] as const]),
    ...(b === null ? [] : [[b, after] as const]),
  ];
  switch (change) {
    case 'removed':
      return both(removed, removed);
    case 'added':
      return both(added, added);
    case 'changed':
      return both(changed(aspects, 'was'), changed(aspects, 'is'));
    case 'attributes':
      return b === null ? [] : [[b, changed(aspects, 'attributes')]];
  }
}

function rowOf({ kind, bytes, layer }: FileState): Omit<Row, 'path' | 'fate'> {
  const isKnown = kind === 'file' || kind === 'directory' || kind === 'symlink';
  return { kind: isKnown ? kind : 'other', size: bytes, layer: layer ?? 0 };
}
