/**
 * Layers and stacks from shorthands, and trees and changes as short texts. The tests of `changeset` and of `slim/resolve` call
 * these. They use the program's own reader, since they test what comes after it.
 */
import type { Change } from '../../src/changeset/change.ts';
import { type Below, express } from '../../src/changeset/express.ts';
import { type LayerIndex, LayerIndexBuilder } from '../../src/changeset/layer-index.ts';
import { buildStack, type Stack } from '../../src/changeset/stack.ts';
import { type Ground, Tree } from '../../src/changeset/tree.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { type Short, specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

/** Indexes a layer in short: see `layer` of the model for the shorthand. */
export async function indexOf(...entries: readonly Short[]): Promise<LayerIndex> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield writeTar(entries.map(specOf));
  }
  const reader = new TarReader(stream());
  const builder = new LayerIndexBuilder();
  for (let entry = await reader.next(); entry !== null; entry = await reader.next()) builder.add(entry);
  return builder.finish(reader.offset, reader.end);
}

/** Layers in short, lowest first, as a stack. */
export async function stackOf(...layers: readonly (readonly Short[])[]): Promise<Stack> {
  const indexes = await Promise.all(layers.map((entries) => indexOf(...entries)));
  return buildStack(new Map(indexes.map((index, i) => [i + 1, index])));
}

/** Layers `from` to `to` as a tree; over `whole`, which they are applied to as well, hard links are bound there first. */
export function treeOf(
  stack: Stack,
  from: number,
  to: number,
  ground: Ground = 'nothing',
  whole: Tree | null = null,
): Tree {
  const tree = new Tree(stack.table, stack.list, ground);
  for (let layer = from; layer <= to; layer++) {
    const changes = stack.layers.get(layer) ?? [];
    const files = new Map<number, number>();
    whole?.apply(changes, { onLink: ({ id }, file) => void files.set(id, file) });
    tree.apply(
      changes.map((change) => {
        const file = files.get(change.id);
        return file === undefined ? change : stack.list.resolve(change, file);
      }),
    );
  }
  return tree;
}

/** Lists a tree in short: `a/` a directory, `a/?` an implied one, else the kind and where its data come from. */
export function listTree(tree: Tree): string[] {
  return tree.table.paths.flatMap((path, id) => {
    if (id === 0 || tree.node[id] === 0) return [];
    if (tree.isImplied(id)) return [`${path}/?`];
    const change = tree.at(id);
    return change === null
      ? []
      : [change.kind === 'directory' ? `${path}/` : `${path} ${change.kind} ${change.layer}`];
  });
}

/** A change in short: what the entry would say in a tar, and its form where it is not verbatim. */
function showChange({ paths }: Stack['table'], change: Change): string {
  const path = paths[change.path] ?? '';
  const form = change.form === 'verbatim' ? '' : ` (${change.form})`;
  switch (change.kind) {
    case 'directory':
      return `${path}/${form}`;
    case 'whiteout':
      return `-${path}${form}`;
    case 'opaque':
      return `${path}/*${form}`;
    case 'link':
      return `${path}->${paths[change.target]}${form}`;
    case 'file':
    case 'symlink':
    case 'char':
    case 'block':
    case 'fifo':
      return `${path}=${change.layer}${form}`;
  }
}

/** Writes layers `from` to `to` as one, with what is known of those below. */
export function expressRange(
  stack: Stack,
  from: number,
  to: number,
  kind: Below['kind'],
): { readonly entries: string[]; readonly promoted: string[] } {
  const lower = treeOf(stack, 1, from - 1);
  const below: Below = kind === 'known' ? { kind, tree: lower } : { kind };
  const ground = kind === 'nothing' ? 'nothing' : 'unknown';
  const tree = treeOf(stack, from, to, ground, kind === 'known' ? lower.clone() : null);
  const own = new Set(Array.from({ length: to - from + 1 }, (_, i) => from + i));
  const { changes, promoted } = express(tree, stack.list, { below, own });
  return {
    entries: changes.map((change) => showChange(stack.table, change)),
    promoted: promoted.map(({ change, reason }) => `${stack.table.paths[change.path]}: ${reason}`),
  };
}
