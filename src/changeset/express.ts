/**
 * Writes a tree as the changes of one layer: the inverse of `Tree.apply`. Squash, prune and restore end with it.
 */
import type { Change, ChangeList } from './change.ts';
import type { Tree } from './tree.ts';

/** The layers below the one that is being written, as far as they are known. */
export type Below =
  | { readonly kind: 'nothing' }
  /** They have not been scanned: every whiteout stays, since one too many harms nothing and one too few brings a file back. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'known'; readonly tree: Tree };

export interface Expression {
  /** Directories and markers parents first, then data in source order, then hard links after their targets. */
  readonly changes: readonly Change[];
  /** Hard links that now carry data (or point elsewhere), because the name that did is gone. */
  readonly promoted: readonly Promotion[];
}

export interface Promotion {
  readonly change: Change;
  /** The change whose data it carries or whose file it names; null for a file of layers that have not been scanned. */
  readonly from: Change | null;
  readonly reason: 'target removed' | 'borrowed from a lower layer' | 'linked to another name';
}

/** Thrown where a link needs the layers below, which have not been scanned: the caller scans them and calls again. */
export class NeedsLayersBelow extends Error {}

export interface ExpressOptions {
  readonly below: Below;
  /** Source layers whose data this layer holds; data of others must be borrowed or linked to. */
  readonly own: ReadonlySet<number>;
  /** Tells whether to keep an implied directory that nothing else in the layer implies. Default: every one. */
  readonly wanted?: (path: number) => boolean;
}

/**
 * Writes the state of a range of layers as the changes of a single layer, every path at most once: the inverse of
 * applying. The tree holds that range alone (image-spec layer.md, "Representing Changes").
 */
export function express(tree: Tree, list: ChangeList, options: ExpressOptions): Expression {
  const structure = expressStructure(tree, list, options);
  const files = expressFiles(tree, list, options);
  return { changes: [...structure, ...files.changes], promoted: files.promoted };
}

/** Expresses directories, whiteouts and opaque markers. */
function expressStructure(tree: Tree, list: ChangeList, { below, wanted }: ExpressOptions): Change[] {
  const { table, node } = tree;
  const size = table.paths.length;
  const marks = new Uint8Array(size);
  const hidden = new Uint8Array(size);
  // Up to this number everything below is hidden already, so that markers are idle.
  let covered = below.kind === 'nothing' ? size : 0;
  for (let path = 0; path < size; path++) {
    // Subtrees are ranges of numbers, and parents come first: one bound is enough to tell what a marker above has hidden.
    const isCovered = path < covered;
    if (isCovered) hidden[path] = 1;
    if (node[path] === 0) {
      if (!tree.hidesAt(path)) continue;
      if (!isCovered && mayBeBelow(below, path)) marks[path] = whiteout;
      covered = Math.max(covered, table.end[path] as number);
    } else if (tree.isDirectory(path)) {
      let mark = tree.isImplied(path) ? 0 : own;
      if (!isCovered && tree.hidesChildrenAt(path)) {
        if (mayHaveChildrenBelow(below, path)) mark |= opaque;
        // Removed and made again without an entry: the attributes below must not come back with the name.
        if (tree.hidesAt(path) && tree.isImplied(path) && mayBeDirectoryBelow(below, path)) mark |= made;
      }
      if (tree.hidesChildrenAt(path)) covered = Math.max(covered, table.end[path] as number);
      marks[path] = mark;
    } else {
      marks[path] = file;
    }
  }
  keepImplied(tree, marks, hidden, below, wanted ?? (() => true));
  const changes: Change[] = [];
  for (let path = 0; path < size; path++) {
    const mark = marks[path] as number;
    if (mark & own) changes.push(tree.at(path) as Change);
    if (mark & made) changes.push(make(list, 'directory', path));
    if (mark & opaque) changes.push(make(list, 'opaque', path));
    if (mark & whiteout) changes.push(make(list, 'whiteout', path));
  }
  return changes;
}

// What is written at a path, as bits: a directory may have an entry and an opaque marker.
const own = 1;
const made = 2;
const opaque = 4;
const whiteout = 8;
const file = 16;

/** Marks the directories to be made: those that exist only because something lay in them which is gone. */
function keepImplied(
  tree: Tree,
  marks: Uint8Array,
  hidden: Uint8Array,
  below: Below,
  wanted: (path: number) => boolean,
): void {
  const { table } = tree;
  const implied = new Uint8Array(marks.length);
  // From the last path to the first, so that a directory is decided after everything in it.
  for (let path = marks.length - 1; path > 0; path--) {
    if (marks[path] === 0 && implied[path] === 0 && tree.isImplied(path)) {
      const given = hidden[path] === 0 && !tree.hidesAt(path) && mayBeDirectoryBelow(below, path);
      if (!given && wanted(path)) marks[path] = made;
    }
    if (marks[path] !== 0 || implied[path] !== 0) implied[table.parent[path] as number] = 1;
  }
}

function mayBeBelow(below: Below, path: number): boolean {
  return below.kind === 'known' ? below.tree.node[path] !== 0 : below.kind === 'unknown';
}

function mayHaveChildrenBelow(below: Below, path: number): boolean {
  return below.kind === 'known' ? below.tree.hasBelow(path) : below.kind === 'unknown';
}

function mayBeDirectoryBelow(below: Below, path: number): boolean {
  return below.kind === 'known' ? below.tree.isDirectory(path) : below.kind === 'unknown';
}

function make(list: ChangeList, kind: 'directory' | 'opaque' | 'whiteout', path: number): Change {
  return list.create({ kind, path, target: -1, layer: 0, entry: -1, form: 'made' });
}

/** Expresses everything but directories: the data of each file once, its other names as links. */
function expressFiles(tree: Tree, list: ChangeList, options: ExpressOptions): Expression {
  const data: Change[] = [];
  const groups = new Map<number, Change[]>();
  const carriers = new Map<number, Change>();
  const { node } = tree;
  for (let path = 0; path < node.length; path++) {
    const change = tree.at(path);
    if (change === null || change.kind === 'directory') continue;
    if (change.kind !== 'link') {
      data.push(change);
      continue;
    }
    const id = tree.file[path] as number;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [change]);
    else group.push(change);
  }
  // Few files have links: only their carriers are looked up.
  for (const change of groups.size === 0 ? [] : data) {
    const id = tree.file[change.path] as number;
    if (groups.has(id)) carriers.set(id, change);
  }
  const linksByFile: Change[][] = [];
  const promoted: Promotion[] = [];
  const names = options.below.kind === 'known' ? new FileNames(options.below.tree) : null;
  for (const [id, group] of groups) {
    group.sort(bySource);
    const anchor = findAnchor(tree, id, group, carriers.get(id) ?? null, options.below, names);
    let others: readonly Change[] = group;
    let target: number;
    // No name of the file is left in this layer or below: the first link becomes the regular file.
    if (anchor === null) {
      const [first, ...rest] = group as [Change, ...Change[]];
      const origin = list.get(id - 1);
      const change = list.create({ ...origin, path: first.path, form: 'renamed', file: id - 1 });
      data.push(change);
      promoted.push({
        change,
        from: origin,
        reason: options.own.has(origin.layer) ? 'target removed' : 'borrowed from a lower layer',
      });
      others = rest;
      target = first.path;
    } else {
      target = anchor;
    }
    // A link keeps its head if its target exists by then: an earlier name, or one of the layers below.
    const ready = new Set([target]);
    const links: Change[] = [];
    for (const link of others) {
      const sound = ready.has(link.target) || namesGround(tree, link.target, id, options.below);
      const change = sound ? link : list.create({ ...link, target, form: 'relinked' });
      if (!sound)
        promoted.push({ change, from: id > 0 ? list.get(id - 1) : null, reason: 'linked to another name' });
      links.push(change);
      ready.add(link.path);
    }
    linksByFile.push(links);
  }
  data.sort(bySource);
  // A name that carries the data now is a file the next time: expressed again, the order is the same.
  linksByFile.sort((a, b) => lowest(a) - lowest(b));
  return { changes: [...data, ...linksByFile.flat()], promoted };
}

function lowest(changes: readonly Change[]): number {
  return changes.reduce((least, { path }) => Math.min(least, path), Number.POSITIVE_INFINITY);
}

function bySource(a: Change, b: Change): number {
  return a.layer - b.layer || a.entry - b.entry || a.path - b.path;
}

/** Returns a name for the links of a file to name: the one that carries the data here, else one in the layers below; null for none. */
function findAnchor(
  tree: Tree,
  id: number,
  group: readonly Change[],
  carrier: Change | null,
  below: Below,
  names: FileNames | null,
): number | null {
  if (carrier !== null) return carrier.path;
  const named = group.find((link) => namesGround(tree, link.target, id, below));
  if (named !== undefined) return named.target;
  // A file of layers that have not been scanned: only a scan shows its other names.
  if (id < 0) throw new NeedsLayersBelow();
  for (const path of names?.of(id) ?? []) if (tree.isUntouched(path)) return path;
  return null;
}

/** The names of each file of a tree, sorted. They are collected at the first request, since few layers need them. */
class FileNames {
  readonly #tree: Tree;
  /** By file: its first name; by path: the next name of the same file. -1: none. */
  #first: Int32Array | null = null;
  #next = new Int32Array(0);

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  *of(id: number): Generator<number> {
    const first = (this.#first ??= this.#collect());
    for (let path = first[id] ?? -1; path >= 0; path = this.#next[path] as number) yield path;
  }

  #collect(): Int32Array {
    const { file } = this.#tree;
    const first = new Int32Array(file.reduce((most, id) => Math.max(most, id), 0) + 1).fill(-1);
    this.#next = new Int32Array(file.length);
    for (let path = file.length - 1; path >= 0; path--) {
      const id = file[path] as number;
      if (id <= 0) continue;
      this.#next[path] = first[id] as number;
      first[id] = path;
    }
    return first;
  }
}

/** Tells whether a path still names the file in the layers below, once the tree is applied over them. */
function namesGround(tree: Tree, path: number, id: number, below: Below): boolean {
  if (!tree.isUntouched(path)) return false;
  if (below.kind === 'known') return below.tree.file[path] === id;
  // Without a scan the file is known by a single name, the one that it was linked by (`Tree.file`).
  return id < 0 && path === -id - 1;
}
