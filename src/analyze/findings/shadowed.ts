/**
 * Findings about what upper layers hide: files that they overwrite, delete, or only give another owner, mode or time. Each pair of the
 * layer that carries the bytes and the layer that hides them is one finding of each kind.
 */
import { type Path, parentOf } from '../../bytes/path.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { isSamePrint } from '../../rootfs/facts/prints.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { WasteFinding } from '../analysis.ts';
import { fates } from '../fates.ts';
import { counted, type FindingContext, leastBytes, nameLayer, Places } from './finding.ts';

type ShadowedKind = 'overwritten' | 'deleted' | 'attributes';

/** Files of one layer that another one hides, for one reason. */
interface Group {
  readonly kind: ShadowedKind;
  readonly layer: number;
  readonly by: number;
  readonly places: Places;
  /** Bytes of files whose owner, and of files whose mode is another one above. */
  ownerBytes: number;
  modeBytes: number;
  /** The owner of the last file above: `1000:1000`. */
  owner: string;
}

export function* shadowedFindings(context: FindingContext): Steps<readonly WasteFinding[]> {
  const groups = new Map<string, Group>();
  for (const [by, hidden] of yield* lostByLayer(context)) yield* groupHidden(context, { by, hidden }, groups);
  return [...groups.values()].flatMap((group) =>
    group.places.bytes < leastBytes ? [] : [findingOf(context, group)],
  );
}

/** Lists the lost files by the layer that hides them, as pairs of numbers: the layer of each, and its entry. */
function* lostByLayer({ fates: { layers } }: FindingContext): Steps<ReadonlyMap<number, readonly number[]>> {
  const found = new Map<number, number[]>();
  for (const [layer, { lost, hiddenBy }] of [...layers].sort(([a], [b]) => a - b))
    for (let entry = 0; entry < lost.length; entry++) {
      if (entry % itemsPerStep === itemsPerStep - 1) yield;
      if (lost[entry] !== 1) continue;
      const by = hiddenBy[entry] as number;
      const list = found.get(by);
      if (list === undefined) found.set(by, [layer, entry]);
      else list.push(layer, entry);
    }
  return found;
}

/** Groups what one layer hides. */
function* groupHidden(
  context: FindingContext,
  { by, hidden }: { readonly by: number; readonly hidden: readonly number[] },
  groups: Map<string, Group>,
): Steps<void> {
  const last = lastEntries(context, by);
  for (let i = 0; i < hidden.length; i += 2) {
    if (i % itemsPerStep === 0) yield;
    const [layer, entry] = [hidden[i] as number, hidden[i + 1] as number];
    const index = context.indexes.get(layer) as LayerIndex;
    const isReplaced = context.fates.layers.get(layer)?.fate[entry] === fates.replaced;
    const path = index.paths[entry] as Path;
    const above = isReplaced ? (last[context.stack.table.idOf(path)] as number) - 1 : -1;
    const change = above < 0 ? null : attributeChange(context, { layer, entry }, { layer: by, entry: above });
    const kind = change !== null ? 'attributes' : isReplaced ? 'overwritten' : 'deleted';
    const group = groupOf(groups, kind, layer, by);
    const size = index.sizes[entry] as number;
    group.places.add(parentOf(path) === '' ? path : parentOf(path), size, layer);
    if (change === null) continue;
    if (change.owner !== null) {
      group.ownerBytes += size;
      group.owner = change.owner;
    }
    if (change.mode) group.modeBytes += size;
  }
}

function groupOf(groups: Map<string, Group>, kind: ShadowedKind, layer: number, by: number): Group {
  const key = `${kind} ${layer} ${by}`;
  let group = groups.get(key);
  if (group === undefined)
    groups.set(
      key,
      (group = { kind, layer, by, places: new Places(), ownerBytes: 0, modeBytes: 0, owner: '' }),
    );
  return group;
}

function lastEntries({ stack }: FindingContext, layer: number): Int32Array {
  const last = new Int32Array(stack.table.paths.length);
  for (const { kind, path, entry } of stack.layers.get(layer) ?? [])
    if (kind !== 'whiteout' && kind !== 'opaque') last[path] = entry + 1;
  return last;
}

interface Place {
  readonly layer: number;
  readonly entry: number;
}

/** Returns what the upper of two entries changes, if it has the contents of the lower one; null for other contents, or no change. */
function attributeChange(
  { indexes, prints }: FindingContext,
  lower: Place,
  upper: Place,
): { readonly owner: string | null; readonly mode: boolean } | null {
  const [below, above] = [indexes.get(lower.layer) as LayerIndex, indexes.get(upper.layer) as LayerIndex];
  const [print, other] = [prints.get(lower.layer), prints.get(upper.layer)];
  if (above.kinds[upper.entry] !== 'file' || print === undefined || other === undefined) return null;
  if (!isSamePrint(print, lower.entry, other, upper.entry)) return null;
  const differs = (column: 'uids' | 'gids' | 'modes' | 'mtimes') =>
    below[column][lower.entry] !== above[column][upper.entry];
  const owner = differs('uids') || differs('gids');
  const mode = differs('modes');
  if (!owner && !mode && !differs('mtimes')) return null;
  return { owner: owner ? `${above.uids[upper.entry]}:${above.gids[upper.entry]}` : null, mode };
}

function findingOf(context: FindingContext, group: Group): WasteFinding {
  const { kind, layer, by, places } = group;
  return {
    kind,
    bytes: places.bytes,
    files: places.files,
    layer,
    by,
    why: whyOf(context, group),
    places: places.heaviest(),
    dockerfile: adviceOf(context, group),
    command: ['prune', '--shadowed'],
  };
}

function whyOf(context: FindingContext, { kind, layer, by, places, ownerBytes, modeBytes }: Group): string {
  const files = `${counted(places.files, 'file')} of ${nameLayer(context, layer)}`;
  const upper = layer === by ? 'later entries of the same layer' : nameLayer(context, by);
  switch (kind) {
    case 'overwritten':
      return `${upper} ${layer === by ? 'overwrite' : 'overwrites'} ${files}, and the old contents stay in the image`;
    case 'deleted':
      return `${upper} ${layer === by ? 'delete' : 'deletes'} ${files}, and the contents stay in the image`;
    case 'attributes': {
      const what = ownerBytes > 0 ? 'owner' : modeBytes > 0 ? 'mode' : 'time';
      return `${upper} stores ${files} again only with another ${what}`;
    }
  }
}

function adviceOf(
  context: FindingContext,
  { kind, layer, by, ownerBytes, modeBytes, owner }: Group,
): string | null {
  const [lower, upper] = [context.instructions[layer - 1] ?? null, context.instructions[by - 1] ?? null];
  if (layer === by || lower === null) return null;
  const isCopy = lower.keyword === 'COPY' || lower.keyword === 'ADD';
  switch (kind) {
    case 'overwritten':
      return isCopy && upper?.keyword === lower.keyword
        ? `Copy each file once: leave out of the first ${lower.keyword} what the second brings.`
        : 'Change the files in the instruction that makes them, or make them in a stage of their own and COPY the result.';
    case 'deleted':
      return isCopy
        ? `Keep them out of the ${lower.keyword} (.dockerignore), or use RUN --mount=type=bind for what only one RUN needs.`
        : 'Delete them in the same RUN that makes them.';
    case 'attributes': {
      if (!isCopy) return 'Change owner and mode in the same RUN that makes the files.';
      const options = [
        ...(ownerBytes > 0 ? [`--chown=${owner}`] : []),
        ...(modeBytes > 0 ? ['--chmod=…'] : []),
      ];
      return options.length === 0
        ? `Leave out what touches the files again after the ${lower.keyword}.`
        : `Use ${lower.keyword} ${options.join(' ')} and leave out the ${ownerBytes > 0 ? 'chown' : 'chmod'} after it.`;
    }
  }
}
