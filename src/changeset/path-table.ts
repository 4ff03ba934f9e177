import { type Path, parentOf } from './path.ts';

/**
 * Numbers all paths of a stack of layers, ancestors included, in depth-first order: what is below path `i` are the
 * numbers from `i + 1` up to `end[i]`. The root is 0. State of a filesystem is then one array over the numbers, and
 * hiding a subtree is one fill.
 */
export interface PathTable {
  readonly paths: readonly Path[];
  readonly parent: Int32Array;
  readonly end: Int32Array;
  idOf(path: Path): number;
  /** Null for a path that occurs in none of the layers. */
  findId(path: Path): number | null;
}

export function buildPathTable(lists: Iterable<Iterable<Path>>): PathTable {
  const seen = new Set<Path>(['']);
  for (const list of lists) {
    for (const path of list) {
      // Ancestors of a known path are known.
      for (let at = path; !seen.has(at); at = parentOf(at)) seen.add(at);
    }
  }
  // With the slash sorted below every other byte (NUL occurs in no name), plain order is depth-first order.
  const paths = [...seen].map((path) => path.replaceAll('/', '\0')).sort();
  const ids = new Map<Path, number>();
  for (let i = 0; i < paths.length; i++) {
    const path = (paths[i] as string).replaceAll('\0', '/');
    paths[i] = path;
    ids.set(path, i);
  }
  const parent = new Int32Array(paths.length);
  const end = new Int32Array(paths.length);
  parent[0] = -1;
  for (let i = 1; i < paths.length; i++) parent[i] = ids.get(parentOf(paths[i] as Path)) as number;
  for (let i = paths.length - 1; i >= 0; i--) {
    if (end[i] === 0) end[i] = i + 1;
    const above = parent[i] as number;
    if (above >= 0 && (end[above] as number) < (end[i] as number)) end[above] = end[i] as number;
  }
  return {
    paths,
    parent,
    end,
    idOf(path) {
      const id = ids.get(path);
      if (id === undefined) throw new Error('a path that is in none of the layers');
      return id;
    },
    findId: (path) => ids.get(path) ?? null,
  };
}
