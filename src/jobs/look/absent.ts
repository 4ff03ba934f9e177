/** The errors for what an image does not have, with the layers that do. The commands that look for files throw them. */
import type { Path } from '../../bytes/path.ts';
import { quotePath } from '../../bytes/path.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { OcislimError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';

/** Where a path was looked for in vain. */
export interface Sought {
  /** The layer that was looked into; null for the whole image. */
  readonly layer: number | null;
  /** Layers that hold a file of this name. */
  readonly others: readonly number[];
  /** The symlink that led to the path, if one did. */
  readonly link?: Path | undefined;
}

/** Makes the error for a path that there is not. */
export function absentFrom(label: string, path: Path, { layer, others, link }: Sought): OcislimError {
  const where = layer === null ? label : `layer ${layer} of ${label}`;
  const hidden = layer === null ? ', hidden by layers above' : '';
  const advice = `Layer ${others.join(', ')} has it${hidden}: --layer ${others.at(-1)} shows it.`;
  const leads = link === undefined ? '' : `: the symbolic link ${quotePath(link)} leads there`;
  const told = others.length === 0 ? {} : { advice };
  return new OcislimError('NOT_FOUND', `${where} has no ${quotePath(path)}${leads}`, told);
}

/** Returns the numbers of the layers that have a file, link or directory at a path, the lowest first. */
export function layersWith(path: Path, indexes: ReadonlyMap<number, LayerIndex>): readonly number[] {
  return [...indexes].flatMap(([number, { kinds, paths }]) =>
    paths.some((each, i) => each === path && !['whiteout', 'opaque', 'ignored'].includes(kinds[i] as string))
      ? [number]
      : [],
  );
}

/** @throws SELECTION_INVALID for a number that no layer of the image has */
export function checkLayer({ manifest }: Image, number: number, label: string): void {
  const count = manifest.layers.length;
  if (number <= count) return;
  throw new OcislimError('SELECTION_INVALID', `${label} has ${count} layers: there is no layer ${number}`, {
    advice: `"ocislim history ${label}" numbers them.`,
  });
}
