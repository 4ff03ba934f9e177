import { describePlatform, type LayerOutcome, type RunOutcome } from '../../jobs/rewrite/records.ts';
import { blobOf } from '../../layers/index.ts';
import type { Report } from '../report.ts';
import { sum } from './numbers.ts';

/** Reports the second manifests of images that are packed in two ways; the field is absent without them. */
export function reportVariants({ variants }: RunOutcome): Pick<Report, 'variants'> {
  if (variants.length === 0) return {};
  return {
    variants: variants.map((image) => {
      const sizes = image.layers.map(sizeOf).filter((size) => size !== null);
      return {
        platform: describePlatform(image),
        digest: image.manifest?.descriptor.digest ?? null,
        size: sizes.length === image.layers.length ? sum(sizes) : null,
      };
    }),
  };
}

function sizeOf({ sealed, estimate }: LayerOutcome): number | null {
  if (sealed === null) return estimate?.size ?? null;
  return blobOf(sealed)?.size ?? 0;
}
