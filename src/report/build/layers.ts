/**
 * The part of the report about layers: what each layer of the new image was made from, and what was done. `build.ts` calls it for
 * each image.
 */
import {
  type Content,
  type Image,
  type Layer,
  layerOf,
  numbersIn,
  rangeOf,
  topOf,
} from '../../image/image.ts';
import type { ImageOutcome, LayerOutcome } from '../../jobs/rewrite/records.ts';
import {
  actionOf,
  compressionOf,
  type KeptLayer,
  type LayerAction as SealedAction,
  type SealedLayer,
  tarBytesOf,
} from '../../layers/index.ts';
import { type Family, layerMediaType } from '../../oci/media-type.ts';
import type { LayerAction, LayerReport } from '../report.ts';
import { reportTuning } from './packing-choice.ts';

type ResultLayer = NonNullable<LayerReport['after']>;
type SourceLayer = LayerReport['before'][number];

const actionNames: Record<SealedAction, LayerAction> = {
  present: 'kept',
  mounted: 'mounted',
  copied: 'copied',
  rewritten: 'rewritten',
  recompressed: 'recompressed',
  'not-smaller': 'kept-not-smaller',
  dropped: 'dropped',
};

/** Reports the layers of an image, lowest first. */
export function reportLayers(outcome: ImageOutcome): LayerReport[] {
  return outcome.layers.map((each) => {
    const { layer, sealed, tuning } = each;
    const before = sourcesOf(each).map((number) => reportSource(outcome, number, sealed));
    const written =
      sealed === null ? planned(outcome.image, each, before) : finished(outcome, layer, sealed, before);
    const { estimate } = each;
    return {
      action: written.action,
      before,
      after: written.after,
      ...(estimate === undefined
        ? {}
        : { estimate: { size: estimate.size, error: estimate.error, stays: estimate.stays } }),
      ...(tuning === null ? {} : { tuning: reportTuning(tuning) }),
    };
  });
}

/** Returns the numbers of the source layers that went into a layer; none for one that is restored. */
export function numbersOf(content: Content): readonly number[] {
  const range = rangeOf(content);
  return range === null ? [] : numbersIn(range);
}

/** Returns the numbers of the source layers to report of a layer. Of several that are made of the same ones, the lowest has them. */
function sourcesOf({ layer, content }: LayerOutcome): readonly number[] {
  const isFurther = content.kind === 'edited' && content.part !== undefined && content.part.number > 1;
  return isFurther ? [] : numbersOf(layer.content);
}

/** Reports a layer of a dry run. */
function planned(
  image: Image,
  { layer, content }: LayerOutcome,
  before: readonly SourceLayer[],
): Pick<LayerReport, 'action' | 'after'> {
  if (content.kind === 'restored') return { action: content.isEmpty ? 'dropped' : 'planned', after: null };
  if (content.kind === 'added') return { action: 'planned', after: null };
  const stays = content.kind === 'stored' && layer.encodings.at(-1)?.kind === 'keep';
  if (!stays) return { action: 'planned', after: null };
  const { descriptor, diffId } = layerOf(image, topOf(layer.content));
  const { digest, mediaType, size } = descriptor;
  const uncompressedSize = before[0]?.uncompressedSize ?? null;
  return { action: 'kept', after: { digest, mediaType, size, uncompressedSize, diffId } };
}

/** Reports a layer at the target. */
function finished(
  outcome: ImageOutcome,
  layer: Layer,
  sealed: SealedLayer,
  before: readonly SourceLayer[],
): Pick<LayerReport, 'action' | 'after'> {
  if (sealed.kind === 'dropped') return { action: 'dropped', after: null };
  const { digest, size } = sealed.blob;
  const known = before.length === 1 ? (before[0]?.uncompressedSize ?? null) : null;
  const after: ResultLayer = {
    digest,
    mediaType: mediaTypeOf(outcome, layer, sealed),
    size,
    uncompressedSize: tarBytesOf(sealed) ?? known,
    diffId: sealed.diffId,
  };
  return { action: layer.content.kind === 'added' ? 'added' : actionNames[actionOf(sealed)], after };
}

function mediaTypeOf({ image, manifest }: ImageOutcome, layer: Layer, sealed: KeptLayer): string {
  // A layer that is restored below all source layers takes the media type of the first, if it has none of its own.
  const compression = compressionOf(sealed);
  const family: Family = manifest?.descriptor.mediaType.includes('docker') === true ? 'docker' : 'oci';
  const own = compression === null ? null : layerMediaType(family, compression);
  return own ?? layerOf(image, Math.max(topOf(layer.content), 1)).descriptor.mediaType;
}

function reportSource(
  { image, indexes }: ImageOutcome,
  number: number,
  sealed: SealedLayer | null,
): SourceLayer {
  const { descriptor, diffId } = layerOf(image, number);
  // The tar of a layer that was only packed again is that of its source.
  const unpacked = sealed === null || isRewritten(sealed) ? null : tarBytesOf(sealed);
  return {
    number,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    size: descriptor.size,
    uncompressedSize: indexes.get(number)?.tarBytes ?? unpacked,
    diffId,
    createdBy: historyOf(image, number),
  };
}

function isRewritten(sealed: SealedLayer): boolean {
  switch (sealed.kind) {
    case 'unchanged':
      return false;
    case 'repacked':
    case 'recalled':
      return sealed.change === 'rewritten';
    case 'dropped':
      return true;
  }
}

/** Returns what the history says of a layer; null where history and layers do not match (image-spec config.md). */
function historyOf({ config }: Image, number: number): string | null {
  const filled = config.history.filter((row) => !row.emptyLayer);
  return filled.length === config.diffIds.length ? (filled[number - 1]?.createdBy ?? null) : null;
}
