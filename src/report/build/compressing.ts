import { layerOf } from '../../image/image.ts';
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
  const { image, layers, manifest } = outcome;
  const sizeBefore = sum(image.manifest.layers.map(({ size }) => size));
  if (manifest === null)
    return { sizeBefore, sizeAfter: null, savedBySlimming: null, savedByPacking: null, estimated: false };
  const saved = layers.map((layer) => savedBy(outcome, layer));
  return {
    sizeBefore,
    sizeAfter: sum(layers.map(sizeOf)),
    savedBySlimming: sum(saved.map(({ bySlimming }) => bySlimming)),
    savedByPacking: sum(saved.map(({ byPacking }) => byPacking)),
    estimated: saved.some(({ estimated }) => estimated),
  };
}

function savedBy({ image, indexes }: ImageOutcome, outcome: LayerOutcome): Saved {
  const { layer, content, sealed } = outcome;
  const sources = numbersOf(layer.content);
  const before = sum(sources.map((number) => layerOf(image, number).descriptor.size));
  const all = before - sizeOf(outcome);
  if (sealed === null || sealed.kind === 'dropped' || content.kind === 'restored')
    return { bySlimming: all, byPacking: 0, estimated: false };
  if (content.kind === 'stored') return { bySlimming: 0, byPacking: all, estimated: false };
  const tarBefore = sum(sources.map((number) => indexes.get(number)?.tarBytes ?? 0));
  const share = tarBefore === 0 ? 0 : Math.round(before * (1 - (tarBytesOf(sealed) ?? 0) / tarBefore));
  return { bySlimming: share, byPacking: all - share, estimated: true };
}

function sizeOf({ sealed }: LayerOutcome): number {
  return sealed === null ? 0 : (blobOf(sealed)?.size ?? 0);
}
