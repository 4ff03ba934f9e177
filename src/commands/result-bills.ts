/** Makes the bills of materials of a result (--sbom). Caller: `rewrite.ts`, once the result is published. */
import type { Bill } from '../analyze/bill.ts';
import { at, OcislimError } from '../errors.ts';
import { billImage } from '../jobs/analyze/bill-image.ts';
import type { RunOutcome } from '../jobs/rewrite/run.ts';
import { isStream, type Reference, withDigest } from '../oci/reference.ts';
import type { BlobCache } from '../store/cache/blob-cache.ts';
import { warnOfUnread } from './bill-warnings.ts';
import { imageNameOf } from './image-name.ts';
import { type Failure, failureOf } from './outcome.ts';
import type { Workspace } from './workspace.ts';

/** What a bill is asked of. */
export interface BillWish {
  readonly outcome: RunOutcome;
  readonly destination: Reference;
  /** The time of the bills, in seconds since 1970. Null: that of each image. */
  readonly epoch: number | null;
}

/** The bills of all images of a result, or why they could not be made. */
export interface MadeBills {
  readonly bills: readonly Bill[];
  readonly failure: Failure | null;
}

/** Refuses a destination that cannot be read back. @throws USAGE */
export function checkBillable(destinations: readonly Reference[], sbom: readonly string[]): void {
  if (sbom.length === 0 || !destinations.some(isStream)) return;
  throw new OcislimError('USAGE', '--sbom: what goes to standard output cannot be read back', {
    advice: 'Write the archive to a file, or run "ocislim sbom" on it afterwards.',
  });
}

/**
 * Reads what was published, image by image: the bill is of what is there. With a cache, layers come from that. The result is there
 * already, so an error is told with it and not thrown.
 */
export async function billResult(
  { outcome, destination, epoch }: BillWish,
  { workspace, cache = null }: { readonly workspace: Workspace; readonly cache?: BlobCache | null },
): Promise<MadeBills> {
  const root = outcome.root?.descriptor.digest;
  if (root === undefined) return { bills: [], failure: null };
  const { jobs, disk: maxScratch, limits, listener, signal } = workspace;
  try {
    await using source = await workspace.openResult(withDigest(destination, root));
    const bills: Bill[] = [];
    for (const { image } of outcome.images) {
      const platform = outcome.images.length === 1 ? null : image.config.platform;
      const options = { source, platform, jobs, maxScratch, limits, cache, listener, signal };
      const bill = await billImage({ ...options, name: imageNameOf(destination), epoch });
      warnOfUnread(bill, listener);
      bills.push(bill);
    }
    return { bills, failure: null };
  } catch (error) {
    signal.throwIfAborted();
    return { bills: [], failure: failureOf(at('--sbom', error)) };
  }
}
