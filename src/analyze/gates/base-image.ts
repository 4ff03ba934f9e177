/** The gate about the base image: by the layers that it has, or by what annotations state. The table of gates has it. */
import { baseDigest, baseName } from '../../oci/base-annotations.ts';
import { breach, type Gate, type KnownBase } from './gate.ts';
import { listed } from './names.ts';

/** Names images. The lowest layers of the image must be those of one of them, or its annotations must state one of them. */
export const baseImages: Gate<readonly string[]> = {
  title: 'The image is built on one of the allowed base images',
  isDeep: false,
  judge: (allowed, { analysis, annotations, bases }) => {
    const diffIds = analysis.layers.map(({ diffId }) => diffId);
    if (bases.some((base) => isBelow(base, diffIds))) return [];
    const stated = annotations[baseDigest] ?? analysis.image.config.labels[baseDigest];
    if (stated !== undefined && bases.some(({ digests }) => digests.some((digest) => digest === stated)))
      return [];
    const name = annotations[baseName] ?? analysis.image.config.labels[baseName];
    const said = name === undefined ? '' : ` (its annotations name ${name})`;
    return [
      breach(`the lowest layers are of no allowed base image${said}: ${listed(allowed)}`, {
        fix: 'Build FROM one of them, in its newest version',
        layer: 1,
      }),
    ];
  },
};

/** Whether the layers of a base are the lowest ones of an image. One without layers is below everything, and proves nothing. */
function isBelow({ diffIds }: KnownBase, layers: readonly string[]): boolean {
  return diffIds.length > 0 && diffIds.every((diffId, i) => layers[i] === diffId);
}
