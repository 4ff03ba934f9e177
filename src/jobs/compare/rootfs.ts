/**
 * The root filesystem of a stack of digested layers, over paths that both images share as numbers. `compare-rootfs.ts` builds one
 * for each image.
 */
import type { Path } from '../../bytes/path.ts';
import { type Change, ChangeList, readChanges } from '../../changeset/change.ts';
import type { PathTable } from '../../changeset/path-table.ts';
import { Tree } from '../../changeset/tree.ts';
import { at } from '../../errors.ts';
import { Filesystem, type NodeKind } from '../../rootfs/filesystem.ts';
import type { Steps } from '../../steps.ts';
import type { DigestedLayer } from '../../layers/read/digest-tar.ts';
import type { Traits } from '../../layers/read/traits.ts';

/** Layers, lowest first, with the name of the image for messages. */
export interface LabelledStack {
  readonly label: string;
  readonly layers: readonly DigestedLayer[];
}

/** The root filesystem that a stack of layers gives, with the attributes of each path. */
export class Rootfs {
  readonly tree: Tree;
  readonly #layers: readonly DigestedLayer[];
  readonly #list = new ChangeList();

  private constructor(table: PathTable, layers: readonly DigestedLayer[]) {
    this.#layers = layers;
    this.tree = new Tree(table, this.#list);
  }

  /** Applies the layers, with a pause after each. @throws LAYER_INVALID naming the image */
  static *build(table: PathTable, { label, layers }: LabelledStack): Steps<Rootfs> {
    const made = new Rootfs(table, layers);
    try {
      for (const [i, { index }] of layers.entries()) {
        made.tree.apply(readChanges(index, i + 1, table, made.#list));
        yield;
      }
    } catch (error) {
      throw at(`source ${label}`, error);
    }
    return made;
  }

  /** Returns this root filesystem as one to look around in. */
  filesystem(): Filesystem {
    const layers = new Map<number, readonly Change[]>();
    const indexes = new Map(this.#layers.map(({ index }, i) => [i + 1, index]));
    return new Filesystem({ table: this.tree.table, list: this.#list, layers }, this.tree, indexes);
  }

  /** Returns the number of the layer that a path comes from, from 1; null for a directory that is only implied. */
  layerOf(path: number): number | null {
    return this.#origin(path)?.layer ?? null;
  }

  /** Returns the layer and the entry that the contents of a path come from; null for a directory that is only implied. */
  placeOf(path: number): Pick<Change, 'layer' | 'entry'> | null {
    const origin = this.#origin(path);
    return origin === null ? null : { layer: origin.layer, entry: origin.entry };
  }

  /** Returns the kind of a path; null where nothing is. */
  kindOf(path: number): NodeKind | null {
    if (this.tree.node[path] === 0) return null;
    return (this.#origin(path)?.kind ?? 'directory') as NodeKind;
  }

  /** Returns the attributes of a path; null for a directory that is only implied by its contents. */
  traitsOf(path: number): Traits | null {
    const origin = this.#origin(path);
    return origin === null ? null : (this.#layers[origin.layer - 1] as DigestedLayer).traits.at(origin.entry);
  }

  /** Returns the length of a file's contents in bytes, holes included; 0 for anything else. */
  lengthOf(path: number): number {
    const origin = this.#origin(path);
    return origin === null
      ? 0
      : (this.#layers[origin.layer - 1] as DigestedLayer).traits.lengthAt(origin.entry);
  }

  /** Returns the name under which a layer has the attributes of a path: for a hard link, the name that it links to. */
  firstName(path: number): Path {
    return this.tree.table.paths[this.#origin(path)?.path ?? path] as Path;
  }

  /** Returns the change that the attributes of a path come from: for a hard link, the change that first carried the file. */
  #origin(path: number): Change | null {
    return this.tree.isDirectory(path)
      ? this.tree.at(path)
      : this.#list.get((this.tree.file[path] as number) - 1);
  }
}
