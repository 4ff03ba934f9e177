/**
 * The records of a run, one for each image with one for each of its layers. Every step of `run` adds to them what it has
 * found out, and the last ones are the outcome.
 */
import type { LayerIndex } from '../../changeset/layer-index.ts';
import type { PackedEncoding } from '../../codec/encoding.ts';
import type { Image, Layer } from '../../image/image.ts';
import type { SealedLayer } from '../../layers/write/sealed-layer.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { Adoption, RawManifest } from '../../place/place.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';
import type { RebaseFindings } from '../../rebase/findings.ts';
import type { Resolution, ResolvedContent } from '../../slim/resolve/resolve.ts';
import type { ImageMember, ImageSet } from '../image-set.ts';
import type { Assembled } from './assemble.ts';
import type { ArtifactOutcome } from './carry-artifacts.ts';
import type { LayerEstimate } from './estimate-layers.ts';
import type { BudgetUse, LayerTuning } from './tune-layers.ts';

/** An image with its plan. */
export interface PlannedImage {
  readonly member: ImageMember;
  readonly image: Image;
  readonly platform: Platform | null;
  /** Whether it is a second manifest for an image that is packed in two ways. Default: no. */
  readonly isVariant?: true;
}

/** A layer of the plan, and what it will hold. */
export interface ResolvedLayer {
  readonly layer: Layer;
  readonly content: ResolvedContent;
}

/** An image whose headers have been read. */
export interface ResolvedImage extends PlannedImage {
  readonly resolution: Resolution;
  /** By number of the source layer, for the layers that were read. */
  readonly indexes: ReadonlyMap<number, LayerIndex>;
  /** By number of the source layer. */
  readonly facts: ReadonlyMap<number, LayerFacts>;
  /** In the order of the plan, lowest first. */
  readonly layers: readonly ResolvedLayer[];
  /** What was found on a new base; absent for an image that was not examined there. */
  readonly rebasing?: RebaseFindings;
}

/** A layer whose encoding is decided. */
export interface DecidedLayer extends ResolvedLayer {
  /** The grounds of the decision; null for a layer that was not tuned. */
  readonly tuning: LayerTuning | null;
}

/** An image with no encoding left to decide. */
export interface DecidedImage extends ResolvedImage {
  readonly layers: readonly DecidedLayer[];
}

/** A layer at the target. */
export interface WrittenLayer extends DecidedLayer {
  readonly sealed: SealedLayer;
}

/** An image whose layers are at the target. */
export interface WrittenImage extends DecidedImage {
  readonly layers: readonly WrittenLayer[];
}

/** An image with its new manifest and config. */
export interface AssembledImage extends WrittenImage {
  readonly assembled: Assembled;
}

/** What a run led to for one layer. */
export interface LayerOutcome extends DecidedLayer {
  /** Null in a dry run. */
  readonly sealed: SealedLayer | null;
  /** What a dry run expects of a layer that it would write. */
  readonly estimate?: LayerEstimate;
}

/** What a run led to for one image. */
export interface ImageOutcome extends Omit<DecidedImage, 'layers'> {
  readonly layers: readonly LayerOutcome[];
  /** Null in a dry run. */
  readonly manifest: RawManifest | null;
  /** The config that the manifest names; null in a dry run. */
  readonly config: Assembled['config'] | null;
}

/** What a run led to. */
export interface RunOutcome {
  readonly set: ImageSet;
  readonly images: readonly ImageOutcome[];
  /** The manifest or index that is now published; null in a dry run. */
  readonly root: RawManifest | null;
  /** The second manifests of images that are packed in two ways. They are not among `images`. */
  readonly variants: readonly ImageOutcome[];
  /** The artifacts about the source, as far as they were looked for, and what became of each. */
  readonly artifacts: readonly ArtifactOutcome[];
  /** The encodings of new blobs, each once. */
  readonly encodings: readonly PackedEncoding[];
  readonly budgets: readonly BudgetUse[];
  /** Bytes of layers that were read to be unpacked. */
  readonly downloaded: number;
  /** What was copied beside images. */
  readonly others: Readonly<OtherBytes>;
  /** Null without a cache. */
  readonly cache: CacheUse | null;
}

/** Bytes of blobs that are no layers of images (artifacts, attestations, caches of builds), by how they came to the target. */
export type OtherBytes = Record<Adoption, number>;

/** What came from where in a run with a cache. Bytes. */
export interface CacheUse {
  /** Bytes from the source itself, of any kind. */
  readonly downloaded: number;
  /** Bytes from the cache: blobs of the source, and layers that an earlier run had made. */
  readonly reused: number;
}

/** Formats the platform of an image; null where it is not known. */
export function describePlatform({ platform }: Pick<ImageOutcome, 'platform'>): string | null {
  return platform === null ? null : formatPlatform(platform);
}

/** Sets the second manifests of images that are packed in two ways apart from the others. */
export function apart<T extends Pick<PlannedImage, 'isVariant'>>(
  all: readonly T[],
): { readonly images: readonly T[]; readonly variants: readonly T[] } {
  return {
    images: all.filter(({ isVariant }) => isVariant !== true),
    variants: all.filter(({ isVariant }) => isVariant === true),
  };
}
