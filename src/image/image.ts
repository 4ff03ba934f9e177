/**
 * Images and their plans, as plain data. This room says what an image is and what may be planned for it; it does not know how a plan
 * is carried out.
 */
import type { Effort, GzipEngine, PackedEncoding, PackedFormat } from '../codec/encoding.ts';
import { OcislimError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { Manifest } from '../oci/manifest.ts';
import { formatPlatform } from '../oci/platform.ts';
import type { Rule } from '../rules/rule.ts';
import type { Addition } from './addition.ts';
import type { ConfigEdit } from './config-edit.ts';
import type { Relayering } from './relayering.ts';
import type { TracePruning } from './trace-pruning.ts';

/**
 * The contents of a layer's tar: a source layer as it is, the rest of a contiguous range of them, or, above the source layer
 * named, what the original has and the image lacks, or what is new.
 */
export type Content =
  | { readonly kind: 'stored'; readonly layer: number }
  | { readonly kind: 'rewritten'; readonly from: number; readonly to: number }
  | { readonly kind: 'restored'; readonly above: number }
  /** Files of this machine, above the source layer named. */
  | { readonly kind: 'added'; readonly above: number; readonly addition: Addition };

/** How a layer is packed. `keep`: as its blob, or as its topmost source layer was. */
export type Encoding = { readonly kind: 'keep' } | Repacking;

export type Repacking = PackedEncoding & {
  /** The blob stays unless the new one is smaller by this much; null: unless it is smaller, where the format stays. */
  readonly minSavings: MinSavings | null;
};

/**
 * A packing that depends on the layer's own bytes. The interpreter encodes samples of them before anything is written, and
 * replaces this by the encoding that `compress/policy.ts` chooses.
 */
export interface Tuned {
  readonly kind: 'tuned';
  readonly goal: TuningGoal;
  /** Seconds of encoding for all layers of a run that have the same goal and budget. Null for no limit. */
  readonly budget: number | null;
  /** The format to choose; null for the better one. */
  readonly format: PackedFormat | null;
  /** The encoder, where gzip is chosen. */
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

/** A layer of the new image. `content` is written by `slim/` only, `encodings` by `compress/` only. */
export interface Layer {
  readonly content: Content;
  /** One encoding for each source layer, lowest first; that of the topmost counts. A squash keeps them all. */
  readonly encodings: readonly (Encoding | Tuned)[];
}

/** What to remove from a range of source layers. */
export interface Pruning {
  /** The source layers, numbered from 1. */
  readonly layers: LayerRange;
  readonly rules: readonly Rule[];
  /** Globs of what stays, whatever the rules say. */
  readonly keep: readonly string[];
  /** Whether to drop what layers above hide. */
  readonly shadowed: boolean;
  /** Globs of files whose setuid and setgid bits are cleared. */
  readonly clearSetuid: readonly string[];
  /** What happens to the package databases. */
  readonly packageDb: PackageDb;
  /** Whether reasons to refuse (the result would not run) are only warnings. */
  readonly force: boolean;
  /** Keeps what was used, and what that needs. Null for a pruning without a trace. */
  readonly trace: TracePruning | null;
}

/** `keep`: package databases stay as they are. `sync`: packages of which no file is left are taken out of them. */
export type PackageDb = 'keep' | 'sync';

/** The layout of the rewritten layers of a range. */
export interface Arrangement {
  /** The source layers, numbered from 1. */
  readonly layers: LayerRange;
  /** `similar` puts similar files side by side, which packs better. Null keeps the order of the sources. */
  readonly order: 'similar' | null;
  /** Whether files with the same contents and attributes become hard links to one of them, within a layer. */
  readonly hardlinks: boolean;
  /** Whether to rewrite layers that nothing else changes. */
  readonly always: boolean;
}

export interface LayerRange {
  readonly from: number;
  readonly to: number;
}

/** Everything that transforms may ask for, as plain data. Two images of one source are equal when their plans are. */
export interface Plan {
  readonly layers: readonly Layer[];
  readonly prunings: readonly Pruning[];
  readonly arrangements: readonly Arrangement[];
  /** How a range of layers becomes several new ones; null where every layer of the plan is one. */
  readonly relayering: Relayering | null;
  /** What to change in the config, one edit after the other. Only edits that change something are here: `configure/` adds them. */
  readonly config: readonly ConfigEdit[];
  /** Annotations to set in the new manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Whether to drop layers that become empty; their history rows are marked `empty_layer`. */
  readonly dropEmpty: boolean;
  /** Globs, as those of `keep`, of what a `restored` layer brings back. Null for everything. */
  readonly restoring: readonly string[] | null;
}

/** One image of one platform, with the plan for it. */
export interface Image {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly plan: Plan;
  /** The image that this one was pruned from, if paths are to be restored. The numbers of its layers follow those of the image's own. */
  readonly original: Image | null;
  /**
   * The previous version, where entries of it may be taken over. The numbers of its layers follow those of the image's own; an image has
   * no original then.
   */
  readonly previous: Image | null;
  /** What the image was before it was put on another base; null for one that was not. */
  readonly rebased: Rebased | null;
}

/**
 * Where an image on another base comes from. Its manifest and config are those on the new base, whose layers are its lowest ones; its
 * descriptor is still that of the source.
 */
export interface Rebased {
  /** The image as it was read. */
  readonly source: Image;
  /** The base that it was built on: the lowest layers of `source` have its DiffIDs. */
  readonly from: Image;
  readonly to: Image;
  readonly names: BaseNames;
}

/** What annotations say of the old and the new base of an image. */
export interface BaseNames {
  /** Null for an old base of which only the number of layers is known. */
  readonly from: NamedBase | null;
  readonly to: NamedBase;
}

/** A base image as annotations name it (image-spec annotations.md, "org.opencontainers.image.base"). */
export interface NamedBase {
  /** A reference to a registry; null for an image from elsewhere, which no reader of the annotation could find. */
  readonly name: string | null;
  /** The manifest of the base for this platform. */
  readonly digest: Digest;
  /** What the reference names: that manifest, or the index with it. */
  readonly root: Digest;
}

/** A pure function from image to image: it changes the plan. @throws SELECTION_INVALID, BASE_MISMATCH, … */
export type Transform = (image: Image) => Image;

/** Makes an image for which nothing is planned. */
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
      relayering: null,
      config: [],
      annotations: {},
      dropEmpty: false,
      restoring: null,
    },
    original: null,
    previous: null,
    rebased: null,
  };
}

/** Applies transforms one after the other. */
export function pipe(...transforms: readonly Transform[]): Transform {
  return (image) => transforms.reduce((result, transform) => transform(result), image);
}

/** Replaces parts of the plan. */
export function withPlan(image: Image, plan: Partial<Plan>): Image {
  return { ...image, plan: { ...image.plan, ...plan } };
}

/** Returns the source layers that went into it. Null for a `restored` layer, which holds what the original has, and for an `added` one. */
export function rangeOf(content: Content): LayerRange | null {
  switch (content.kind) {
    case 'stored':
      return { from: content.layer, to: content.layer };
    case 'rewritten':
      return { from: content.from, to: content.to };
    case 'restored':
    case 'added':
      return null;
  }
}

/** Returns the number of the topmost source layer that went into it. A `restored` or `added` layer has that of the layer below it, 0 for none. */
export function topOf(content: Content): number {
  switch (content.kind) {
    case 'stored':
      return content.layer;
    case 'rewritten':
      return content.to;
    case 'restored':
    case 'added':
      return content.above;
  }
}

/** Tells whether one of these source layers went into it. */
export function overlaps(content: Content, { from, to }: LayerRange): boolean {
  const range = rangeOf(content);
  return range !== null && range.from <= to && range.to >= from;
}

/** Returns the layer to be rewritten from its source layers. A `restored` or `added` layer is written in any case. */
export function rewritten(layer: Layer): Layer {
  const range = rangeOf(layer.content);
  return range === null ? layer : { ...layer, content: { kind: 'rewritten', ...range } };
}

/** Replaces the encodings of the selected source layers. */
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

/** Returns the encoding that counts: that of the topmost source layer. */
export function encodingOf(layer: Layer): Encoding | Tuned {
  return layer.encodings.at(-1) ?? { kind: 'keep' };
}

/** Returns the encoding of a layer whose tuning, if any, has been decided. @throws INTERNAL where it has not */
export function decidedEncodingOf(layer: Layer): Encoding {
  const encoding = encodingOf(layer);
  if (encoding.kind === 'tuned') throw new OcislimError('INTERNAL', 'a layer was not tuned before its turn');
  return encoding;
}

/** Tells whether nothing is planned: the manifest then keeps its bytes. */
export function isUntouched(image: Image): boolean {
  const { layers } = image.plan;
  return (
    layers.every((layer) => layer.content.kind === 'stored' && encodingOf(layer).kind === 'keep') &&
    !changesDocuments(image)
  );
}

/** Tells whether the config or the annotations are to change, whatever becomes of the layers. */
export function changesDocuments({
  plan: { config, annotations },
  rebased,
}: Pick<Image, 'plan' | 'rebased'>): boolean {
  return rebased !== null || config.length > 0 || Object.keys(annotations).length > 0;
}

/** Tells whether the configs of two images state the same platform, or state none. */
export function isSamePlatform(
  { config: a }: Pick<Image, 'config'>,
  { config: b }: Pick<Image, 'config'>,
): boolean {
  return JSON.stringify(a.platform) === JSON.stringify(b.platform);
}

/** Returns a source layer. The numbers of the layers of an original, or of a previous version, follow those of the image. @throws INTERNAL for any other number */
export function layerOf(
  image: Image,
  number: number,
): { readonly descriptor: Descriptor; readonly diffId: Digest } {
  const own = image.manifest.layers.length;
  const further = image.original ?? image.previous;
  if (number > own && further !== null) return layerOf(further, number - own);
  const descriptor = image.manifest.layers[number - 1];
  const diffId = image.config.diffIds[number - 1];
  if (descriptor === undefined || diffId === undefined)
    throw new OcislimError('INTERNAL', `the image has no layer ${number}`);
  return { descriptor, diffId };
}

/** Names the image in messages: by its platform, if it states one. */
export function nameOfImage(image: Image): string {
  return image.config.platform === null ? 'the image' : formatPlatform(image.config.platform);
}
