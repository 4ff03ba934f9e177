import { type ImageSet, readImageSet } from '../jobs/image-set.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { Source } from '../place/place.ts';
import type { Workspace } from './workspace.ts';

/** An image that is read beside the source of a job: a base, or an earlier version. */
export interface BesideImage {
  /** The source of the job, whose credentials are shown to its own registry alone. */
  readonly source: Reference;
  readonly reference: Reference;
  /** The platforms to take of an index; all if empty. A single image is taken whatever it is for. */
  readonly platforms: readonly Platform[];
}

/** Reads the manifests and configs of such an image, in gzip where it is there in zstd as well. @throws what reading an image throws */
export async function readBeside(
  workspace: Workspace,
  { source, reference, platforms }: BesideImage,
): Promise<{ readonly place: Source; readonly set: ImageSet }> {
  const place = await workspace.openBeside(source, reference);
  return { place, set: await readSetBeside(workspace, place, platforms) };
}

/** Reads, as `readBeside` does, the image of a place that is open. */
export function readSetBeside(
  { limits, listener, signal }: Workspace,
  place: Source,
  platforms: readonly Platform[],
): Promise<ImageSet> {
  return readImageSet(place, {
    variants: 'one',
    platforms: [],
    platformsOfIndex: platforms,
    limits,
    listener,
    signal,
  });
}
