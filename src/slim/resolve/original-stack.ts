/**
 * A stack of layers applied as it is. `pruneSteps` begins with it: which entries are visible, and which hard links lead from
 * one layer to another, shows only once all layers have been applied.
 */
import type { Change } from '../../changeset/change.ts';
import type { Stack } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';

export interface OriginalStack {
  /** The stack with every hard link bound to its file. */
  readonly stack: Stack;
  /** All layers applied: the root filesystem of the image. */
  readonly tree: Tree;
  readonly crossings: LayerCrossings;
  /** Changes, by id, whose place a directory of a higher layer has taken. */
  readonly gaveWay: ReadonlySet<number>;
}

/** Applies all layers of a stack, bottom to top. @throws LAYER_INVALID */
export function applyOriginal({ table, list, layers }: Stack): OriginalStack {
  const tree = new Tree(table, list);
  const crossings = new LayerCrossings();
  const gaveWay = new Set<number>();
  const bound = new Map<number, readonly Change[]>();
  for (const [layer, changes] of layers) {
    tree.apply(changes, {
      onLink: (link, file) => {
        list.resolve(link, file);
        crossings.note(list.get(link.id), tree.at(link.target));
      },
      onReplacedByDirectory: (id) => void gaveWay.add(id),
    });
    bound.set(
      layer,
      changes.map(({ id }) => list.get(id)),
    );
  }
  return { stack: { table, list, layers: bound }, tree, crossings, gaveWay };
}

/** The hard links that lead to a file of a lower layer, each with the change that it found at its target. */
export class LayerCrossings {
  readonly #crossings: { readonly link: Change; readonly named: Change }[] = [];

  note(link: Change, named: Change | null): void {
    if (named !== null && named.layer !== link.layer) this.#crossings.push({ link, named });
  }

  /** Returns the changes, each once, that a link of an unselected layer finds in a selected one: they must stay. */
  namedFromOutside(isSelected: (layer: number) => boolean): readonly Change[] {
    const crossings = this.#crossings.filter(
      ({ link, named }) => !isSelected(link.layer) && isSelected(named.layer),
    );
    return [...new Set(crossings.map(({ named }) => named))];
  }

  linksOf(layer: number): readonly Change[] {
    return this.#crossings.map(({ link }) => link).filter((link) => link.layer === layer);
  }
}
