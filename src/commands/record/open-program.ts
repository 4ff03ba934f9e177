/** Opens images of sources for their programs to run. */
import type { Platform } from '../../oci/platform.ts';
import type { Source } from '../../place/place.ts';
import type { BlobCache } from '../../store/cache/blob-cache.ts';
import { type OpenedRootfs, openRootfs } from '../../jobs/export.ts';
import type { Workspace } from '../workspace.ts';

/** An image of a source. */
export interface ProgramSource {
  readonly source: Source;
  readonly cache: BlobCache | null;
  readonly platform: Platform;
}

/** Opens the root filesystem of an image, which can be unpacked for several runs. The caller closes it. @throws what reading an image throws */
export function openProgram(
  { source, cache, platform }: ProgramSource,
  { jobs, disk: maxScratch, limits, listener, signal }: Workspace,
): Promise<OpenedRootfs> {
  return openRootfs({ cache, source, platform, jobs, maxScratch, limits, listener, signal });
}
