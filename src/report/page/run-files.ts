import type { ImageOutcome } from '../../jobs/rewrite/records.ts';
import { inTurns } from '../../steps.ts';
import { runFilesSteps } from './files-of-run.ts';
import { type PackedFiles, packFiles } from './packed-files.ts';

/**
 * Collects and packs the files of the images of a run, one after the other. The images may be published by now, so an error or a
 * cancellation costs the files and not the outcome: an image without them gets null.
 */
export async function packRunFiles(
  images: readonly ImageOutcome[],
  squashOrigin: string,
  signal: AbortSignal,
): Promise<(PackedFiles | null)[]> {
  const packed: (PackedFiles | null)[] = [];
  for (const image of images) packed.push(await packImage(image, squashOrigin, signal).catch(() => null));
  return packed;
}

async function packImage(
  image: ImageOutcome,
  squashOrigin: string,
  signal: AbortSignal,
): Promise<PackedFiles | null> {
  if (image.indexes.size === 0) return null;
  return packFiles(await inTurns(runFilesSteps(image, squashOrigin), signal), signal);
}
