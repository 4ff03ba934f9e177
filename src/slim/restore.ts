import { OcislimError } from '../errors.ts';
import { type Image, isUntouched, nameOfImage, type Transform, withPlan } from '../image/image.ts';
import { parseRule } from '../rules/rules.ts';

export interface RestoreOptions {
  /** Returns what an image was pruned from; null where that is not known: the image then stays as it is. */
  readonly originalOf: (image: Image) => Image | null;
  /** Globs, as those of `keep`, of what to restore. Null for everything. */
  readonly paths: readonly string[] | null;
}

/**
 * Restores what pruning removed as one layer on top. Which paths these are shows once the headers of both images have been
 * read.
 * @throws RULES_INVALID
 */
export function restore({ originalOf, paths }: RestoreOptions): Transform {
  for (const glob of paths ?? []) parseRule(glob, '--path');
  return (image) => {
    const original = originalOf(image);
    if (original === null) return image;
    if (!isUntouched(image))
      throw new OcislimError(
        'UNSUPPORTED',
        `${nameOfImage(image)}: restoring cannot be combined with other changes`,
      );
    const { layers } = image.plan;
    const above = image.manifest.layers.length;
    const restored = withPlan(image, {
      layers: [...layers, { content: { kind: 'restored', above }, encodings: [{ kind: 'keep' }] }],
      restoring: paths,
    });
    return { ...restored, original };
  };
}
