/**
 * Digests what the files of each component are, so that the next version tells which components changed. `relayer-range.ts` puts the digests into
 * the note of the layout.
 */
import type { NewContents } from '../../changeset/edit.ts';
import type { Change } from '../../changeset/change.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { Stack } from '../../changeset/stack.ts';
import type { Tree } from '../../changeset/tree.ts';
import type { ComponentMap } from '../../relayer/components-of.ts';
import { noComponent } from '../../relayer/drafts.ts';
import { fnv1a } from '../../relayer/fnv.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import { identityText } from '../../rootfs/facts/identities.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';

/** The files of an image, and what is known of them. */
export interface DigestedFiles {
  readonly stack: Stack;
  /** The tree of all layers of the stack. */
  readonly tree: Tree;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  /** With the identities of entries, by source layer number. */
  readonly facts: ReadonlyMap<number, Pick<LayerFacts, 'identities'>>;
  /** New permission bits by change id. */
  readonly modes: ReadonlyMap<number, number>;
  /** New contents by file. */
  readonly contents: ReadonlyMap<number, NewContents>;
}

/**
 * Digests what the files of each component are: names, kinds, modes, owners, attributes, link targets and contents, and no times, so that
 * a rebuild of the same has the same digest. A digest that is wrong costs a better layout, and nothing else. Returns them by name.
 */
export function* digestSteps(
  { components, of }: ComponentMap,
  files: DigestedFiles,
): Steps<ReadonlyMap<string, string>> {
  const { stack, tree } = files;
  const { table, list } = stack;
  const sums = new Uint32Array(components.length);
  for (let path = 0; path < of.length; path++) {
    if (path % itemsPerStep === 0) yield;
    const component = of[path] as number;
    const file = tree.file[path] as number;
    // The layer of a component has no empty directories.
    if (component === noComponent || file <= 0) continue;
    const about = describe(list.get(file - 1), files);
    // Chained, so that the order counts: paths come in the order of the table, which is that of their bytes.
    sums[component] = fnv1a(`${sums[component]} ${table.paths[path]} ${about}`);
  }
  return new Map(components.map(({ name }, i) => [name, (sums[i] as number).toString(36)] as const));
}

/** Describes a file. Bits of its kind that some writers put into a mode do not count. */
function describe(carrier: Change, { indexes, facts, modes, contents }: DigestedFiles): string {
  const { id, layer, entry, file } = carrier;
  const index = indexes.get(layer);
  if (index === undefined) return '';
  const mode = (modes.get(id) ?? index.modes[entry] ?? 0) & 0o7777;
  const owner = `${index.uids[entry]} ${index.gids[entry]}`;
  const edited = contents.get(file);
  const identities = facts.get(layer)?.identities ?? null;
  const known = identities === null ? index.symlinks.get(entry) : identityText(identities, entry);
  return `${index.kinds[entry]} ${mode} ${owner} ${edited?.digest ?? `${index.sizes[entry]} ${known ?? ''}`}`;
}
