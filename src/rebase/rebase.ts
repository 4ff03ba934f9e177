/**
 * The room that puts the layers of an application on another base image. This file, its face, makes the transform; beside it are the
 * config and the history on the new base, what images state of their base, and the check whether the result would run.
 */
import { OcislimError } from '../errors.ts';
import {
  type BaseNames,
  type Image,
  isUntouched,
  nameOfImage,
  readImage,
  type Transform,
} from '../image/image.ts';
import { originAnnotations } from '../image/origin.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { encodeJson, isJsonObject, type JsonObject } from '../oci/json.ts';
import { readImageConfig } from '../oci/image-config.ts';
import { mergeConfig } from './merge-config.ts';
import { mergeHistory } from './merge-history.ts';
import { withTrueBase, writeBase } from './stated-base.ts';

/** The base that an image was built on, and the one to put it on. */
export interface Bases {
  readonly from: Image;
  readonly to: Image;
  /** How the old base was named, for messages. */
  readonly fromName: string;
  readonly names: BaseNames;
}

/**
 * Makes the transform that puts images on new bases. What is on its new base already stays as it is, byte for byte.
 * @throws BASE_MISMATCH where the old base is not below an image
 */
export function rebase(basesOf: (image: Image) => Bases): Transform {
  return (image) => {
    if (!isUntouched(image)) throw new OcislimError('INTERNAL', 'an image is put on its base first');
    return onBase(image, basesOf(image));
  };
}

function onBase(source: Image, bases: Bases): Image {
  requireBelow(source, bases);
  const { from, to, names } = bases;
  // Whatever the image says of what it was built on stays.
  if (from.descriptor.digest === to.descriptor.digest) return source;
  const config = configOn(source, bases);
  const manifest = manifestOn(source, bases);
  const isSame =
    JSON.stringify(config.json) === JSON.stringify(source.config.json) &&
    JSON.stringify(manifest.json) === JSON.stringify(source.manifest.json);
  if (isSame) return source;
  return {
    ...readImage(source.descriptor, manifest, config),
    rebased: { source, from, to, names },
  };
}

/**
 * Refuses an old base that is not below an image. DiffIDs decide, since a base may have been packed again.
 * @throws BASE_MISMATCH with the layer at which they part
 */
function requireBelow(image: Image, { from, fromName }: Bases): void {
  const [own, base] = [image.config.diffIds, from.config.diffIds];
  const at = base.findIndex((diffId, i) => own[i] !== diffId);
  if (at < 0) return;
  const has = own[at] === undefined ? `the image has ${own.length} layers only` : `the image has ${own[at]}`;
  throw new OcislimError(
    'BASE_MISMATCH',
    `${nameOfImage(image)} is not built on ${fromName}: at layer ${at + 1} of ${base.length} the base has ${base[at]}, and ${has}`,
    {
      advice:
        'Name the very image that it was built on, by its digest if the tag has moved on: --old-base NAME@sha256:…. Where layers of the base were squashed or rewritten, build the image again instead.',
    },
  );
}

/**
 * Makes an old base of the lowest layers of an image, whose own image is gone. Its config is not known: it is empty, so that every value of the
 * image stays. @throws BASE_MISMATCH for more layers than the image has
 */
export function lowestLayers(image: Image, count: number): Image {
  const { manifest, config, descriptor } = image;
  if (count > config.diffIds.length)
    throw new OcislimError(
      'BASE_MISMATCH',
      `--old-base-layers ${count}: ${nameOfImage(image)} has ${config.diffIds.length} layers only`,
      { advice: '"ocislim history" shows what the layers are made of.' },
    );
  const diffIds = config.diffIds.slice(0, count);
  const json: JsonObject = { config: {}, rootfs: { type: 'layers', diff_ids: diffIds } };
  const bytes = encodeJson(json);
  const base = readImageConfig({ json, bytes }, count, `the lowest layers of ${nameOfImage(image)}`);
  return readImage(descriptor, { ...manifest, layers: manifest.layers.slice(0, count) }, base);
}

function configOn(source: Image, bases: Bases): Image['config'] {
  const { from, to, names } = bases;
  const merged = mergeConfig({ app: source.config.json, from: from.config.json, to: to.config.json });
  const history = mergeHistory(source, from, to);
  const above = source.config.diffIds.slice(from.config.diffIds.length);
  const rootfs = isJsonObject(source.config.json['rootfs']) ? source.config.json['rootfs'] : {};
  const json: JsonObject = {
    ...withTrueBase(merged, { names, to }),
    rootfs: { ...rootfs, diff_ids: [...to.config.diffIds, ...above] },
  };
  if (history !== null) json['history'] = history;
  const isSame = JSON.stringify(json) === JSON.stringify(source.config.json);
  const bytes = isSame ? source.config.bytes : encodeJson(json);
  const count = to.config.diffIds.length + above.length;
  return readImageConfig({ json, bytes }, count, `the config of ${nameOfImage(source)} on its new base`);
}

/** Returns the manifest on the new base. Layers that both bases have keep the blobs of the image. */
function manifestOn(source: Image, { from, to, names }: Bases): Image['manifest'] {
  const { manifest } = source;
  const shared = to.config.diffIds.findIndex((diffId, i) => from.config.diffIds[i] !== diffId);
  const kept = shared < 0 ? to.config.diffIds.length : shared;
  const layers: readonly Descriptor[] = [
    ...manifest.layers.slice(0, kept),
    ...to.manifest.layers.slice(kept),
    ...manifest.layers.slice(from.config.diffIds.length),
  ];
  const isSame =
    layers.every((layer, i) => layer === manifest.layers[i]) && layers.length === manifest.layers.length;
  const written = writeBase(manifest.json['annotations'], names, isSame ? 'stated' : 'always');
  // What was pruned on another base cannot be put back from there.
  const annotations = Object.fromEntries(
    Object.entries(written).filter(
      ([key]) => isSame || !Object.values<string>(originAnnotations).includes(key),
    ),
  );
  const json: JsonObject = { ...manifest.json, layers: layers.map((layer) => layer.json) };
  if (Object.keys(annotations).length > 0) json['annotations'] = annotations;
  else if (!isSame) delete json['annotations'];
  return isSame && written === (manifest.json['annotations'] ?? written)
    ? manifest
    : { ...manifest, layers, json };
}
