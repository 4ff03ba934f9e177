/**
 * The part of the report about the bytes of all layers, before and after, and what saved them. `build.ts` calls it for each
 * image.
 */
import { type Image, layerOf, topOf } from '../../image/image.ts';
import type { ImageOutcome, LayerOutcome } from '../../jobs/rewrite/records.ts';
import { blobOf, tarBytesOf } from '../../layers/index.ts';
import type { PlatformReport } from '../report.ts';
import { numbersOf } from './layers.ts';
import { sum } from './numbers.ts';

type CompressingReport = PlatformReport['compressing'];

/** The bytes that one layer saves, by cause. */
interface Saved {
  readonly bySlimming: number;
  readonly byPacking: number;
  /** Whether both causes had a share, which can only be estimated. */
  readonly estimated: boolean;
}

/**
 * Reports how many bytes packing and slimming saved. The numbers are exact for a layer that went through one of them. For a layer
 * that went through both, the share of slimming is estimated by the ratio at which its source layers were packed.
 */
export function reportCompressing(outcome: ImageOutcome): CompressingReport {
  const { image, layers } = outcome;
  const { manifest } = image.rebased?.source ?? image;
  const sizeBefore = sum(manifest.layers.map(({ size }) => size));
  const saved = [...Map.groupBy(layers, ({ layer }) => layer).values()].map((same) => savedBy(outcome, same));
  return {
    sizeBefore,
    sizeAfter: sum(layers.map((layer) => sizeOf(image, layer))),
    ...errorIn(layers),
    // Another base is larger or smaller: nothing was saved.
    savedBySlimming: sum(saved.map(({ bySlimming }) => bySlimming)),
    savedByPacking: sum(saved.map(({ byPacking }) => byPacking)),
    estimated: saved.some(({ estimated }) => estimated),
  };
}

/** Reports what the layers that one of the plan became save together. */
function savedBy({ image, indexes }: ImageOutcome, outcomes: readonly LayerOutcome[]): Saved {
  const { layer, content, sealed } = outcomes[0] as LayerOutcome;
  const sources = numbersOf(layer.content);
  const before = sum(sources.map((number) => layerOf(image, number).descriptor.size));
  const all = before - sum(outcomes.map((outcome) => sizeOf(image, outcome)));
  if (content.kind === 'added') return { bySlimming: 0, byPacking: 0, estimated: false };
  const isDropped =
    sealed === null ? content.kind !== 'stored' && content.isEmpty : sealed.kind === 'dropped';
  if (isDropped || content.kind === 'restored') return { bySlimming: all, byPacking: 0, estimated: false };
  if (content.kind === 'stored') return { bySlimming: 0, byPacking: all, estimated: false };
  const tarBytes = sum(outcomes.map(tarBytesOfLayer));
  const tarBefore = sum(sources.map((number) => indexes.get(number)?.tarBytes ?? 0));
  const share = tarBefore === 0 ? 0 : Math.round(before * (1 - tarBytes / tarBefore));
  return { bySlimming: share, byPacking: all - share, estimated: true };
}

function tarBytesOfLayer({ sealed, estimate }: LayerOutcome): number {
  return (sealed === null ? estimate?.tarBytes : tarBytesOf(sealed)) ?? 0;
}

/** Returns the bytes of a layer's blob: in a dry run an estimate, or the size of the blob that stays. */
function sizeOf(image: Image, { layer, sealed, content, estimate }: LayerOutcome): number {
  if (sealed !== null) return blobOf(sealed)?.size ?? 0;
  if (estimate !== undefined) return estimate.size;
  return content.kind === 'stored' ? layerOf(image, topOf(layer.content)).descriptor.size : 0;
}

/** Reports how far the estimates of a dry run may be off together. They tend to the same side, so that their errors add up. */
function errorIn(layers: readonly LayerOutcome[]): Pick<CompressingReport, 'sizeAfterError'> {
  return layers.some(({ estimate }) => estimate !== undefined)
    ? { sizeAfterError: sum(layers.map(({ estimate }) => estimate?.error ?? 0)) }
    : {};
}
