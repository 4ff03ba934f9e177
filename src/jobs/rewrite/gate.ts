import { OcislimError } from '../../errors.ts';
import { blobOf } from '../../layers/write/sealed-layer.ts';
import type { WrittenImage } from './records.ts';

/** Refuses a result whose layer blobs together do not shrink by this share of their size; null for any result. @throws GATE */
export function requireSavings(required: number | null, images: readonly WrittenImage[]): void {
  if (required === null) return;
  const before = images
    .flatMap(({ image }) => image.manifest.layers)
    .reduce((sum, { size }) => sum + size, 0);
  const after = images
    .flatMap(({ layers }) => layers)
    .reduce((sum, { sealed }) => sum + (blobOf(sealed)?.size ?? 0), 0);
  if (before - after >= before * required) return;
  const share = before === 0 ? 0 : (100 * (before - after)) / before;
  const change = share < 0 ? `grow by ${(-share).toFixed(1)} %` : `shrink by ${share.toFixed(1)} % only`;
  throw new OcislimError(
    'GATE',
    `the layers ${change}, but should shrink by ${(required * 100).toFixed(1)} %; nothing was published`,
  );
}
