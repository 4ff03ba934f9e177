import { OcislimError } from '../errors.ts';
import { type Image, isUntouched, nameOfImage, type Transform, withPlan } from '../image/image.ts';
import { parseRule } from '../rules/rules.ts';

export interface RestoreOptions {
  /** What each image was pruned from; null where that is not known: it stays as it is. */
  readonly originalOf: (image: Image) => Image | null;
  /** Globs of what comes back, as those of `keep`; null for everything. */
  readonly paths: readonly string[] | null;
}

/**
 * Puts what pruning removed back as one layer on top. Which paths those are shows when the headers of both images have
 * been read.
 * @throws RULES_INVALID
 */
export function restore({ originalOf, paths }: RestoreOptions): Transform {
  for (const glob of paths ?? []) parseRule(glob, '--path');
  return (image) => {
    const original = originalOf(image);
    if (original === null) return image;
    if (!isUntouched(image))
      throw new OcislimError('UNSUPPORTED', `${nameOfImage(image)}: restoring is a run of its own`);
    const { layers } = image.plan;
    const above = image.manifest.layers.length;
    const restored = withPlan(image, {
      layers: [...layers, { content: { kind: 'restored', above }, encodings: [{ kind: 'keep' }] }],
      restoring: paths,
    });
    return { ...restored, original };
  };
}
