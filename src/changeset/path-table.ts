/**
 * Numbers the paths of a stack. Trees are arrays over these numbers, and a directory and all below it are one range of them.
 */
import { OcislimError } from '../errors.ts';
import { atOnce, itemsPerStep, type Steps } from '../steps.ts';
import { type Path, parentOf, root } from '../bytes/path.ts';

/**
 * The numbers of all paths of a stack of layers, ancestors included, in depth-first order: the paths below path `i` have the
 * numbers from `i + 1` up to `end[i]`. The root is 0. The state of a filesystem is one array over the numbers, and hiding a
 * subtree is one fill.
 */
export interface PathTable {
  readonly paths: readonly Path[];
  readonly parent: Int32Array;
  readonly end: Int32Array;
  /** Returns the number of a path. @throws Error for a path that occurs in none of the layers: a bug */
  idOf(path: Path): number;
  /** Finds the number of a path; null for a path that occurs in none of the layers. */
  findId(path: Path): number | null;
}

/** Numbers the paths of some lists at once. @throws LIMIT for too many paths */
export function buildPathTable(lists: Iterable<Iterable<Path>>): PathTable {
  return atOnce(pathTableSteps(lists));
}

/**
 * Numbers the paths of some lists. Siblings are in the order of their bytes. The strings of the table are those of the lists,
 * not copies. @throws LIMIT for too many paths
 */
export function* pathTableSteps(lists: Iterable<Iterable<Path>>): Steps<PathTable> {
  const found = new Paths();
  let count = 0;
  for (const list of lists)
    for (const path of list) {
      found.add(path);
      if (++count % itemsPerStep === 0) yield;
    }
  const { names, parents, seen } = found;
  const size = names.length;
  // Only what lies in the same directory is compared: sorting all paths as texts costs three times as much.
  const order = yield* depthFirst(names, parents);
  const ids = new Int32Array(size);
  const paths: Path[] = [];
  for (let id = 0; id < size; id++) {
    const first = order[id] as number;
    ids[first] = id;
    paths.push(names[first] as Path);
    if (id % itemsPerStep === 0) yield;
  }
  const parent = new Int32Array(size);
  for (let id = 1; id < size; id++) parent[id] = ids[parents[order[id] as number] as number] as number;
  parent[0] = -1;
  // From the last path to the first, so that the end of each child is known before that of its parent.
  const end = new Int32Array(size);
  for (let id = size - 1; id >= 0; id--) {
    if (end[id] === 0) end[id] = id + 1;
    const above = parent[id] as number;
    if (above >= 0 && (end[above] as number) < (end[id] as number)) end[above] = end[id] as number;
  }
  const findId = (path: Path): number | null => {
    const first = seen.get(path);
    return first === undefined ? null : (ids[first] as number);
  };
  return {
    paths,
    parent,
    end,
    idOf(path) {
      const id = findId(path);
      if (id === null) throw new Error('a path that is in none of the layers');
      return id;
    },
    findId,
  };
}

/** The maps of V8 end at 2^24 entries, with an error that does not say so. */
const maxPaths = 16_000_000;

/** Distinct paths, numbered in the order in which they are met, parents before children. */
class Paths {
  readonly seen = new Map<Path, number>([[root, 0]]);
  readonly names: Path[] = [root];
  parents = new Int32Array(1024).fill(-1, 0, 1);
  /** The directory of the last path: the next path mostly lies there too. */
  #directory: Path = root;
  #number = 0;

  add(path: Path): void {
    if (this.seen.has(path)) return;
    const slash = path.lastIndexOf('/');
    if (slash !== this.#directory.length || !path.startsWith(this.#directory)) {
      this.#directory = parentOf(path);
      this.#number = this.#addDirectory(this.#directory);
    }
    this.#put(path, this.#number);
  }

  /** Adds a directory and its ancestors, without recursion: a name can have more parts than there are stack frames. */
  #addDirectory(directory: Path): number {
    const missing: Path[] = [];
    let at = directory;
    let number = this.seen.get(at);
    for (; number === undefined; number = this.seen.get(at)) {
      missing.push(at);
      at = parentOf(at);
    }
    for (let i = missing.length - 1; i >= 0; i--) number = this.#put(missing[i] as Path, number);
    return number;
  }

  #put(path: Path, parent: number): number {
    const number = this.names.length;
    if (number === maxPaths)
      throw new OcislimError(
        'LIMIT',
        `the layers have more than ${maxPaths} paths, directories without entries included`,
        {
          advice: 'This limit cannot be raised (docs/limits.md).',
        },
      );
    this.seen.set(path, number);
    this.names.push(path);
    if (number === this.parents.length) {
      const more = new Int32Array(2 * number);
      more.set(this.parents);
      this.parents = more;
    }
    this.parents[number] = parent;
    return number;
  }
}

/** Returns the paths in depth-first order, siblings by name. */
function* depthFirst(names: readonly Path[], parents: Int32Array): Steps<Int32Array> {
  const size = names.length;
  // The children of `i` stand from `start[i]` up to `start[i + 1]`.
  const start = new Int32Array(size + 1);
  for (let i = 1; i < size; i++) (start[(parents[i] as number) + 1] as number)++;
  for (let i = 0; i < size; i++) start[i + 1] = (start[i] as number) + (start[i + 1] as number);
  const next = start.slice();
  const children = new Int32Array(size);
  for (let i = 1; i < size; i++) {
    const parent = parents[i] as number;
    children[(next[parent] as number)++] = i;
  }
  const byName = (a: number, b: number) => ((names[a] as Path) < (names[b] as Path) ? -1 : 1);
  const order = new Int32Array(size);
  const ahead = [0];
  for (let filled = 0; filled < size; filled++) {
    if (filled % itemsPerStep === 0) yield;
    const at = ahead.pop() as number;
    order[filled] = at;
    const own = children.subarray(start[at], start[at + 1]);
    if (!isSorted(own, names)) own.sort(byName);
    for (let i = own.length - 1; i >= 0; i--) ahead.push(own[i] as number);
  }
  return order;
}

function isSorted(siblings: Int32Array, names: readonly Path[]): boolean {
  for (let i = 1; i < siblings.length; i++)
    if ((names[siblings[i - 1] as number] as Path) > (names[siblings[i] as number] as Path)) return false;
  return true;
}
