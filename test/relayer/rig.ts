/** Images whose files are divided into components, from tables of their layers. The tests of `relayer` call it. */
import { buildStack } from '../../src/changeset/stack.ts';
import { Tree } from '../../src/changeset/tree.ts';
import {
  type DivisionOptions,
  type MappedComponent,
  componentSteps,
} from '../../src/relayer/components-of.ts';
import { noComponent } from '../../src/relayer/drafts.ts';
import { Filesystem } from '../../src/rootfs/filesystem.ts';
import { buildPackageIndex } from '../../src/rootfs/packages/package-index.ts';
import { atOnce } from '../../src/steps.ts';
import { indexOf } from '../changeset/rig.ts';
import { imageOf, type Table } from '../closure/rig.ts';
import type { EntrySpec } from '../support/model/tar-bytes.ts';

/** Components by name, each with its paths. */
export type Divided = Readonly<Record<string, readonly string[]>>;

export interface Division {
  readonly paths: Divided;
  readonly components: readonly MappedComponent[];
}

const defaults: DivisionOptions = {
  by: 'package',
  groups: [],
  maxLayer: null,
  known: new Set(),
  byLayer: true,
};

/** Divides the image of these layers, lowest first. */
export async function divide(
  layers: readonly Table[],
  options: Partial<DivisionOptions> = {},
  base = 0,
): Promise<Division> {
  const { facts } = await imageOf(...layers);
  const indexes = new Map(
    await Promise.all(layers.map(async (table, i) => [i + 1, await indexOf(...entriesOf(table))] as const)),
  );
  const stack = buildStack(indexes);
  const tree = new Tree(stack.table, stack.list);
  for (const [, changes] of stack.layers) tree.apply(changes);
  const packages = buildPackageIndex(new Filesystem(stack, tree, indexes), facts);
  const { components, of } = atOnce(
    componentSteps({ stack, tree, indexes, packages, base }, { ...defaults, ...options }),
  );
  const paths: Record<string, string[]> = {};
  of.forEach((number, id) => {
    if (number === noComponent) return;
    (paths[components[number]?.name ?? '?'] ??= []).push(stack.table.paths[id] as string);
  });
  return { paths, components };
}

function entriesOf(table: Table): EntrySpec[] {
  return Object.entries(table).map(([name, thing]) =>
    typeof thing === 'string'
      ? name.endsWith('/')
        ? { name, type: 'dir' as const }
        : { name, body: Buffer.from(thing, 'latin1') }
      : { name, ...thing.entry },
  );
}
