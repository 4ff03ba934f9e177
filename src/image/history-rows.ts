import type { HistoryRow } from '../oci/image-config.ts';
import type { Image } from './image.ts';

/** Returns the rows that made a layer. */
export function filledRows(history: readonly HistoryRow[]): HistoryRow[] {
  return history.filter((row) => !row.emptyLayer);
}

/**
 * Returns the history with a row for each layer, as BuildKit mends it: of too many rows the uppermost become rows without a layer;
 * where some are missing, rows are added for the uppermost layers.
 */
export function mendedHistory({ config }: Image): readonly HistoryRow[] {
  const { history, diffIds, json } = config;
  let count = 0;
  const rows = history.map((row): HistoryRow => {
    if (row.emptyLayer || ++count <= diffIds.length) return row;
    return { ...row, emptyLayer: true, json: { ...row.json, empty_layer: true } };
  });
  const created = typeof json['created'] === 'string' ? json['created'] : null;
  const missing: HistoryRow = {
    emptyLayer: false,
    created,
    createdBy: null,
    json: { ...(created === null ? {} : { created }), comment: 'the history did not tell of this layer' },
  };
  const added = Array.from({ length: Math.max(diffIds.length - count, 0) }, () => missing);
  return [...rows, ...added];
}
