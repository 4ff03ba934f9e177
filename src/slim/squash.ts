import {
  type Image,
  type Layer,
  type LayerRange,
  overlaps,
  rangeOf,
  type Transform,
  withPlan,
} from '../image/image.ts';
import { type Selection, selectLayers, selectsNothing } from '../image/selection.ts';

/**
 * Merges the selected layers into one. The layers below and above stay as they are, and so does a range of one layer. A range
 * that overlaps an earlier one includes all of it. @throws SELECTION_INVALID, BASE_MISMATCH
 */
export function squash(selection: Selection): Transform {
  return (image: Image) => {
    if (selectsNothing(image, selection)) return image;
    const selected = selectLayers(image, selection);
    const inside = image.plan.layers.filter((layer) => overlaps(layer.content, selected));
    // A single layer has nothing to merge with: it keeps its blob and digest.
    if (inside.length < 2) return image;
    return withPlan(image, { layers: mergeLayers(image, selected).layers });
  };
}

/** Makes one layer of those that a selection overlaps. Returns the layers of the new plan, and the source layers of the one. */
export function mergeLayers(
  image: Image,
  selected: LayerRange,
): { readonly layers: readonly Layer[]; readonly range: LayerRange } {
  const inside = image.plan.layers.filter((layer) => overlaps(layer.content, selected));
  const ranges = inside.flatMap((layer) => rangeOf(layer.content) ?? []);
  const range = {
    from: ranges.reduce((least, { from }) => Math.min(least, from), Infinity),
    to: ranges.reduce((most, { to }) => Math.max(most, to), 0),
  };
  const merged: Layer = {
    content: { kind: 'rewritten', ...range },
    encodings: inside.flatMap((layer) => layer.encodings),
  };
  const layers = image.plan.layers.flatMap((layer) =>
    layer === inside[0] ? [merged] : inside.includes(layer) ? [] : [layer],
  );
  return { layers, range };
}
