import {
  type Image,
  type LayerRange,
  type Pruning,
  rangeOf,
  type Transform,
  withPlan,
} from '../image/image.ts';
import type { Rule } from '../image/rule.ts';
import { type Selection, selectLayers } from '../image/selection.ts';

export interface PruneOptions {
  readonly rules?: readonly Rule[];
  readonly keep?: readonly string[];
  readonly shadowed?: boolean;
  readonly clearSetuid?: readonly string[];
}

/** Takes out of the selected layers what the options say. What that is shows when their headers have been read. */
export function prune(selection: Selection, options: PruneOptions): Transform {
  return (image: Image) => {
    const layers: LayerRange = selectLayers(image, selection);
    const pruning: Pruning = {
      layers,
      rules: options.rules ?? [],
      keep: options.keep ?? [],
      shadowed: options.shadowed ?? false,
      clearSetuid: options.clearSetuid ?? [],
    };
    return withPlan(image, {
      prunings: [...image.plan.prunings, pruning],
      layers: image.plan.layers.map((layer) => {
        const range = rangeOf(layer.content);
        const selected = range.from <= layers.to && range.to >= layers.from;
        return selected ? { ...layer, content: { kind: 'rewritten', ...range } } : layer;
      }),
    });
  };
}
