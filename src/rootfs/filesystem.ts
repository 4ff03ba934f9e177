/**
 * This room shows the root filesystem that the layers of an image make: its files and symlinks, facts about their contents, the
 * packages that they belong to, and its attack surface. It reads no layers itself, and knows nothing of prunings and traces.
 */
import { type ByteString, noBytes } from '../bytes/bytes.ts';
import type { Change } from '../changeset/change.ts';
import type { ChangeKind, LayerIndex } from '../changeset/layer-index.ts';
import { join, type Path, parentOf, root } from '../bytes/path.ts';
import type { Stack } from '../changeset/stack.ts';
import { Tree } from '../changeset/tree.ts';

/** The type of a file. A hard link has that of the file that it is another name of. */
export type NodeKind = Exclude<ChangeKind, 'whiteout' | 'opaque' | 'ignored' | 'link'>;

/** Where a name leads, as the kernel resolves it with the image as root (path_resolution(7)). */
export interface Walk {
  /** The path that it leads to, free of symlinks. Null where something on the way is missing. */
  readonly path: Path | null;
  /** The paths of the symlinks that were followed, in order. */
  readonly links: readonly Path[];
  /**
   * Where a walk failed, free of symlinks: a path without a file, or with one that would have to be a directory. Null for a walk
   * that succeeded.
   */
  readonly missing: Path | null;
  /** Whether the walk failed since it met more symlinks than the kernel follows. */
  readonly loops: boolean;
}

/** The most symlinks that Linux follows in one walk (fs/namei.c, MAXSYMLINKS). */
const maxLinks = 40;
/** The most bytes of a name, and of the target of a symlink (PATH_MAX without the NUL). */
const maxName = 4095;

/**
 * The merged root filesystem of a stack of layers. No name leads out of it. Methods take literal paths, and follow no symlink, except
 * `resolve`.
 */
export class Filesystem implements NameView {
  readonly #stack: Stack;
  readonly #tree: Tree;
  readonly #indexes: ReadonlyMap<number, LayerIndex>;
  readonly #modes: ReadonlyMap<number, number>;
  /** The paths of files with several names, by file. Collected at the first call of `names`. */
  #names: ReadonlyMap<number, readonly Path[]> | null = null;
  /** The last path that a caller gave or got, and its number. Callers mostly ask several things about one path. */
  #last: Path = root;
  #lastId = 0;

  /**
   * Takes a tree to which all layers of the stack have been applied, and the indexes by source layer number. `modes` are
   * permission bits by change id that replace those of the entry.
   */
  constructor(
    stack: Stack,
    tree: Tree,
    indexes: ReadonlyMap<number, LayerIndex>,
    modes: ReadonlyMap<number, number> = new Map(),
  ) {
    this.#stack = stack;
    this.#tree = tree;
    this.#indexes = indexes;
    this.#modes = modes;
  }

  /** Returns the type of the file at a path; null where there is no file. */
  kind(path: Path): NodeKind | null {
    const id = this.#idOf(path);
    if (id === null) return null;
    if (this.#tree.isDirectory(id)) return 'directory';
    const carrier = this.#carrier(id);
    return carrier === null ? null : (carrier.kind as NodeKind);
  }

  /** Returns the target of a symlink as it is stored; null for any other file. */
  target(path: Path): ByteString | null {
    const carrier = this.carrier(path);
    if (carrier?.kind !== 'symlink') return null;
    return this.#indexes.get(carrier.layer)?.symlinks.get(carrier.entry) ?? null;
  }

  /** Returns the permission bits, with those of setuid, setgid and sticky. 0o755 for a directory without an entry. */
  mode(path: Path): number {
    const carrier = this.carrier(path);
    if (carrier === null) return 0o755;
    return this.#modes.get(carrier.id) ?? this.#indexes.get(carrier.layer)?.modes[carrier.entry] ?? 0o755;
  }

  /** Returns the number of the owner; 0 for a directory without an entry. */
  uid(path: Path): number {
    return this.#column(path, (index, entry) => index.uids[entry]) ?? 0;
  }

  /** Returns the number of the group; 0 for a directory without an entry. */
  gid(path: Path): number {
    return this.#column(path, (index, entry) => index.gids[entry]) ?? 0;
  }

  /** Returns the bytes of a file as a program reads it: of a sparse one, with its holes. */
  length(path: Path): number {
    return this.#column(path, (index, entry) => index.lengths.get(entry) ?? index.sizes[entry]) ?? 0;
  }

  /** Returns the bytes of the stored body of a file: of a sparse one, without its holes. */
  size(path: Path): number {
    return this.#column(path, (index, entry) => index.sizes[entry]) ?? 0;
  }

  /** Returns whether a file has capabilities (the extended attribute security.capability). */
  capable(path: Path): boolean {
    return this.#column(path, (index, entry) => index.capable.has(entry)) ?? false;
  }

  /** Returns the change that carries a file: for a hard link, that with the data. Null for a directory without an entry. */
  carrier(path: Path): Change | null {
    const id = this.#idOf(path);
    if (id === null) return null;
    return this.#tree.isDirectory(id) ? this.#tree.at(id) : this.#carrier(id);
  }

  /** Returns all names of the file at a path (hard links), with its own, sorted. */
  names(path: Path): readonly Path[] {
    const id = this.#idOf(path);
    if (id === null) return [];
    this.#names ??= this.#collectNames();
    return this.#names.get(this.#tree.file[id] as number) ?? [path];
  }

  /** Yields the paths directly below a directory, sorted. Yields none for any other path. */
  *children(directory: Path): Generator<Path> {
    const { table } = this.#stack;
    const id = this.#idOf(directory);
    if (id === null || !this.#tree.isDirectory(id)) return;
    const end = table.end[id] as number;
    for (let at = id + 1; at < end; at = table.end[at] as number)
      if (this.#tree.node[at] !== 0) yield table.paths[at] as Path;
  }

  /** Yields all paths below a directory, at any depth, parents first. */
  *below(directory: Path): Generator<Path> {
    const { table } = this.#stack;
    const id = this.#idOf(directory);
    if (id === null) return;
    const end = table.end[id] as number;
    for (let at = id + 1; at < end; at++) {
      if (this.#tree.node[at] === 0) continue;
      this.#last = table.paths[at] as Path;
      this.#lastId = at;
      yield this.#last;
    }
  }

  /** Yields every path except the root, parents first. */
  all(): Generator<Path> {
    return this.below(root);
  }

  /** Returns the path, if it is a directory, or the lowest directory above it that the image has. */
  nearestDirectory(path: Path): Path {
    let at = path;
    while (at !== '' && this.kind(at) !== 'directory') at = parentOf(at);
    return at;
  }

  /** Resolves a name as `resolveName` does. */
  resolve(name: ByteString, options: ResolveOptions = {}): Walk {
    return resolveName(this, name, options);
  }

  #idOf(path: Path): number | null {
    if (path !== this.#last) {
      const id = this.#stack.table.findId(path);
      if (id === null) return null;
      this.#last = path;
      this.#lastId = id;
    }
    return this.#tree.node[this.#lastId] === 0 ? null : this.#lastId;
  }

  #carrier(id: number): Change | null {
    const file = this.#tree.file[id] as number;
    return file > 0 ? this.#stack.list.get(file - 1) : null;
  }

  /** Reads a column of the index of the layer that carries a file. */
  #column<T>(path: Path, read: (index: LayerIndex, entry: number) => T | undefined): T | undefined {
    const carrier = this.carrier(path);
    const index = carrier === null ? undefined : this.#indexes.get(carrier.layer);
    return carrier === null || index === undefined ? undefined : read(index, carrier.entry);
  }

  /** Collects the files that have several names. Most have one, and cost four bytes here. */
  #collectNames(): ReadonlyMap<number, readonly Path[]> {
    const { paths } = this.#stack.table;
    const { file: files, node } = this.#tree;
    const most = files.reduce((highest, file) => Math.max(highest, file), 0);
    /** The number of the first path of each file, plus one. */
    const first = new Int32Array(most + 1);
    const groups = new Map<number, Path[]>();
    files.forEach((file, id) => {
      if (file <= 0 || node[id] === 0) return;
      const other = first[file] as number;
      if (other === 0) {
        first[file] = id + 1;
        return;
      }
      const group = groups.get(file);
      if (group === undefined) groups.set(file, [paths[other - 1] as Path, paths[id] as Path]);
      else group.push(paths[id] as Path);
    });
    return groups;
  }
}

/** What walking a name asks of a filesystem. */
export interface NameView {
  /** Returns the type of the file at a path; null where there is no file. */
  kind(path: Path): NodeKind | null;
  /** Returns the target of a symlink as it is stored; null for any other file. */
  target(path: Path): ByteString | null;
}

export interface ResolveOptions {
  /** The directory that a relative name starts from, free of symlinks. Default: the root of the image. */
  readonly from?: Path;
  /** Whether a symlink in the last component is followed. Default: yes. */
  readonly follow?: boolean;
}

/**
 * Resolves a name in a filesystem. `..` leads up from where a symlink led, and stays in the image. A name that is longer than Linux
 * allows leads nowhere, unless it is literally the path of a file.
 */
export function resolveName(
  view: NameView,
  name: ByteString,
  { from = root, follow = true }: ResolveOptions = {},
): Walk {
  // A literal path of a file has only directories above it, so that no walk is needed.
  const literal = name.startsWith('/') ? join(root, name.slice(1)) : join(from, name);
  const there = view.kind(literal);
  if (there !== null && (there !== 'symlink' || !follow))
    return { path: literal, links: [], missing: null, loops: false };
  const links: Path[] = [];
  const fail = (missing: Path, loops = false): Walk => ({ path: null, links, missing, loops });
  if (name.length > maxName) return fail(root);
  // Components that are still ahead, the next one last.
  const ahead = name.split('/').reverse();
  let at: Path = name.startsWith('/') ? root : from;
  while (ahead.length > 0) {
    const part = ahead.pop() as ByteString;
    if (part === '' || part === '.') {
      if (view.kind(at) !== 'directory') return fail(at);
      continue;
    }
    if (part === '..') {
      at = parentOf(at);
      continue;
    }
    const next = join(at, part);
    const kind = view.kind(next);
    if (kind === null) return fail(next);
    const isLast = ahead.every((rest) => rest === '');
    if (kind === 'symlink' && (follow || !isLast)) {
      if (links.length === maxLinks) return fail(next, true);
      links.push(next);
      const target = view.target(next) ?? noBytes;
      if (target === '' || target.length > maxName) return fail(next);
      for (const name of target.split('/').reverse()) ahead.push(name);
      if (target.startsWith('/')) at = root;
      continue;
    }
    if (!isLast && kind !== 'directory') return fail(next);
    at = next;
  }
  return { path: at, links, missing: null, loops: false };
}

/** Merges all layers of a stack. @throws LAYER_INVALID */
export function mergeStack(stack: Stack, indexes: ReadonlyMap<number, LayerIndex>): Filesystem {
  const tree = new Tree(stack.table, stack.list);
  for (const [, changes] of stack.layers) tree.apply(changes);
  return new Filesystem(stack, tree, indexes);
}
