import type { ByteString } from '../bytes/bytes.ts';
import type { Change } from '../changeset/change.ts';
import type { ChangeKind, LayerIndex } from '../changeset/layer-index.ts';
import { join, type Path, parentOf, root } from '../bytes/path.ts';
import type { Stack } from '../changeset/stack.ts';
import { Tree } from '../changeset/tree.ts';

/** What stands at a path. A hard link is a file (or whatever it is a second name of). */
export type NodeKind = Exclude<ChangeKind, 'whiteout' | 'opaque' | 'ignored' | 'link'>;

/** Where a name leads, as the kernel would walk it with the image as root (path_resolution(7)). */
export interface Walk {
  /** What it leads to, free of symlinks; null where something on the way is missing. */
  readonly path: Path | null;
  /** The symlinks followed on the way, in order, each as its own path. */
  readonly links: readonly Path[];
  /** Of a walk that fails: the place, free of symlinks, where there is nothing, or something that is no directory. */
  readonly missing: Path | null;
  /** More symlinks than the kernel follows. */
  readonly loops: boolean;
}

/** Linux follows as many (fs/namei.c, MAXSYMLINKS). */
const maxLinks = 40;
/** It takes no longer name, and no longer target of a symlink (PATH_MAX less the NUL). */
const maxName = 4095;

/** The merged root filesystem of a stack of layers, to look around in. Nothing in it leads outside. */
export class Filesystem {
  readonly #stack: Stack;
  readonly #tree: Tree;
  readonly #indexes: ReadonlyMap<number, LayerIndex>;
  readonly #modes: ReadonlyMap<number, number>;
  #names: ReadonlyMap<number, readonly Path[]> | null = null;
  /** The path last asked for or given out: most questions are about the same one as the one before. */
  #last: Path = root;
  #lastId = 0;

  /**
   * `tree`: all layers of the stack applied. `indexes` by source layer number. `modes`: permission bits by change id, where
   * they are to differ from those of the entry.
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

  /** What is at this very path, no symlink followed; null for nothing. */
  kind(path: Path): NodeKind | null {
    const id = this.#idOf(path);
    if (id === null) return null;
    if (this.#tree.isDirectory(id)) return 'directory';
    const carrier = this.#carrier(id);
    return carrier === null ? null : (carrier.kind as NodeKind);
  }

  /** What a symlink says; null where there is none. */
  target(path: Path): ByteString | null {
    const carrier = this.carrier(path);
    if (carrier?.kind !== 'symlink') return null;
    return this.#indexes.get(carrier.layer)?.symlinks.get(carrier.entry) ?? null;
  }

  /** Permission bits, setuid and sticky bits included; 0o755 for a directory that no layer has an entry for. */
  mode(path: Path): number {
    const carrier = this.carrier(path);
    if (carrier === null) return 0o755;
    return this.#modes.get(carrier.id) ?? this.#indexes.get(carrier.layer)?.modes[carrier.entry] ?? 0o755;
  }

  /** The owner's number. */
  uid(path: Path): number {
    return this.#column(path, (index, entry) => index.uids[entry]) ?? 0;
  }

  /** Bytes of a file's stored body. */
  size(path: Path): number {
    return this.#column(path, (index, entry) => index.sizes[entry]) ?? 0;
  }

  /** Does the file carry capabilities? */
  capable(path: Path): boolean {
    return this.#column(path, (index, entry) => index.capable.has(entry)) ?? false;
  }

  /** Where the inode's entry is: of a hard link, the entry that carries the data; null for nothing and for implied directories. */
  carrier(path: Path): Change | null {
    const id = this.#idOf(path);
    if (id === null) return null;
    return this.#tree.isDirectory(id) ? this.#tree.at(id) : this.#carrier(id);
  }

  /** All names of the file at a path, its own included, sorted. */
  names(path: Path): readonly Path[] {
    const id = this.#idOf(path);
    if (id === null) return [];
    this.#names ??= this.#collectNames();
    return this.#names.get(this.#tree.file[id] as number) ?? [path];
  }

  /** The paths right below a directory, sorted. */
  *children(directory: Path): Generator<Path> {
    const { table } = this.#stack;
    const id = this.#idOf(directory);
    if (id === null || !this.#tree.isDirectory(id)) return;
    const end = table.end[id] as number;
    for (let at = id + 1; at < end; at = table.end[at] as number)
      if (this.#tree.node[at] !== 0) yield table.paths[at] as Path;
  }

  /** All paths below a directory, at any depth, parents first. */
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

  /** Every path but the root, parents first. */
  all(): Generator<Path> {
    return this.below(root);
  }

  /**
   * Walks a name from the root of the image, or from `from` (a directory free of symlinks) if it is relative. `..` leads
   * up from where a symlink led, and stays in the image. The last component is followed unless `follow` is false. What is
   * longer than Linux allows leads nowhere, unless something is there by this very name.
   */
  resolve(
    name: ByteString,
    { from = root, follow = true }: { readonly from?: Path; readonly follow?: boolean } = {},
  ): Walk {
    // What is there by this very name is below directories only: no need to walk.
    const literal = name.startsWith('/') ? join(root, name.slice(1)) : join(from, name);
    const there = this.kind(literal);
    if (there !== null && (there !== 'symlink' || !follow))
      return { path: literal, links: [], missing: null, loops: false };
    const links: Path[] = [];
    if (name.length > maxName) return { path: null, links, missing: root, loops: false };
    const ahead = name.split('/').reverse();
    let at: Path = name.startsWith('/') ? root : from;
    while (ahead.length > 0) {
      const part = ahead.pop() as ByteString;
      if (part === '' || part === '.') {
        if (this.kind(at) !== 'directory') return { path: null, links, missing: at, loops: false };
        continue;
      }
      if (part === '..') {
        at = parentOf(at);
        continue;
      }
      const next = join(at, part);
      const kind = this.kind(next);
      if (kind === null) return { path: null, links, missing: next, loops: false };
      const isLast = ahead.every((rest) => rest === '');
      if (kind === 'symlink' && (follow || !isLast)) {
        if (links.length === maxLinks) return { path: null, links, missing: next, loops: true };
        links.push(next);
        const target = this.target(next) ?? '';
        if (target === '' || target.length > maxName)
          return { path: null, links, missing: next, loops: false };
        ahead.push(...target.split('/').reverse());
        if (target.startsWith('/')) at = root;
        continue;
      }
      if (!isLast && kind !== 'directory') return { path: null, links, missing: next, loops: false };
      at = next;
    }
    return { path: at, links, missing: null, loops: false };
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

  #column<T>(path: Path, read: (index: LayerIndex, entry: number) => T | undefined): T | undefined {
    const carrier = this.carrier(path);
    const index = carrier === null ? undefined : this.#indexes.get(carrier.layer);
    return carrier === null || index === undefined ? undefined : read(index, carrier.entry);
  }

  #collectNames(): ReadonlyMap<number, readonly Path[]> {
    const { paths } = this.#stack.table;
    const groups = new Map<number, Path[]>();
    this.#tree.file.forEach((file, id) => {
      if (file === 0 || this.#tree.node[id] === 0) return;
      const group = groups.get(file);
      if (group === undefined) groups.set(file, [paths[id] as Path]);
      else group.push(paths[id] as Path);
    });
    for (const [file, group] of groups) if (group.length === 1) groups.delete(file);
    return groups;
  }
}

/** The merged filesystem of all layers of a stack. @throws LAYER_INVALID */
export function mergeStack(stack: Stack, indexes: ReadonlyMap<number, LayerIndex>): Filesystem {
  const tree = new Tree(stack.table, stack.list);
  for (const [, changes] of stack.layers) tree.apply(changes);
  return new Filesystem(stack, tree, indexes);
}
