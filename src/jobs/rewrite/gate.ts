/** The gate of --require-savings, on the sizes of all layer blobs together. Runs throw it, and dry runs report it by their estimates. */
import { OcislimError } from '../../errors.ts';
import { blobOf } from '../../layers/write/sealed-layer.ts';
import type { WrittenImage } from './records.ts';

/** Bytes of all layer blobs of a run together. */
interface Sizes {
  readonly before: number;
  readonly after: number;
}

/** Refuses a result whose layer blobs together do not shrink by this share of their size; null for any result. @throws GATE */
export function requireSavings(required: number | null, images: readonly WrittenImage[]): void {
  const before = images
    .flatMap(({ image }) => image.manifest.layers)
    .reduce((sum, { size }) => sum + size, 0);
  const after = images
    .flatMap(({ layers }) => layers)
    .reduce((sum, { sealed }) => sum + (blobOf(sealed)?.size ?? 0), 0);
  const refusal = savingsRefusal(required, { before, after }, 'done');
  if (refusal !== null) throw refusal;
}

/** Returns the error for layers that do not shrink by this share of their size; null where they do, or where none is required. */
export function savingsRefusal(
  required: number | null,
  { before, after }: Sizes,
  how: 'done' | 'estimated',
): OcislimError | null {
  if (required === null || before - after >= before * required) return null;
  const share = before === 0 ? 0 : (100 * (before - after)) / before;
  const [shrink, grow, end] =
    how === 'done'
      ? ['shrink', 'grow', 'nothing was published']
      : ['would shrink', 'would grow', 'by the estimate of this dry run'];
  const change =
    share < 0 ? `${grow} by ${(-share).toFixed(1)} %` : `${shrink} by ${share.toFixed(1)} % only`;
  const wanted = `should shrink by ${(required * 100).toFixed(1)} %`;
  return new OcislimError('GATE', `the layers ${change}, but ${wanted}; ${end}`);
}
