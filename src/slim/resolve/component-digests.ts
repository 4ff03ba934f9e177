import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { Stack } from '../../changeset/stack.ts';
import type { Tree } from '../../changeset/tree.ts';
import type { ComponentMap } from '../../relayer/components-of.ts';
import { noComponent } from '../../relayer/drafts.ts';
import { fnv1a } from '../../relayer/fnv.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';

/**
 * Digests what the headers say of the files of each component: names, kinds, sizes, attributes and times. Where these are equal, the
 * bytes in a layer hardly ever differ; a digest that is wrong costs a better layout, and nothing else. Returns them by name.
 */
export function* digestSteps(
  { components, of }: ComponentMap,
  { stack, tree, indexes }: StackedFiles,
): Steps<ReadonlyMap<string, string>> {
  const { table, list } = stack;
  const sums = new Uint32Array(components.length);
  for (let path = 0; path < of.length; path++) {
    if (path % itemsPerStep === 0) yield;
    const component = of[path] as number;
    const file = tree.file[path] as number;
    // The layer of a component has no empty directories.
    if (component === noComponent || file <= 0) continue;
    const carrier = list.get(file - 1);
    const index = indexes.get(carrier.layer);
    const about = index === undefined ? '' : describe(index, carrier.entry);
    // Chained, so that the order counts: paths come in the order of the table, which is that of their bytes.
    sums[component] = fnv1a(`${sums[component]} ${table.paths[path]} ${about}`);
  }
  return new Map(components.map(({ name }, i) => [name, (sums[i] as number).toString(36)] as const));
}

interface StackedFiles {
  readonly stack: Stack;
  /** The tree of all layers of the stack. */
  readonly tree: Tree;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
}

function describe({ kinds, sizes, modes, uids, gids, mtimes, symlinks }: LayerIndex, entry: number): string {
  const numbers = [sizes, modes, uids, gids, mtimes].map((column) => column[entry]);
  return `${kinds[entry]} ${numbers.join(' ')} ${symlinks.get(entry) ?? ''}`;
}
