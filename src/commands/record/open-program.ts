/** Unpacks an image of a source into the sandbox in which its program runs. */
import type { Platform } from '../../oci/platform.ts';
import type { Source } from '../../place/place.ts';
import type { BlobCache } from '../../store/cache/blob-cache.ts';
import { exportRootfs } from '../../jobs/export.ts';
import {
  type ImageRun,
  type ImageSandbox,
  openImageSandbox,
} from '../../jobs/record/sandbox/image-sandbox.ts';
import type { Workspace } from '../workspace.ts';

/** The image to unpack. */
export interface ProgramSource {
  readonly source: Source;
  readonly cache: BlobCache | null;
  readonly platform: Platform;
}

/** Unpacks the image of a platform, and returns how its program is launched. Disposing of the sandbox removes it. @throws what `openImageSandbox` and reading an image throw */
export async function openProgram(
  run: ImageRun,
  { source, cache, platform }: ProgramSource,
  { jobs, disk: maxScratch, limits, listener, signal }: Workspace,
): Promise<ImageSandbox> {
  await using stack = new AsyncDisposableStack();
  const open = async () => {
    const options = { cache, source, platform, jobs, maxScratch, limits, listener, signal };
    return stack.use(await exportRootfs(options)).stream;
  };
  return await openImageSandbox({ run, open, limits, signal });
}
