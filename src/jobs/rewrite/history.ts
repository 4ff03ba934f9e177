/**
 * The history of a new image (image-spec config.md, "history"): one row for each layer, with the rows that made no layer
 * where they were. `assemble` writes it, and the resolution takes the times of new directories from it.
 */
import type { Listener } from '../../events.ts';
import { filledRows, mendedHistory } from '../../image/history-rows.ts';
import { type Content, type Image, type LayerRange, nameOfImage, rangeOf } from '../../image/image.ts';
import type { HistoryRow } from '../../oci/image-config.ts';
import type { JsonObject } from '../../oci/json.ts';
import type { LayerPart } from '../../slim/resolve/resolve.ts';
import type { ResolvedImage, ResolvedLayer, WrittenImage } from './records.ts';

/**
 * Warns of a history whose rows are not those of the layers, where it must be mended. It stays as it is while every layer keeps
 * its place; once layers come, go or become one, every row must be that of a layer.
 */
export function warnOfHistory(
  { image, layers }: Pick<ResolvedImage, 'image' | 'layers'>,
  listener: Listener,
): void {
  const { config } = image;
  const filled = filledRows(config.history).length;
  if (config.history.length === 0 || filled === config.diffIds.length || !isStructural(image, layers)) return;
  const told = `${filled} ${filled === 1 ? 'layer' : 'layers'}`;
  const mended =
    filled < config.diffIds.length
      ? 'rows are added for the uppermost'
      : 'the uppermost rows no longer count';
  listener({
    type: 'warning',
    code: 'HISTORY_MENDED',
    message: `the history of ${nameOfImage(image)} tells of ${told}, but the image has ${config.diffIds.length}: ${mended}`,
  });
}

/** Returns whether layers come, go or become one. */
export function isStructural({ plan }: Image, layers: readonly Pick<ResolvedLayer, 'content'>[]): boolean {
  return layers.some(({ content }) => {
    if (content.kind === 'restored' || content.kind === 'added') return true;
    if (content.kind !== 'edited') return false;
    const isOne = content.range.from === content.range.to && content.part === undefined;
    return !isOne || (content.isEmpty && plan.dropEmpty);
  });
}

/**
 * Returns the rows of the new history; null for an image without a history. `created` (RFC 3339) replaces the time of new
 * rows.
 */
export function assembleHistory(
  { image, layers }: WrittenImage,
  created: string | null,
): JsonObject[] | null {
  const { diffIds } = image.config;
  // An image without layers has no history yet; one with layers is left without one.
  if (image.config.history.length === 0 && (diffIds.length > 0 || !isBuilt(image))) return null;
  const isWhole = filledRows(image.config.history).length === diffIds.length;
  if (!isWhole && !isStructural(image, layers)) return image.config.history.map((row) => row.json);
  const history = mendedHistory(image);
  const filled = filledRows(history);
  // Source layer number → what its row becomes. The topmost row of a range stands for the whole range.
  const fate = new Map<number, (row: HistoryRow) => JsonObject[]>();
  const added: JsonObject[] = [];
  for (const { layer, content, sealed } of layers) {
    const range = rangeOf(layer.content);
    if (range === null) {
      if (sealed.kind !== 'dropped') added.push(newRow(image, layer.content, created ?? newestTime(filled)));
      continue;
    }
    const replaced = filled.slice(range.from - 1, range.to);
    const part = content.kind === 'edited' ? content.part : undefined;
    if (part !== undefined && part.number > 1) {
      const before = fate.get(range.to) ?? (() => []);
      const row = sealed.kind === 'dropped' ? [] : [partRow(range, part, created ?? newestTime(replaced))];
      fate.set(range.to, (of) => [...before(of), ...row]);
      continue;
    }
    for (let number = range.from; number < range.to; number++) fate.set(number, () => []);
    fate.set(range.to, (row) => {
      if (sealed.kind === 'dropped') return [{ ...row.json, empty_layer: true }];
      if (part !== undefined) return [partRow(range, part, created ?? newestTime(replaced))];
      return [replaced.length === 1 ? row.json : mergedRow(range, replaced, created ?? newestTime(replaced))];
    });
  }
  let number = 0;
  const rows = history.flatMap((row) => (row.emptyLayer ? [row.json] : (fate.get(++number)?.(row) ?? [])));
  return [...rows, ...added];
}

/**
 * Returns the time for new entries of a rewritten layer, that of the newest row that the layer replaces. A null range is that
 * of a restored layer, which replaces no row. Seconds since 1970; `epoch` (SOURCE_DATE_EPOCH) comes first if it is set.
 */
export function timeOf(image: Image, range: LayerRange | null, epoch: number | null): number {
  const { diffIds, json } = image.config;
  const filled = filledRows(image.config.history);
  const isTold = range !== null && filled.length === diffIds.length;
  const row = isTold ? newestTime(filled.slice(range.from - 1, range.to)) : null;
  const created = row ?? (typeof json['created'] === 'string' ? json['created'] : null);
  const seconds = epoch ?? (created === null ? 0 : Math.floor(Date.parse(created) / 1000));
  // Octal header fields end at 8^11.
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 8 ** 11 - 1) : 0;
}

/** Returns whether layers are added to an image. */
export function isBuilt({ plan }: Image): boolean {
  return plan.layers.some(({ content }) => content.kind === 'added');
}

/** Makes the row of a layer that replaces none. It names no file of this machine: the same layer has the same row wherever it is made. */
function newRow(image: Image, content: Content, created: string | null): JsonObject {
  if (content.kind !== 'added') return restoredRow(image, created);
  const own = image.config.json['created'];
  const time = created ?? (typeof own === 'string' ? own : null);
  const { createdBy } = content.addition;
  return { ...(time === null ? {} : { created: time }), created_by: createdBy };
}

function restoredRow(image: Image, created: string | null): JsonObject {
  const { restoring } = image.plan;
  const paths = restoring === null ? '' : ` ${restoring.map((glob) => `--path ${glob}`).join(' ')}`;
  return {
    ...(created === null ? {} : { created }),
    created_by: `ocislim restore${paths}`,
    comment: `from ${image.original?.descriptor.digest ?? 'its original'}`,
  };
}

/** Component names that a row lists. */
const listedComponents = 12;

/** Makes the row of one of several layers that replace a range. */
function partRow(range: LayerRange, part: LayerPart, created: string | null): JsonObject {
  const { number, count, components } = part;
  const more = components.length - listedComponents;
  const names = components.slice(0, listedComponents).join(', ');
  return {
    ...(created === null ? {} : { created }),
    created_by: `ocislim relayer of layers ${range.from}..${range.to}, ${number} of ${count}`,
    comment: `holds: ${names}${more > 0 ? ` and ${more} more` : ''}`,
  };
}

function mergedRow(range: LayerRange, replaced: readonly HistoryRow[], created: string | null): JsonObject {
  const names = replaced.map((row) => row.createdBy ?? '(unnamed)');
  return {
    ...(created === null ? {} : { created }),
    created_by: `ocislim squash of layers ${range.from}..${range.to}`,
    comment: `replaces: ${names.join('; ')}`,
  };
}

/** Returns the latest time that rows state; null where none states one. */
export function newestTime(rows: readonly HistoryRow[]): string | null {
  let best: string | null = null;
  for (const { created } of rows) {
    if (created === null || Number.isNaN(Date.parse(created))) continue;
    if (best === null || Date.parse(created) >= Date.parse(best)) best = created;
  }
  return best;
}
