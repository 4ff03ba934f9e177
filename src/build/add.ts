import type { Addition } from '../image/addition.ts';
import { OcislimError } from '../errors.ts';
import {
  type Encoding,
  type Image,
  nameOfImage,
  type Transform,
  type Tuned,
  withPlan,
} from '../image/image.ts';

/**
 * Adds layers on top of an image, in their order. `additionsOf` gives those of an image; all are packed alike.
 * @throws UNSUPPORTED for an image of Windows
 */
export function add(
  additionsOf: (image: Image) => readonly Addition[],
  encoding: Encoding | Tuned,
): Transform {
  return (image) => {
    // Their files lie below `Files/`, beside the hives of the registry.
    if (image.config.json['os'] === 'windows')
      throw new OcislimError(
        'UNSUPPORTED',
        `layers of Windows have a form of their own: nothing can be added to ${nameOfImage(image)}`,
        {
          advice: 'Select other platforms by --platform, or build this image on Windows.',
        },
      );
    const above = image.manifest.layers.length;
    const added = additionsOf(image).map((addition) => ({
      content: { kind: 'added', above, addition } as const,
      encodings: [encoding],
    }));
    return withPlan(image, { layers: [...image.plan.layers, ...added] });
  };
}
