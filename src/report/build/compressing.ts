import { layerOf } from '../../image/image.ts';
import type { ImageOutcome } from '../../jobs/rewrite/run.ts';
import { blobOf, type SealedLayer, tarBytesOf } from '../../layers/write/sealed-layer.ts';
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
  const sizeBefore = sum(image.manifest.layers.map(({ size }) => size));
  if (layers === null)
    return { sizeBefore, sizeAfter: null, savedBySlimming: null, savedByPacking: null, estimated: false };
  const saved = layers.map((sealed, i) => savedBy(outcome, sealed, i));
  return {
    sizeBefore,
    sizeAfter: sum(layers.map(sizeOf)),
    savedBySlimming: sum(saved.map(({ bySlimming }) => bySlimming)),
    savedByPacking: sum(saved.map(({ byPacking }) => byPacking)),
    estimated: saved.some(({ estimated }) => estimated),
  };
}

function savedBy({ image, resolution, indexes }: ImageOutcome, sealed: SealedLayer, i: number): Saved {
  const planned = image.plan.layers[i]?.content;
  const sources = planned === undefined ? [] : numbersOf(planned);
  const before = sum(sources.map((number) => layerOf(image, number).descriptor.size));
  const all = before - sizeOf(sealed);
  if (sealed.kind === 'dropped' || planned?.kind === 'restored')
    return { bySlimming: all, byPacking: 0, estimated: false };
  const content = resolution.contents[i];
  if (content === undefined || content.kind === 'stored')
    return { bySlimming: 0, byPacking: all, estimated: false };
  const tarBefore = sum(sources.map((number) => indexes.get(number)?.tarBytes ?? 0));
  const share = tarBefore === 0 ? 0 : Math.round(before * (1 - (tarBytesOf(sealed) ?? 0) / tarBefore));
  return { bySlimming: share, byPacking: all - share, estimated: true };
}

function sizeOf(sealed: SealedLayer): number {
  return blobOf(sealed)?.size ?? 0;
}
