import type { Addition } from '../image/addition.ts';
import { type Encoding, type Image, type Transform, type Tuned, withPlan } from '../image/image.ts';

/** Adds layers on top of an image, in their order. `additionsOf` gives those of an image; all are packed alike. */
export function add(
  additionsOf: (image: Image) => readonly Addition[],
  encoding: Encoding | Tuned,
): Transform {
  return (image) => {
    const above = image.manifest.layers.length;
    const added = additionsOf(image).map((addition) => ({
      content: { kind: 'added', above, addition } as const,
      encodings: [encoding],
    }));
    return withPlan(image, { layers: [...image.plan.layers, ...added] });
  };
}
