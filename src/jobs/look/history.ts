/** The history of an image as people read it: the newest step first, each with the layer that it made. */
import { type Image, layerOf } from '../../image/image.ts';
import type { Digest } from '../../oci/digest.ts';
import { mendedHistory } from '../../image/history-rows.ts';

/** One step of the history. */
export interface HistoryLine {
  /** The layer that it made, from 1, the lowest; null for a step that made none. */
  readonly layer: number | null;
  /** The digest of that layer's blob. */
  readonly digest: Digest | null;
  /** RFC 3339, as stated. */
  readonly created: string | null;
  readonly createdBy: string | null;
  /** Bytes of the blob; 0 for a step that made no layer. */
  readonly transferBytes: number;
  readonly comment: string | null;
}

/** Lists the steps of an image, the newest first: every layer occurs once, also where the history does not tell of it. */
export function historyLines(image: Image): readonly HistoryLine[] {
  let made = 0;
  const lines = mendedHistory(image).map((row): HistoryLine => {
    const { emptyLayer, created, createdBy, json } = row;
    const comment = typeof json['comment'] === 'string' && json['comment'] !== '' ? json['comment'] : null;
    if (emptyLayer) return { layer: null, digest: null, created, createdBy, transferBytes: 0, comment };
    const layer = ++made;
    const { digest, size } = layerOf(image, layer).descriptor;
    return { layer, digest, created, createdBy, transferBytes: size, comment };
  });
  return lines.toReversed();
}
