/**
 * The state of a root filesystem while layers are applied. Pruning, squashing, restoring and comparing work on such trees.
 */
import { OcislimError } from '../errors.ts';
import type { Change, ChangeList } from './change.ts';
import { opaqueMarkerName } from './layer-index.ts';
import { quotePath, type Path } from '../bytes/path.ts';
import type { PathTable } from './path-table.ts';

/** What lies below the first layer applied to a tree: nothing, or layers that have not been scanned. */
export type Ground = 'nothing' | 'unknown';

/** A path hides what the ground has there, the path's own attributes included. */
const hides = 1;
/** A directory hides the children that the ground has in it, but not the ground's attributes of the directory. */
const hidesChildren = 2;

/** The callbacks of applying a layer. */
export interface Observer {
  /** Receives a hard link and the file that it was bound to. */
  onLink?(link: Change, file: number): void;
  /** Receives the id of a change that a directory replaced. The directory merges with what lies below instead of hiding it. */
  onReplacedByDirectory?(id: number): void;
}

/**
 * The state of a root filesystem while layers are applied bottom to top (image-spec layer.md, "Applying Changesets").
 *
 * Whiteouts and opaque markers act first, on what the layers before have put there; then the entries in their order.
 * A whiteout or marker implies its parent directories as any entry does: Docker, containerd and umoci make them.
 */
export class Tree {
  readonly table: PathTable;
  readonly ground: Ground;
  readonly #list: ChangeList;
  /** By path: 0 nothing, -1 a directory that is only implied, else the id + 1 of the change that put it there. */
  readonly node: Int32Array;
  /** By path: id + 1 of the file's first change; negative: a file of the ground, -(path + 1) of the name it was linked by. */
  readonly file: Int32Array;
  readonly #flags: Uint8Array;
  /** By path: the number of the last layer (counted from 1 in the order applied) that put or implied something there. */
  readonly touched: Int32Array;
  #layers = 0;

  constructor(table: PathTable, list: ChangeList, ground: Ground = 'nothing') {
    this.table = table;
    this.ground = ground;
    this.#list = list;
    const size = table.paths.length;
    this.node = new Int32Array(size);
    this.file = new Int32Array(size);
    this.#flags = new Uint8Array(size);
    this.touched = new Int32Array(size);
    this.node[0] = -1;
  }

  /** Applies a layer on top. @throws LAYER_INVALID: a dangling hard link, a hard link to a directory, an entry below a file of its own layer */
  apply(layer: readonly Change[], observer: Observer = {}): void {
    this.#layers++;
    for (const change of layer) {
      if (change.kind === 'whiteout') this.hide(change.path);
      else if (change.kind === 'opaque') this.#hideChildren(change.path);
    }
    for (const change of layer) {
      this.#refuseOwnAncestor(change);
      this.#implyAncestors(change.path, observer);
      if (change.kind === 'opaque') this.#imply(change.path, observer);
      else if (change.kind === 'directory') this.#putDirectory(change, observer);
      else if (change.kind !== 'whiteout') this.#putFile(change, observer);
    }
  }

  /** Returns a copy, to apply further layers to. */
  clone(): Tree {
    const copy = new Tree(this.table, this.#list, this.ground);
    copy.node.set(this.node);
    copy.file.set(this.file);
    copy.#flags.set(this.#flags);
    copy.touched.set(this.touched);
    copy.#layers = this.#layers;
    return copy;
  }

  isDirectory(path: number): boolean {
    const node = this.node[path] as number;
    return node === -1 || (node > 0 && this.#list.get(node - 1).kind === 'directory');
  }

  isImplied(path: number): boolean {
    return this.node[path] === -1;
  }

  /** Returns the change that determines the path; null for nothing and for an implied directory. */
  at(path: number): Change | null {
    const node = this.node[path] as number;
    return node > 0 ? this.#list.get(node - 1) : null;
  }

  /** Tells whether this path hides what the ground has there. */
  hidesAt(path: number): boolean {
    return ((this.#flags[path] as number) & hides) !== 0;
  }

  /** Tells whether this directory hides the children that the ground has in it. */
  hidesChildrenAt(path: number): boolean {
    return (this.#flags[path] as number) !== 0;
  }

  /** Tells whether the ground's node at this path is neither replaced nor hidden by what was applied. */
  isUntouched(path: number): boolean {
    if (this.node[path] !== 0 || this.hidesAt(path)) return false;
    for (
      let above = this.table.parent[path] as number;
      above >= 0;
      above = this.table.parent[above] as number
    ) {
      if (this.hidesChildrenAt(above) || (this.node[above] !== 0 && !this.isDirectory(above))) return false;
    }
    return true;
  }

  hasBelow(path: number): boolean {
    const end = this.table.end[path] as number;
    for (let at = path + 1; at < end; at++) if (this.node[at] !== 0) return true;
    return false;
  }

  /** Removes the path with all below it, and hides what the ground has there. */
  hide(path: number): void {
    this.#clear(path);
    this.node[path] = 0;
    this.file[path] = 0;
    this.#flags[path] = hides;
  }

  /** Removes a single path as if it had never been put there; what the ground has there stays. */
  forget(path: number): void {
    this.node[path] = 0;
    this.file[path] = 0;
    this.#flags[path] = 0;
  }

  /** Forgets the entry of a directory, which is then implied by what is in it. */
  makeImplied(path: number): void {
    this.node[path] = -1;
  }

  #hideChildren(path: number): void {
    this.#clear(path);
    this.#flags[path] = (this.#flags[path] as number) | hidesChildren;
  }

  /** Empties the subtree, the path itself excepted. */
  #clear(path: number): void {
    const end = this.table.end[path] as number;
    if (end === path + 1) return;
    this.node.fill(0, path + 1, end);
    this.file.fill(0, path + 1, end);
    this.#flags.fill(0, path + 1, end);
  }

  #implyAncestors(path: number, observer: Observer): void {
    for (
      let above = this.table.parent[path] as number;
      above >= 0;
      above = this.table.parent[above] as number
    ) {
      // This layer has already implied it, and with it all directories above.
      if (this.touched[above] === this.#layers && this.isDirectory(above)) return;
      this.#imply(above, observer);
    }
  }

  #imply(path: number, observer: Observer): void {
    this.touched[path] = this.#layers;
    if (this.isDirectory(path)) return;
    this.#giveWay(path, observer);
    this.node[path] = -1;
  }

  /** Makes room for a directory in the place of something else. What the other hid stays hidden. */
  #giveWay(path: number, observer: Observer): void {
    const node = this.node[path] as number;
    if (node <= 0) return;
    observer.onReplacedByDirectory?.(node - 1);
    this.file[path] = 0;
    this.#flags[path] = hides;
  }

  /** Refuses an entry below a non-directory of its own layer, which programs unpack differently. @throws LAYER_INVALID */
  #refuseOwnAncestor({ kind, path }: Change): void {
    // A marker lies in the directory whose children it hides.
    for (
      let above = kind === 'opaque' ? path : (this.table.parent[path] as number);
      above >= 0;
      above = this.table.parent[above] as number
    ) {
      if (this.touched[above] !== this.#layers) continue;
      if (this.isDirectory(above)) return;
      if (this.node[above] === 0) continue;
      const paths = this.table.paths;
      const own = paths[path] as Path;
      throw new OcislimError(
        'LAYER_INVALID',
        `${quotePath(kind === 'opaque' ? opaqueMarkerName(own) : own)} lies below ${quotePath(paths[above] as Path)}, which is not a directory in the same layer`,
        {
          advice: 'Programs unpack such a layer in different ways; rebuild it.',
        },
      );
    }
  }

  #putDirectory(change: Change, observer: Observer): void {
    const { path } = change;
    if (!this.isDirectory(path)) this.#giveWay(path, observer);
    this.node[path] = change.id + 1;
    this.touched[path] = this.#layers;
  }

  #putFile(change: Change, observer: Observer): void {
    const { path } = change;
    // The old node is removed before the link is bound: a link to itself, or to something below its own name, dangles.
    this.hide(path);
    const file = change.kind === 'link' ? this.#bind(change, observer) : change.file + 1;
    this.node[path] = change.id + 1;
    this.file[path] = file;
    this.#flags[path] = 0;
    this.touched[path] = this.#layers;
  }

  /** Binds a link to what its name means at this point: an earlier entry of its layer, else the file of a lower one. */
  #bind(link: Change, observer: Observer): number {
    if (link.file >= 0) return link.file + 1;
    const file = this.#fileNamed(link);
    if (file > 0) observer.onLink?.(link, file - 1);
    return file;
  }

  #fileNamed(link: Change): number {
    const { target } = link;
    const paths = this.table.paths;
    const text = `the hard link ${quotePath(paths[link.path] as Path)} in layer ${link.layer}`;
    if (this.node[target] !== 0) {
      if (!this.isDirectory(target)) return this.file[target] as number;
      throw new OcislimError(
        'LAYER_INVALID',
        `${text} points at a directory, ${quotePath(paths[target] as Path)}`,
      );
    }
    if (this.ground === 'unknown' && this.isUntouched(target)) return -(target + 1);
    throw new OcislimError(
      'LAYER_INVALID',
      `${text} points at ${quotePath(paths[target] as Path)}, which does not exist there`,
      {
        advice: 'The image is damaged: no program can unpack it. Rebuild it.',
      },
    );
  }
}
