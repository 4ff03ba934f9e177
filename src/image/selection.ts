/**
 * Chooses the source layers that a stage works on. The transforms of `slim` and `compress` call it; the commands parse the options
 * that say which.
 */
import { OcislimError } from '../errors.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { type Image, type LayerRange, nameOfImage } from './image.ts';

/** The source layers that a stage works on. Layers are numbered from 1, the lowest. */
export type Selection =
  | { readonly kind: 'all' }
  | { readonly kind: 'last'; readonly count: number }
  | { readonly kind: 'from'; readonly layer: number | Digest }
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  /** Everything above the layers of a base image, given by the DiffIDs of its layers for each platform. */
  | { readonly kind: 'base'; readonly name: string; readonly diffIds: (image: Image) => readonly Digest[] };

/** Returns whether a stage has nothing to work on: it takes all layers, and the image has none. */
export function selectsNothing(image: Image, selection: Selection): boolean {
  return selection.kind === 'all' && image.manifest.layers.length === 0;
}

/** Returns the selected layers, at least one. @throws SELECTION_INVALID, BASE_MISMATCH naming the platform */
export function selectLayers(image: Image, selection: Selection): LayerRange {
  const count = image.manifest.layers.length;
  const name = nameOfImage(image);
  if (count === 0) throw new OcislimError('SELECTION_INVALID', `${name} has no layers`);
  switch (selection.kind) {
    case 'all':
      return { from: 1, to: count };
    case 'last':
      if (selection.count > count) throw outOfRange(name, `the last ${selection.count}`, count);
      return { from: count - selection.count + 1, to: count };
    case 'from':
      return { from: findLayer(image, selection.layer, name, count), to: count };
    case 'range':
      if (selection.to > count) throw outOfRange(name, `${selection.from}..${selection.to}`, count);
      return { from: selection.from, to: selection.to };
    case 'base':
      return { from: aboveBase(image, selection.name, selection.diffIds(image)), to: count };
  }
}

function findLayer(image: Image, layer: number | Digest, name: string, count: number): number {
  if (typeof layer === 'number') {
    if (layer > count) throw outOfRange(name, `from ${layer}`, count);
    return layer;
  }
  const byDigest = image.manifest.layers.findIndex((descriptor) => descriptor.digest === layer);
  const found = byDigest >= 0 ? byDigest : image.config.diffIds.indexOf(layer);
  if (found < 0)
    throw new OcislimError('SELECTION_INVALID', `${name} has no layer with the digest or DiffID ${layer}`);
  return found + 1;
}

/** Returns the number of the lowest layer above those of a base. @throws BASE_MISMATCH, SELECTION_INVALID */
function aboveBase(image: Image, baseName: string, base: readonly Digest[]): number {
  const name = nameOfImage(image);
  const { diffIds } = image.config;
  const differs = base.findIndex((diffId, i) => diffIds[i] !== diffId);
  if (differs >= 0) {
    throw new OcislimError(
      'BASE_MISMATCH',
      `${name} is not built on ${baseName}: their layers ${differs + 1} differ`,
      {
        advice:
          'Give the very base image that this image was built from (the base tag may have moved since), or select by --layers.',
      },
    );
  }
  if (base.length >= image.manifest.layers.length)
    throw new OcislimError('SELECTION_INVALID', `${name} has no layer above those of ${baseName}`);
  return base.length + 1;
}

function outOfRange(name: string, asked: string, count: number): OcislimError {
  return new OcislimError(
    'SELECTION_INVALID',
    `${name} has ${count === 1 ? 'one layer' : `${count} layers`}: cannot select ${asked}`,
  );
}

/** Reads `A..B`, `A..` or `A`. @throws USAGE */
export function parseRange(text: string): Selection {
  const match = /^([0-9]+)(?:(\.\.)([0-9]+)?)?$/.exec(text);
  const from = Number(match?.[1]);
  const to = match?.[2] === undefined ? from : match[3] === undefined ? null : Number(match[3]);
  if (match === null || from < 1 || (to !== null && to < from)) {
    throw new OcislimError('USAGE', `not a range of layers: ${JSON.stringify(text)}`, {
      advice: 'Write A..B, A.. or A; layers count from 1, the lowest.',
    });
  }
  return to === null ? { kind: 'from', layer: from } : { kind: 'range', from, to };
}

/** Reads a layer number or a digest. @throws USAGE */
export function parseLayer(text: string): Selection {
  if (isDigest(text)) return { kind: 'from', layer: text };
  if (!/^[1-9][0-9]*$/.test(text))
    throw new OcislimError('USAGE', `not a layer: ${JSON.stringify(text)}`, {
      advice: 'Give its number (1 is the lowest) or its digest.',
    });
  return { kind: 'from', layer: Number(text) };
}
