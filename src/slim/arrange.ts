import {
  type Arrangement,
  type Content,
  type Image,
  type LayerRange,
  overlaps,
  rewritten,
  type Transform,
  withPlan,
} from '../image/image.ts';
import { type Selection, selectLayers, selectsNothing } from '../image/selection.ts';

/** How to arrange layers. The layers themselves come from the selection. */
export type ArrangeOptions = Omit<Arrangement, 'layers'>;

/**
 * Arranges the selected layers that other stages rewrite, or (`always`) rewrites each of them. A layer of several sources is
 * arranged if one of them was selected. @throws SELECTION_INVALID, BASE_MISMATCH
 */
export function arrange(selection: Selection, options: ArrangeOptions): Transform {
  return (image: Image) => {
    if (options.order === null && !options.hardlinks) return image;
    if (selectsNothing(image, selection)) return image;
    const layers: LayerRange = selectLayers(image, selection);
    const arrangement: Arrangement = { layers, ...options };
    return withPlan(image, {
      arrangements: [...image.plan.arrangements, arrangement],
      layers: image.plan.layers.map((layer) =>
        options.always && overlaps(layer.content, layers) ? rewritten(layer) : layer,
      ),
    });
  };
}

/**
 * Combines all arrangements that select a source of this content: an option is on if one of them sets it. `resolve` asks once
 * for each layer of the plan.
 */
export function arrangementOf(
  arrangements: readonly Arrangement[],
  content: Content,
): Omit<Arrangement, 'layers'> {
  const own = arrangements.filter(({ layers }) => overlaps(content, layers));
  return {
    order: own.some(({ order }) => order === 'similar') ? 'similar' : null,
    hardlinks: own.some(({ hardlinks }) => hardlinks),
    always: own.some(({ always }) => always),
  };
}
