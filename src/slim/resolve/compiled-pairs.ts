/**
 * Keeps sources of Python and their compiled modules in step. Python compares time and size of the source with what the module states; `adopt-noise.ts`
 * must not change what comes of that.
 */
import type { Path } from '../../bytes/path.ts';
import type { Change } from '../../changeset/change.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import { type CompiledStamp, isCompiledName, isUpToDate, sourceOf } from '../../rootfs/facts/compiled.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { CarrierAt, KnownEntries } from './earlier-files.ts';
import type { FileGroup } from './file-groups.ts';

/** A compiled module and its source, as places in the list of files. */
interface Pair {
  readonly module: number;
  /** Null for a source that a layer below has: it stays as it is. */
  readonly source: number | null;
  /** The change with the data of the source. */
  readonly sourceData: Change;
}

/** The files of a layer, and what stands in for each; null for what stays. */
export interface StandIns {
  readonly files: readonly FileGroup[];
  readonly standIns: (FileGroup | null)[];
}

/** What is known of the entries, and of the root filesystem. */
export interface PairContext extends Pick<KnownEntries, 'indexes' | 'facts'> {
  readonly table: PathTable;
  readonly carrierAt: CarrierAt;
}

/**
 * Takes the stand-ins away from sources and modules of which Python would no longer judge as before: it would compile again, or no
 * longer do so.
 */
export function* pairSteps({ files, standIns }: StandIns, context: PairContext): Steps<void> {
  const pairs = yield* findPairs(files, context);
  const now = (place: number): Change => (standIns[place] ?? files[place])?.data as Change;
  for (let isStable = false; !isStable; ) {
    isStable = true;
    for (const { module, source, sourceData } of pairs) {
      const before = judge(files[module]?.data as Change, sourceData, context);
      const after = judge(now(module), source === null ? sourceData : now(source), context);
      if (before === after) continue;
      // Both as they were: that is as before in any case.
      standIns[module] = null;
      if (source !== null) standIns[source] = null;
      isStable = false;
    }
    yield;
  }
}

function* findPairs(files: readonly FileGroup[], context: PairContext): Steps<readonly Pair[]> {
  const { table, carrierAt } = context;
  const pairs: Pair[] = [];
  const modules: number[] = [];
  const places = new Map<number, number>();
  for (const [i, { data, links }] of files.entries()) {
    if (i % itemsPerStep === itemsPerStep - 1) yield;
    if (data === null) continue;
    places.set(data.file, i);
    if ([data, ...links].some(({ path }) => isCompiledName(table.paths[path] as Path))) modules.push(i);
  }
  for (const module of modules) {
    const { data, links } = files[module] as FileGroup;
    if (stampOf(data as Change, context) === null) continue;
    for (const { path } of [data as Change, ...links]) {
      const source = table.findId(sourceOf(table.paths[path] as Path));
      const sourceData = source === null ? null : carrierAt(source);
      if (sourceData !== null)
        pairs.push({ module, source: places.get(sourceData.file) ?? null, sourceData });
    }
  }
  return pairs;
}

function stampOf({ layer, entry }: Change, { facts }: PairContext): CompiledStamp | null {
  return facts.get(layer)?.identities?.stamps.get(entry) ?? null;
}

/** Tells whether Python takes the module for that of the source. */
function judge(module: Change, source: Change, context: PairContext): boolean {
  const stamp = stampOf(module, context);
  const index = context.indexes.get(source.layer);
  if (stamp === null || index === undefined) return false;
  return isUpToDate(stamp, {
    mtime: index.mtimes[source.entry] as number,
    size: index.sizes[source.entry] as number,
  });
}
