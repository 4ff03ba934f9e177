/**
 * Collects the files of an image that a command has rewritten: what went, by which rule, and what stays, and why. What stays is what the
 * edits of the layers write. `run-files.ts` calls it where an HTML report is asked for.
 */
import { fateSteps, type LayerFates } from '../../analyze/fates.ts';
import type { Path } from '../../bytes/path.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { type PathTable, pathTableSteps } from '../../changeset/path-table.ts';
import { type Stack, stackOverSteps, stackSteps } from '../../changeset/stack.ts';
import type { ImageOutcome } from '../../jobs/rewrite/records.ts';
import type { Steps } from '../../steps.ts';
import {
  type CollectedFiles,
  FateList,
  isSeen,
  layerRowSteps,
  type LayerRows,
  type RowEntry,
  RowList,
} from './collect-files.ts';
import type { Fate } from './page.ts';
import { hidden, kept, keptBy, reasonsOf, replaced } from './run-fates.ts';
import { type Added, After } from './run-result.ts';

/** What of a run the page shows. */
export type RunFiles = Pick<ImageOutcome, 'image' | 'indexes' | 'resolution'>;

/** What the collection of one image goes by. */
interface Collecting {
  readonly run: RunFiles;
  readonly fates: ReadonlyMap<number, LayerFates>;
  readonly after: After;
  /** Why entries went, by layer and entry. */
  readonly reasons: ReadonlyMap<number, ReadonlyMap<number, Fate>>;
}

/** Collects the files of a run. Layers that were not scanned have none. `squashOrigin` is the option that selected the layers of a squash. */
export function* runFilesSteps(run: RunFiles, squashOrigin: string): Steps<CollectedFiles> {
  const { resolution, image } = run;
  const own = image.manifest.layers.length;
  // The layers of the original of a restoration have higher numbers.
  const indexes = new Map([...run.indexes].filter(([layer]) => layer <= own).sort(([a], [b]) => a - b));
  const stack = yield* stackOf(resolution.table, indexes);
  const { layers: fates } = yield* fateSteps(stack, indexes);
  const after = new After(resolution, run.indexes);
  const table = yield* tableWith(stack.table, indexes, after.added);
  const reasons = reasonsOf(resolution, squashOrigin);
  const collecting: Collecting = { run, fates, after, reasons };
  const into: LayerRows = { table, rows: new RowList(), list: new FateList() };
  for (const [layer, index] of indexes)
    yield* layerRowSteps(into, layer, index, (entry) => fateOf(collecting, entry));
  for (const { path, fate, ...row } of after.added)
    into.rows.push({ ...row, path: table.idOf(path), fate: into.list.numberOf(fate) });
  return { table: yield* into.rows.tableSteps(table), fates: into.list.fates };
}

/** Puts the layers of the source together, over the table of the resolution where that has all of their paths. */
function* stackOf(table: PathTable | null, indexes: ReadonlyMap<number, LayerIndex>): Steps<Stack> {
  if (table === null) return yield* stackSteps(indexes);
  for (const { paths, targets } of indexes.values()) {
    yield;
    const isKnown = (path: Path) => table.findId(path) !== null;
    if (!paths.every(isKnown) || ![...targets.values()].every(isKnown)) return yield* stackSteps(indexes);
  }
  return yield* stackOverSteps(table, indexes);
}

/** Returns the numbers of all paths: the table of the source, unless something came that it does not have. */
function* tableWith(
  table: PathTable,
  indexes: ReadonlyMap<number, LayerIndex>,
  added: readonly Added[],
): Steps<PathTable> {
  if (added.every(({ path }) => table.findId(path) !== null)) return table;
  const paths = [...indexes.values()].flatMap((index) => [index.paths, index.targets.values()]);
  return yield* pathTableSteps([...paths, added.map(({ path }) => path)]);
}

/** Returns what became of an entry of the source. */
function fateOf({ run, fates, after, reasons }: Collecting, { layer, entry, kind, name }: RowEntry): Fate {
  const reason = reasons.get(layer)?.get(entry);
  const isThere = kind === 'directory' ? reason === undefined : after.has(layer, entry);
  if (!isThere) return reason ?? replaced;
  return isSeen(fates.get(layer) as LayerFates, entry, kind) ? fateOfKept(run, name) : hidden;
}

/** Returns why a path stays: by a rule of the closure, where a trace was pruned by. */
function fateOfKept({ resolution }: RunFiles, path: Path): Fate {
  for (const { closure } of resolution.traced) {
    const why = closure.why(path);
    if (why === null) continue;
    return keptBy(why.rule, closure.describe(why.rule) ?? kept.why);
  }
  return kept;
}
