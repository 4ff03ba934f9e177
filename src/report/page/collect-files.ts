/**
 * Collects the files of layers for a page: which entries become rows, and the tree above them. The collectors of each kind of report
 * say what became of an entry.
 */
import type { Path } from '../../bytes/path.ts';
import { baseOf } from '../../bytes/path.ts';
import type { ChangeKind, LayerIndex } from '../../changeset/layer-index.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { displayPath } from '../escape.ts';
import type { Fate } from './page.ts';
import { type FileTable, rowKinds, type RowKind } from './packed/file-table.ts';

/** An entry for the page, by the number of its path. */
export interface Row {
  readonly path: number;
  readonly size: number;
  readonly layer: number;
  readonly fate: number;
  readonly kind: RowKind;
}

/** The files of one image with what became of them. */
export interface CollectedFiles {
  readonly table: FileTable;
  readonly fates: readonly Fate[];
}

/** Numbers fates as they are met. */
export class FateList {
  readonly fates: Fate[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(fate: Fate): number {
    const key = `${fate.group}\0${fate.name}\0${fate.why}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.fates.push(fate) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

/** Returns the kind of row of an entry; null for markers and for what is not content. */
export function rowKindOf({ kinds }: LayerIndex, entry: number): RowKind | null {
  const kind = kinds[entry] as ChangeKind;
  switch (kind) {
    case 'file':
    case 'directory':
    case 'symlink':
      return kind;
    case 'link':
      return 'hardlink';
    case 'char':
    case 'block':
    case 'fifo':
      return 'other';
    case 'whiteout':
    case 'opaque':
    case 'ignored':
      return null;
  }
}

/** Makes the table of rows: sorts them by path, and numbers the paths that are left. */
export function* tableSteps(
  { paths, parent }: Pick<PathTable, 'paths' | 'parent'>,
  rows: Row[],
): Steps<FileTable> {
  const used = new Uint8Array(paths.length).fill(1, 0, 1);
  for (const { path } of rows) for (let at = path; used[at] === 0; at = parent[at] as number) used[at] = 1;
  yield;
  const numbers = new Int32Array(paths.length);
  const names: string[] = [];
  const parents: number[] = [];
  for (let path = 0; path < paths.length; path++) {
    if (path % itemsPerStep === itemsPerStep - 1) yield;
    if (used[path] === 0) continue;
    numbers[path] = names.push(displayPath(baseOf(paths[path] as Path))) - 1;
    parents.push(path === 0 ? -1 : (numbers[parent[path] as number] as number));
  }
  rows.sort((a, b) => a.path - b.path || a.layer - b.layer);
  yield;
  return {
    names,
    parents: Int32Array.from(parents),
    nodes: Int32Array.from(rows, ({ path }) => numbers[path] as number),
    sizes: Float64Array.from(rows, ({ size }) => size),
    layers: Int32Array.from(rows, ({ layer }) => layer),
    fates: Int32Array.from(rows, ({ fate }) => fate),
    kinds: Uint8Array.from(rows, ({ kind }) => rowKinds.indexOf(kind)),
  };
}
