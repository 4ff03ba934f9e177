import type { Image } from '../image/image.ts';
import { mendedHistory } from '../image/history-rows.ts';
import type { HistoryRow } from '../oci/image-config.ts';
import type { JsonObject } from '../oci/json.ts';
import { sameValue } from './same-value.ts';

/**
 * Returns the history on the new base: the rows of that base, then those of the application (image-spec config.md, "history"). Null for
 * an image that has none.
 */
export function mergeHistory(app: Image, from: Image, to: Image): JsonObject[] | null {
  if (app.config.history.length === 0) return null;
  const rows = mendedHistory(app);
  const own = rows.slice(endOfBase(rows, from));
  return [...mendedHistory(to), ...own].map(({ json }) => json);
}

/**
 * Returns how many rows are of the base. Where the image does not begin with the very rows of its base, those up to the last one of a
 * layer count: later rows without a layer may be either's, and stay.
 */
function endOfBase(rows: readonly HistoryRow[], { config }: Image): number {
  const { history, diffIds } = config;
  const filled = (some: readonly HistoryRow[]): number => some.filter((row) => !row.emptyLayer).length;
  const isBelow = history.every((row, i) => sameValue(row.json, rows[i]?.json));
  if (isBelow && filled(history) === diffIds.length) return history.length;
  let count = 0;
  if (diffIds.length === 0) return 0;
  return rows.findIndex((row) => !row.emptyLayer && ++count === diffIds.length) + 1;
}
