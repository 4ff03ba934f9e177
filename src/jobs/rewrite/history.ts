/**
 * The history of a new image (image-spec config.md, "history"): one row for each layer, with the rows that made no layer
 * where they were. `assemble` writes it, and the resolution takes the times of new directories from it.
 */
import { OcislimError } from '../../errors.ts';
import { type Image, type LayerRange, nameOfImage, rangeOf } from '../../image/image.ts';
import type { HistoryRow } from '../../oci/image-config.ts';
import type { JsonObject } from '../../oci/json.ts';
import type { ResolvedImage, WrittenImage } from './records.ts';

/**
 * Refuses to rewrite a history whose rows are not those of the layers. Such a history stays as it is while every layer keeps
 * its place; once layers go or become one, no rule tells whose rows those are.
 * @throws MANIFEST_INVALID
 */
export function requireHistory({ image, layers }: Pick<ResolvedImage, 'image' | 'layers'>): void {
  const { config, plan } = image;
  const filled = filledRows(image).length;
  if (config.history.length === 0 || filled === config.diffIds.length) return;
  const isStructural = layers.some(
    ({ content }) =>
      content.kind === 'edited' &&
      (content.range.from !== content.range.to || (content.isEmpty && plan.dropEmpty)),
  );
  if (!isStructural) return;
  const told = `${filled} ${filled === 1 ? 'layer' : 'layers'}`;
  throw new OcislimError(
    'MANIFEST_INVALID',
    `the history of ${nameOfImage(image)} tells of ${told}, but the image has ${config.diffIds.length}`,
    { advice: 'Such a history cannot be rewritten; build the image again.' },
  );
}

/**
 * Returns the rows of the new history; null for an image without a history. `created` (RFC 3339) replaces the time of new
 * rows.
 */
export function assembleHistory(
  { image, layers }: WrittenImage,
  created: string | null,
): JsonObject[] | null {
  const { history, diffIds } = image.config;
  if (history.length === 0) return null;
  const filled = filledRows(image);
  if (filled.length !== diffIds.length) return history.map((row) => row.json);
  // Source layer number → what its row becomes. The topmost row of a range stands for the whole range.
  const fate = new Map<number, (row: HistoryRow) => JsonObject[]>();
  const added: JsonObject[] = [];
  for (const { layer, sealed } of layers) {
    const range = rangeOf(layer.content);
    if (range === null) {
      if (sealed.kind !== 'dropped') added.push(restoredRow(image, created ?? newest(filled)));
      continue;
    }
    const replaced = filled.slice(range.from - 1, range.to);
    for (let number = range.from; number < range.to; number++) fate.set(number, () => []);
    fate.set(range.to, (row) => {
      if (sealed.kind === 'dropped') return [{ ...row.json, empty_layer: true }];
      return [replaced.length === 1 ? row.json : mergedRow(range, replaced, created ?? newest(replaced))];
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
  const filled = filledRows(image);
  const isTold = range !== null && filled.length === diffIds.length;
  const row = isTold ? newest(filled.slice(range.from - 1, range.to)) : null;
  const created = row ?? (typeof json['created'] === 'string' ? json['created'] : null);
  const seconds = epoch ?? (created === null ? 0 : Math.floor(Date.parse(created) / 1000));
  // Octal header fields end at 8^11.
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 8 ** 11 - 1) : 0;
}

/** Returns the rows that made a layer. */
function filledRows({ config }: Image): HistoryRow[] {
  return config.history.filter((row) => !row.emptyLayer);
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

function mergedRow(range: LayerRange, replaced: readonly HistoryRow[], created: string | null): JsonObject {
  const names = replaced.map((row) => row.createdBy ?? '(unnamed)');
  return {
    ...(created === null ? {} : { created }),
    created_by: `ocislim squash of layers ${range.from}..${range.to}`,
    comment: `replaces: ${names.join('; ')}`,
  };
}

function newest(rows: readonly HistoryRow[]): string | null {
  let best: string | null = null;
  for (const { created } of rows) {
    if (created === null || Number.isNaN(Date.parse(created))) continue;
    if (best === null || Date.parse(created) >= Date.parse(best)) best = created;
  }
  return best;
}
