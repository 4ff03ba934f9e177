/**
 * Splits the changes of one layer into those of several layers that have the same meaning together. `relayer-range.ts` calls it,
 * with the layer that each path is assigned to.
 */
import type { Change, ChangeList } from '../../changeset/change.ts';
import type { PathTable } from '../../changeset/path-table.ts';

export interface Splitting {
  readonly table: PathTable;
  readonly list: ChangeList;
  /** The number of layers, at least 1. */
  readonly count: number;
  /** Returns the layer of a path, counted from 0, the lowest; null for a path that is assigned to none: it goes to the top. */
  readonly layerOf: (path: number) => number | null;
  /** New permission bits by change id. What this makes of a change gets those of the change. */
  readonly modes: Map<number, number>;
}

/**
 * Splits a layer. Each path stands in one layer, except directories: they stand in each layer that has something below them, since
 * runtimes imply missing parents in different ways. Only the topmost layer has the times of directories: every update changes
 * these, and would change all layers. Whiteouts and opaque markers stand in the lowest layer; the names of one file in one layer.
 * `changes` is the result of `express`: directories and markers parents first, then data, then links after their targets.
 */
export function splitLayer(changes: readonly Change[], splitting: Splitting): readonly (readonly Change[])[] {
  const { count } = splitting;
  if (count === 1) return [changes];
  const structure = changes.filter(isStructure);
  const files = assignFiles(changes, splitting);
  const timeless = new Timeless(splitting);
  return files.map((own, layer) => {
    const isTop = layer === count - 1;
    const needed = layer === 0 ? [...own, ...structure.filter(isMarker)] : own;
    const around = isTop ? null : directoriesAround(needed, layer, { ...splitting, structure });
    const kept = structure.filter((change) =>
      isMarker(change) ? layer === 0 : around === null || around[change.path] === 1,
    );
    return [...(isTop ? kept : kept.map((change) => timeless.of(change))), ...own];
  });
}

function isStructure({ kind }: Change): boolean {
  return kind === 'directory' || kind === 'whiteout' || kind === 'opaque';
}

function isMarker({ kind }: Change): boolean {
  return kind === 'whiteout' || kind === 'opaque';
}

/** Returns the data and links of each layer, in their order. A link goes to the layer of its target, where that is written, too. */
function assignFiles(changes: readonly Change[], { table, count, layerOf }: Splitting): Change[][] {
  const layers = Array.from({ length: count }, (): Change[] => []);
  const placed = new Int32Array(table.paths.length).fill(-1);
  for (const change of changes) {
    if (isStructure(change)) continue;
    const ofTarget = change.kind === 'link' ? (placed[change.target] as number) : -1;
    const layer = ofTarget >= 0 ? ofTarget : (layerOf(change.path) ?? count - 1);
    (layers[layer] as Change[]).push(change);
    placed[change.path] = layer;
    // The other names of a file of the layers below follow the first.
    if (change.kind === 'link') placed[change.target] = layer;
  }
  return layers;
}

/**
 * Returns by path number: 1 for the directories of a layer, which are those above its entries. Empty directories are in the top, with all
 * others; they are here, too, where nothing else is assigned to the layer.
 */
function directoriesAround(
  entries: readonly Change[],
  layer: number,
  { table, structure, layerOf }: Splitting & { readonly structure: readonly Change[] },
): Uint8Array {
  const marks = new Uint8Array(table.paths.length);
  const mark = (from: number): void => {
    for (let path = from; path >= 0 && marks[path] === 0; path = table.parent[path] as number)
      marks[path] = 1;
  };
  for (const { kind, path } of entries) mark(kind === 'opaque' ? path : (table.parent[path] as number));
  if (entries.length === 0)
    for (const { kind, path } of structure) if (kind === 'directory' && layerOf(path) === layer) mark(path);
  return marks;
}

/** Makes the changes that state directories without their times, once for all layers. */
class Timeless {
  readonly #splitting: Splitting;
  readonly #made = new Map<number, Change>();

  constructor(splitting: Splitting) {
    this.#splitting = splitting;
  }

  of(change: Change): Change {
    if (change.kind !== 'directory' || change.form === 'made') return change;
    const known = this.#made.get(change.id);
    if (known !== undefined) return known;
    const { list, modes } = this.#splitting;
    const made = list.create({ ...change, form: 'timeless' });
    this.#made.set(change.id, made);
    const mode = modes.get(change.id);
    if (mode !== undefined) modes.set(made.id, mode);
    return made;
  }
}
