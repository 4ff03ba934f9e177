/**
 * The numbers of dive (wagoodman/dive 0.13.1 and the head of 2025-05-16), so that gates on them keep their meaning. They are computed
 * as dive computes them, also where that is odd: `Efficiency` and `layerNodes` say where. The analysis calls `diveSteps`.
 */
import { ascii, type ByteString } from '../bytes/bytes.ts';
import { baseOf, type Path, root } from '../bytes/path.ts';
import type { ChangeKind, LayerIndex } from '../changeset/layer-index.ts';
import type { PathTable } from '../changeset/path-table.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import type { DiveNumbers } from './analysis.ts';

/** The numbers of dive, and `FileSize` of each layer, the lowest first. */
export interface DiveResult {
  readonly numbers: DiveNumbers;
  readonly layerBytes: readonly number[];
}

/**
 * Computes dive's numbers. `indexes` are those of all layers, by number from 1, and `table` has the numbers of their paths.
 *
 * dive sees a tree in each layer, of the names as they are written: a whiteout is a file `.wh.x` beside `x`. What counts are leaves.
 */
export function* diveSteps(table: PathTable, indexes: ReadonlyMap<number, LayerIndex>): Steps<DiveResult> {
  const efficiency = new Efficiency(table);
  const layerBytes: number[] = [];
  for (let number = 1; number <= indexes.size; number++) {
    const index = indexes.get(number) as LayerIndex;
    layerBytes.push(fileSize(index));
    yield* efficiency.addLayer(index);
  }
  const [first = 0, ...user] = layerBytes;
  const userSizeBytes = user.reduce((sum, bytes) => sum + bytes, 0);
  const { score, inefficient } = yield* efficiency.finish();
  const wastedBytes = inefficient.reduce((sum, { bytes }) => sum + bytes, 0);
  const numbers = {
    efficiency: score,
    sizeBytes: first + userSizeBytes,
    userSizeBytes,
    wastedBytes,
    wastedUserPercent: wastedBytes / userSizeBytes,
    inefficient,
  };
  return { numbers, layerBytes };
}

/** Returns the size that an entry states: dive takes it from the header, whatever the entry is. */
function statedSize(index: LayerIndex, entry: number): number {
  return index.lengths.get(entry) ?? (index.sizes[entry] as number);
}

/** Adds up all entries, also those whose path a later one has. Global headers, at which dive gives up, are left out. */
function fileSize(index: LayerIndex): number {
  let bytes = 0;
  for (const [entry, path] of index.paths.entries()) if (path !== root) bytes += statedSize(index, entry);
  return bytes;
}

/** A whiteout: a leaf of dive's tree that stands among the paths. */
interface Marker {
  /** The number of the path that it removes. */
  readonly target: number;
  /** The path that it removes. */
  readonly path: Path;
  readonly parent: number;
  /** Its own name: `.wh.x`. */
  readonly name: ByteString;
  /** The number of the path before which it stands in dive's order. */
  readonly before: number;
}

/** The tree that dive makes of one layer. */
interface LayerNodes {
  /** Entries by path number, plus one; -1 for a directory that only others imply; 0 for nothing. */
  readonly entries: Int32Array;
  /** 1 for a path with something below it in this layer. */
  readonly hasChildren: Uint8Array;
  /** Leftovers of AUFS: paths that are not markers, although their names begin as those of whiteouts do (`.wh..wh.plnk`). */
  readonly named: ReadonlySet<number>;
  /** In dive's order. */
  readonly markers: readonly Marker[];
}

const prefix = ascii`.wh.`;
/** A new name that begins so ends the adding of a path. What is above it has been added. */
const doublePrefix = '.wh..wh..';

/** Sums over paths, and the stack of the layers so far. */
class Efficiency {
  readonly #table: PathTable;
  /** By path number: the sum of all sizes, the smallest (-1 for none: dive's initial value, which it adds up), how many. */
  readonly #sum: Float64Array;
  readonly #least: Float64Array;
  readonly #count: Int32Array;
  /** Whether dive has a row for the path. */
  readonly #known: Uint8Array;
  /** Leftovers of AUFS: dive takes them for whiteouts of `.wh.plnk`, which dangle, and each such path leaves a row behind. */
  readonly #strange = new Set<Path>();
  /** The stack of all layers below: 1 where there is something, with the size and type that the last layer gave it. */
  readonly #there: Uint8Array;
  readonly #sizes: Float64Array;
  readonly #isDirectory: Uint8Array;
  #layers = 0;

  constructor(table: PathTable) {
    const size = table.paths.length;
    this.#table = table;
    this.#sum = new Float64Array(size);
    this.#least = new Float64Array(size).fill(-1);
    this.#count = new Int32Array(size);
    this.#known = new Uint8Array(size);
    this.#there = new Uint8Array(size);
    this.#sizes = new Float64Array(size);
    this.#isDirectory = new Uint8Array(size);
  }

  *addLayer(index: LayerIndex): Steps<void> {
    const nodes = yield* layerNodes(this.#table, index);
    // Below the lowest layer dive sees the lowest layer itself.
    if (this.#layers++ === 0) yield* this.#put(index, nodes);
    yield* this.#countLeaves(index, nodes);
    yield* this.#stack(index, nodes);
  }

  /** Counts the leaves of a layer in dive's order, up to the first whiteout of something that is not there: dive stops at it. */
  *#countLeaves(index: LayerIndex, { entries, hasChildren, named, markers }: LayerNodes): Steps<void> {
    const below = markers.length === 0 ? null : yield* this.#sumsBelow();
    let next = 0;
    for (let id = 1; id <= entries.length; id++) {
      if (id % itemsPerStep === 0) yield;
      for (; next < markers.length && (markers[next] as Marker).before === id; next++)
        if (!this.#countMarker(markers[next] as Marker, below as Float64Array)) return;
      if (id === entries.length) break;
      const entry = entries[id] as number;
      if (entry === 0 || hasChildren[id] === 1) continue;
      if (named.has(id)) {
        this.#strange.add(this.#table.paths[id] as Path);
        return;
      }
      this.#add(id, entry < 0 ? 0 : statedSize(index, entry - 1));
    }
  }

  /** Counts a whiteout with the bytes of the directory that it removes, and none for a file. Returns false for a dangling one. */
  #countMarker({ target }: Marker, below: Float64Array): boolean {
    this.#known[target] = 1;
    if (this.#there[target] === 0) return false;
    const end = this.#table.end[target] as number;
    const bytes = this.#isDirectory[target] === 1 ? (below[end] as number) - (below[target] as number) : 0;
    this.#add(target, bytes);
    return true;
  }

  #add(id: number, bytes: number): void {
    this.#known[id] = 1;
    this.#sum[id] = (this.#sum[id] as number) + bytes;
    const least = this.#least[id] as number;
    if (least < 0 || bytes < least) this.#least[id] = bytes;
    this.#count[id] = (this.#count[id] as number) + 1;
  }

  /** Returns the bytes of the stack before each path number, so that a directory is a difference. */
  *#sumsBelow(): Steps<Float64Array> {
    const sums = new Float64Array(this.#there.length + 1);
    for (let id = 0; id < this.#there.length; id++) {
      if (id % itemsPerStep === itemsPerStep - 1) yield;
      sums[id + 1] = (sums[id] as number) + (this.#there[id] === 1 ? (this.#sizes[id] as number) : 0);
    }
    return sums;
  }

  /**
   * Puts a layer on the stack. dive walks in the order of names and removes when it meets a whiteout, so that one whose name sorts
   * behind its path (`.a` and `.wh..a`) also removes what its own layer has there. Opaque markers remove nothing.
   */
  *#stack(index: LayerIndex, nodes: LayerNodes): Steps<void> {
    yield* this.#remove(nodes.markers.filter(({ name, path }) => name < baseOf(path)));
    yield* this.#put(index, nodes);
    yield* this.#remove(nodes.markers.filter(({ name, path }) => name > baseOf(path)));
  }

  *#remove(markers: readonly Marker[]): Steps<void> {
    for (const { target } of markers) {
      // What is below something that is not there has been removed with it.
      if (this.#there[target] === 0) continue;
      this.#there.fill(0, target, this.#table.end[target]);
      yield;
    }
  }

  /** Adds what a layer has. A directory that it only implies loses its type and the size that lower layers gave it. */
  *#put(index: LayerIndex, { entries, hasChildren, named }: LayerNodes): Steps<void> {
    for (let id = 1; id < entries.length; id++) {
      if (id % itemsPerStep === 0) yield;
      const entry = entries[id] as number;
      if (entry === 0 || (named.has(id) && hasChildren[id] === 0)) continue;
      this.#there[id] = 1;
      this.#sizes[id] = entry < 0 ? 0 : statedSize(index, entry - 1);
      this.#isDirectory[id] = entry > 0 && index.kinds[entry - 1] === 'directory' ? 1 : 0;
    }
  }

  *finish(): Steps<Pick<DiveNumbers, 'inefficient'> & { readonly score: number }> {
    let [least, found] = [-this.#strange.size, 0];
    const inefficient: { path: Path; count: number; bytes: number }[] = [];
    for (let id = 0; id < this.#known.length; id++) {
      if (id % itemsPerStep === itemsPerStep - 1) yield;
      if (this.#known[id] === 0) continue;
      least += this.#least[id] as number;
      found += this.#sum[id] as number;
      const [count, bytes] = [this.#count[id] as number, this.#sum[id] as number];
      if (count > 1) inefficient.push({ path: this.#table.paths[id] as Path, count, bytes });
    }
    yield;
    // The order of equal sizes depends on Go's sorting: here it is that of the paths.
    inefficient.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
    return { score: found === 0 ? 1 : least / found, inefficient };
  }
}

/**
 * Makes dive's tree of a layer: parents without an entry are made, the last of several entries counts, and of an opaque marker only
 * the directory that it lies in stays.
 */
function* layerNodes(table: PathTable, index: LayerIndex): Steps<LayerNodes> {
  const entries = new Int32Array(table.paths.length);
  const hasChildren = new Uint8Array(table.paths.length);
  const markers = new Map<number, Omit<Marker, 'before'>>();
  const named: number[] = [];
  /** Makes the directories above a path, from the lowest up. */
  const imply = (parent: number) => {
    for (let at = parent; at > 0 && hasChildren[at] === 0; at = table.parent[at] as number) {
      hasChildren[at] = 1;
      if (entries[at] === 0) entries[at] = -1;
    }
  };
  for (let entry = 0; entry < index.kinds.length; entry++) {
    if (entry % itemsPerStep === itemsPerStep - 1) yield;
    const path = index.paths[entry] as Path;
    const id = table.idOf(path);
    const parent = table.parent[id] as number;
    const kind = index.kinds[entry] as ChangeKind;
    if (kind === 'ignored') {
      addLeftover(id, entry);
      continue;
    }
    imply(parent);
    if (kind === 'whiteout')
      markers.set(id, { target: id, path, parent, name: ascii`${prefix}${baseOf(path)}` });
    else if (id > 0 && kind !== 'opaque') entries[id] = entry + 1;
    else if (id > 0 && entries[id] === 0) entries[id] = -1;
  }
  /** Adds a leftover of AUFS as the file that its name says, up to a component that dive does not add. */
  function addLeftover(id: number, entry: number): void {
    let at = id;
    let lowest = id;
    for (; at > 0; at = table.parent[at] as number)
      if (baseOf(table.paths[at] as Path).startsWith(doublePrefix)) lowest = table.parent[at] as number;
    if (lowest <= 0) return;
    imply(table.parent[lowest] as number);
    if (lowest === id) {
      entries[id] = entry + 1;
      if (baseOf(table.paths[id] as Path).startsWith(prefix)) named.push(id);
    } else if (entries[lowest] === 0) entries[lowest] = -1;
  }
  return {
    entries,
    hasChildren,
    named: new Set(named),
    markers: yield* inOrder(table, [...markers.values()]),
  };
}

/** Finds the places of whiteouts among the paths, and puts them into dive's order. */
function* inOrder(table: PathTable, markers: readonly Omit<Marker, 'before'>[]): Steps<readonly Marker[]> {
  const placed: Marker[] = [];
  for (const [parent, group] of Map.groupBy(markers, (marker) => marker.parent)) {
    yield;
    const end = table.end[parent] as number;
    let child = parent + 1;
    for (const marker of group.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      while (child < end && baseOf(table.paths[child] as Path) < marker.name)
        child = table.end[child] as number;
      placed.push({ ...marker, before: child });
    }
  }
  // Of two at one place the one that lies deeper belongs to what stands before.
  return placed.sort((a, b) => a.before - b.before || b.parent - a.parent || (a.name < b.name ? -1 : 1));
}
