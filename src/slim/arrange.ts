import {
  type Arrangement,
  type Image,
  type LayerRange,
  rangeOf,
  type Transform,
  withPlan,
} from '../image/image.ts';
import { type Selection, selectLayers } from '../image/selection.ts';

export type ArrangeOptions = Omit<Arrangement, 'layers'>;

/**
 * Lays out anew what other stages write anew of the selected layers, or (`always`) each of these. A layer of several
 * sources is arranged when one of them was selected.
 */
export function arrange(selection: Selection, options: ArrangeOptions): Transform {
  return (image: Image) => {
    if (options.order === null && !options.hardlinks) return image;
    const layers: LayerRange = selectLayers(image, selection);
    const arrangement: Arrangement = { layers, ...options };
    return withPlan(image, {
      arrangements: [...image.plan.arrangements, arrangement],
      layers: image.plan.layers.map((layer) => {
        const range = rangeOf(layer.content);
        return options.always && isWithin(range, layers)
          ? { ...layer, content: { kind: 'rewritten', ...range } }
          : layer;
      }),
    });
  };
}

/** What all arrangements that touch a range come to. */
export function arrangementOf(
  arrangements: readonly Arrangement[],
  range: LayerRange,
): Omit<Arrangement, 'layers'> {
  const own = arrangements.filter(({ layers }) => isWithin(range, layers));
  return {
    order: own.some(({ order }) => order === 'similar') ? 'similar' : null,
    hardlinks: own.some(({ hardlinks }) => hardlinks),
    always: own.some(({ always }) => always),
  };
}

function isWithin(range: LayerRange, layers: LayerRange): boolean {
  return range.from <= layers.to && range.to >= layers.from;
}
