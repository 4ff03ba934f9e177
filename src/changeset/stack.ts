import { type Change, ChangeList, readChanges } from './change.ts';
import type { LayerIndex } from './layer-index.ts';
import type { Path } from '../bytes/path.ts';
import { type PathTable, pathTableSteps } from './path-table.ts';
import { atOnce, type Steps } from '../steps.ts';

/** A stack of layers, or of those layers that have been scanned, as changes over one path table. */
export interface Stack {
  readonly table: PathTable;
  readonly list: ChangeList;
  /** By source layer number, from 1. */
  readonly layers: ReadonlyMap<number, readonly Change[]>;
}

/** Puts layers together as a stack at once. @throws LIMIT for too many paths */
export function buildStack(indexes: ReadonlyMap<number, LayerIndex>): Stack {
  return atOnce(stackSteps(indexes));
}

/** Puts layers together as a stack. `indexes` are by source layer number. @throws LIMIT for too many paths */
export function* stackSteps(indexes: ReadonlyMap<number, LayerIndex>): Steps<Stack> {
  const names: Iterable<Path>[] = [];
  // A hard link may name a path that no scanned layer has an entry for: its target needs a number, too.
  for (const index of indexes.values()) names.push(index.paths, index.targets.values());
  return yield* stackOverSteps(yield* pathTableSteps(names), indexes);
}

/** Puts layers together as a stack over a table that has all of their paths. */
export function* stackOverSteps(table: PathTable, indexes: ReadonlyMap<number, LayerIndex>): Steps<Stack> {
  const list = new ChangeList();
  const layers = new Map<number, readonly Change[]>();
  for (const [number, index] of [...indexes].sort(([a], [b]) => a - b)) {
    layers.set(number, readChanges(index, number, table, list));
    yield;
  }
  return { table, list, layers };
}
