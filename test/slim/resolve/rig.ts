/**
 * Stacks of a test as `pruneSteps` takes them, and what it gives back as the model reads it. The tests of single steps of
 * `resolve` call these; the laws run whole plans.
 */
import type { Change } from '../../../src/changeset/change.ts';
import type { LayerIndex } from '../../../src/changeset/layer-index.ts';
import { atOnce } from '../../../src/steps.ts';
import { buildStack, type Stack } from '../../../src/changeset/stack.ts';
import type { Pruning } from '../../../src/image/image.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { type PrunedStack, pruneSteps } from '../../../src/slim/resolve/prune-stack.ts';
import { indexOf } from '../../changeset/rig.ts';
import type { LayerEntry } from '../../support/model/filesystem.ts';
import { layer, type Short, specOf } from '../../support/model/shorthand.ts';
import type { EntrySpec } from '../../support/model/tar-bytes.ts';

/** Layers as the program and as the model read them, lowest first. */
export interface BothStacks {
  readonly stack: Stack;
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  readonly model: readonly (readonly LayerEntry[])[];
}

/** Reads layers in short. */
export async function readStack(...layers: readonly (readonly Short[])[]): Promise<BothStacks> {
  return readSpecs(layers.map((entries) => entries.map(specOf)));
}

export async function readSpecs(layers: readonly (readonly EntrySpec[])[]): Promise<BothStacks> {
  const list = await Promise.all(layers.map((entries) => indexOf(...entries)));
  const indexes = new Map(list.map((index, i) => [i + 1, index]));
  return { stack: buildStack(indexes), indexes, model: layers.map((entries) => layer(...entries)) };
}

/** What a test says of a pruning. */
export interface ShortPruning {
  readonly from?: number;
  readonly to?: number;
  readonly rules?: readonly string[];
  readonly keep?: readonly string[];
  readonly shadowed?: boolean;
  readonly clearSetuid?: readonly string[];
}

/** Prunes as a plan with these prunings does. */
export function prune({ stack, indexes }: BothStacks, ...prunings: readonly ShortPruning[]): PrunedStack {
  const whole = prunings.map(
    ({ from = 1, to = indexes.size, rules = [], ...rest }): Pruning => ({
      keep: [],
      shadowed: false,
      clearSetuid: [],
      packageDb: 'keep',
      force: false,
      trace: null,
      ...rest,
      layers: { from, to },
      rules: rules.map((rule) => parseRule(rule, '--rule')),
    }),
  );
  return atOnce(pruneSteps(stack, whole, indexes));
}

/** Returns the entries that a layer's changes come to, for the model. */
export function entriesOf({ stack, model }: BothStacks, changes: readonly Change[]): readonly LayerEntry[] {
  const { paths } = stack.table;
  return changes.map((change): LayerEntry => {
    const name = paths[change.path] as string;
    if (change.form === 'made') return madeEntry(change, name);
    const source = model[change.layer - 1]?.[change.entry] as LayerEntry;
    switch (change.form) {
      case 'verbatim':
        return source;
      case 'timeless':
        return { ...source, mtime: '0' };
      case 'renamed':
        return { ...source, name };
      case 'relinked':
      case 'linked':
        return { ...source, type: 'link', name, linkname: paths[change.target] as string };
    }
  });
}

function madeEntry({ kind }: Change, path: string): LayerEntry {
  const name = kind === 'directory' ? `${path}/` : kind === 'opaque' ? opaque(path) : whiteout(path);
  const [entry] = layer({ name, mode: 0o755, ...(kind === 'directory' ? { type: 'dir' } : {}) });
  return entry as LayerEntry;
}

function whiteout(path: string): string {
  return path.replace(/[^/]*$/, '.wh.$&');
}

function opaque(path: string): string {
  return path === '' ? '.wh..wh..opq' : `${path}/.wh..wh..opq`;
}
