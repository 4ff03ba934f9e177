import { type Image, type Layer, rangeOf, type Transform, withPlan } from '../image/image.ts';
import { type Selection, selectLayers } from '../image/selection.ts';

/**
 * Merges the selected layers into one. The layers below and above stay as they are. A range of one layer is that
 * layer. Ranges that overlap earlier ones take them in whole.
 */
export function squash(selection: Selection): Transform {
  return (image: Image) => {
    const { from, to } = selectLayers(image, selection);
    const inside = image.plan.layers.filter((layer) => overlaps(layer, from, to));
    if (inside.length < 2) return image;
    const merged: Layer = {
      content: {
        kind: 'rewritten',
        from: Math.min(...inside.map((layer) => rangeOf(layer.content).from)),
        to: Math.max(...inside.map((layer) => rangeOf(layer.content).to)),
      },
      encodings: inside.flatMap((layer) => layer.encodings),
    };
    const layers = image.plan.layers.flatMap((layer) =>
      layer === inside[0] ? [merged] : inside.includes(layer) ? [] : [layer],
    );
    return withPlan(image, { layers });
  };
}

function overlaps(layer: Layer, from: number, to: number): boolean {
  const range = rangeOf(layer.content);
  return range.from <= to && range.to >= from;
}
