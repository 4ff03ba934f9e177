import type { Effort, GzipEngine, PackedEncoding, PackedFormat } from '../codec/encoding.ts';
import { OcislimError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { Manifest } from '../oci/manifest.ts';
import { formatPlatform } from '../oci/platform.ts';
import type { Rule } from '../rules/rule.ts';
import type { TracePruning } from './trace-pruning.ts';

/**
 * What the tar of a layer holds: a source layer as it is, what is left of a contiguous range of them, or, above the
 * source layer named, what the original has and the image has not.
 */
export type Content =
  | { readonly kind: 'stored'; readonly layer: number }
  | { readonly kind: 'rewritten'; readonly from: number; readonly to: number }
  | { readonly kind: 'restored'; readonly above: number };

/** How a layer is packed. `keep`: as its blob is, or as its topmost source layer was. */
export type Encoding = { readonly kind: 'keep' } | Repacking;

export type Repacking = PackedEncoding & {
  /** The blob stays unless the new one is smaller by this much; null: unless it is smaller, where the format stays. */
  readonly minSavings: MinSavings | null;
};

/**
 * A packing that the layer's own bytes decide: whoever runs the plan tries out samples of them (`compress/policy.ts` says
 * what follows), and puts what was chosen in its place.
 */
export interface Tuned {
  readonly kind: 'tuned';
  readonly goal: TuningGoal;
  /** Seconds of encoding for all layers of a run that have the same goal and budget; null for as long as it takes. */
  readonly budget: number | null;
  /** What comes out; null for the better of the two. */
  readonly format: PackedFormat | null;
  /** Of what comes out as gzip. */
  readonly engine: GzipEngine;
  readonly minSavings: MinSavings | null;
}

/** `size`: as few bytes as `effort` gives. `pull`: the least time for transfer and unpacking. */
export type TuningGoal =
  | { readonly kind: 'size'; readonly effort: Effort }
  | { readonly kind: 'pull'; readonly bytesPerSecond: number };

export type { Effort };

export type MinSavings =
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'ratio'; readonly ratio: number };

/** A layer of the image to come. `content` is written by `slim/` only, `encodings` by `compress/` only. */
export interface Layer {
  readonly content: Content;
  /** One for each source layer, lowest first; the topmost is what counts. A squash carries them on. */
  readonly encodings: readonly (Encoding | Tuned)[];
}

/** What to take out of a range of source layers. */
export interface Pruning {
  /** Source layer numbers, from 1. */
  readonly layers: LayerRange;
  readonly rules: readonly Rule[];
  /** Globs of what stays whatever the rules say. */
  readonly keep: readonly string[];
  /** Drop what layers above hide. */
  readonly shadowed: boolean;
  /** Globs of files whose setuid and setgid bits are cleared. */
  readonly clearSetuid: readonly string[];
  /** Keep what was used, and what that needs; null for no such thing. */
  readonly trace: TracePruning | null;
}

/** How the layers of a range that are written anew are laid out. */
export interface Arrangement {
  /** Source layer numbers, from 1. */
  readonly layers: LayerRange;
  /** `similar`: what packs well together stands together. Null: as the sources have it. */
  readonly order: 'similar' | null;
  /** Do files that are the same in all attributes become hard links to one of them, within a layer? */
  readonly hardlinks: boolean;
  /** Are layers written anew that nothing else changes? */
  readonly always: boolean;
}

export interface LayerRange {
  readonly from: number;
  readonly to: number;
}

/** What the new manifest and config say besides. */
export interface Labelling {
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a transform may ask for, as plain data. Two images of one source are equal when their plans are. */
export interface Plan {
  readonly layers: readonly Layer[];
  readonly prunings: readonly Pruning[];
  readonly arrangements: readonly Arrangement[];
  readonly labelling: Labelling;
  /** Layers that become empty go, with their history rows marked `empty_layer`. */
  readonly dropEmpty: boolean;
  /** What a `restored` layer brings back: globs, as those of `keep`; null for everything. */
  readonly restoring: readonly string[] | null;
}

/** One image of one platform: what it is, and what is to become of it. */
export interface Image {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly plan: Plan;
  /** What the image was pruned from, where removed paths are to come back. Its layers are numbered on after the image's own. */
  readonly original: Image | null;
}

/** A pure function from image to image: it changes the plan. @throws SELECTION_INVALID, BASE_MISMATCH, … */
export type Transform = (image: Image) => Image;

/** An image with nothing planned for it. */
export function readImage(descriptor: Descriptor, manifest: Manifest, config: ImageConfig): Image {
  const layers = manifest.layers.map(
    (_, i): Layer => ({ content: { kind: 'stored', layer: i + 1 }, encodings: [{ kind: 'keep' }] }),
  );
  return {
    descriptor,
    manifest,
    config,
    plan: {
      layers,
      prunings: [],
      arrangements: [],
      labelling: { annotations: {}, labels: {} },
      dropEmpty: false,
      restoring: null,
    },
    original: null,
  };
}

export function pipe(...transforms: readonly Transform[]): Transform {
  return (image) => transforms.reduce((result, transform) => transform(result), image);
}

export function withPlan(image: Image, plan: Partial<Plan>): Image {
  return { ...image, plan: { ...image.plan, ...plan } };
}

/** Returns the source layers that went into it. Null for a `restored` layer: what it holds is from the original. */
export function rangeOf(content: Content): LayerRange | null {
  switch (content.kind) {
    case 'stored':
      return { from: content.layer, to: content.layer };
    case 'rewritten':
      return { from: content.from, to: content.to };
    case 'restored':
      return null;
  }
}

/** Returns the number of the topmost source layer that went into it. A `restored` layer has that of the layer below it, 0 for none. */
export function topOf(content: Content): number {
  switch (content.kind) {
    case 'stored':
      return content.layer;
    case 'rewritten':
      return content.to;
    case 'restored':
      return content.above;
  }
}

/** Tells whether one of these source layers went into it. */
export function overlaps(content: Content, { from, to }: LayerRange): boolean {
  const range = rangeOf(content);
  return range !== null && range.from <= to && range.to >= from;
}

/** Returns the layer to be written anew from its source layers. A `restored` layer is written in any case. */
export function rewritten(layer: Layer): Layer {
  const range = rangeOf(layer.content);
  return range === null ? layer : { ...layer, content: { kind: 'rewritten', ...range } };
}

/** Puts encodings in the place of those of the selected source layers. */
export function withEncodings(
  layer: Layer,
  { from, to }: LayerRange,
  encodingOf: (number: number, before: Encoding | Tuned) => Encoding | Tuned,
): Layer {
  const range = rangeOf(layer.content);
  if (range === null) return layer;
  const encodings = layer.encodings.map((before, i) => {
    const number = range.from + i;
    return number >= from && number <= to ? encodingOf(number, before) : before;
  });
  return { ...layer, encodings };
}

/** Returns the numbers of a range. */
export function numbersIn({ from, to }: LayerRange): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** The encoding that counts: that of the topmost source layer. */
export function encodingOf(layer: Layer): Encoding | Tuned {
  return layer.encodings.at(-1) ?? { kind: 'keep' };
}

/** The encoding of a layer whose tuning, if any, has been decided. */
export function decidedEncodingOf(layer: Layer): Encoding {
  const encoding = encodingOf(layer);
  if (encoding.kind === 'tuned') throw new OcislimError('INTERNAL', 'a layer was not tuned before its turn');
  return encoding;
}

/** Is nothing at all planned? Then the manifest keeps its bytes. */
export function isUntouched(image: Image): boolean {
  const { layers, labelling } = image.plan;
  return (
    layers.every((layer) => layer.content.kind === 'stored' && encodingOf(layer).kind === 'keep') &&
    Object.keys(labelling.annotations).length === 0 &&
    Object.keys(labelling.labels).length === 0
  );
}

/** A source layer, or one of the original, numbered on. */
export function layerOf(
  image: Image,
  number: number,
): { readonly descriptor: Descriptor; readonly diffId: Digest } {
  const own = image.manifest.layers.length;
  if (number > own && image.original !== null) return layerOf(image.original, number - own);
  const descriptor = image.manifest.layers[number - 1];
  const diffId = image.config.diffIds[number - 1];
  if (descriptor === undefined || diffId === undefined)
    throw new OcislimError('INTERNAL', `the image has no layer ${number}`);
  return { descriptor, diffId };
}

/** For messages: the platform, or what stands in for it. */
export function nameOfImage(image: Image): string {
  return image.config.platform === null ? 'the image' : formatPlatform(image.config.platform);
}
