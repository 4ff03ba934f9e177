/** The image that `--image` names, as `trace show` and `trace record` look around in it. */
import { OcislimError } from '../../errors.ts';
import type { InspectedImage } from '../../jobs/inspect.ts';
import type { Platform } from '../../oci/platform.ts';
import type { ContentProbe } from '../../rootfs/facts/facts.ts';
import { openWorkspace } from '../open-workspace.ts';
import { Screen } from '../screen.ts';
import type { TraceCall } from './trace-call.ts';

/**
 * Reads the headers of all layers of an image, and the contents that the probe asks for. `own` is the platform if --platform names none.
 * @throws USAGE for several --platform, and whatever reading an image throws
 */
export async function inspectNamed(
  reference: string,
  own: Platform | null,
  probe: ContentProbe,
  call: TraceCall,
): Promise<InspectedImage> {
  const { readSource } = await import('../../jobs/read-reference.ts');
  const { inspectImage } = await import('../../jobs/inspect.ts');
  const { settings } = call;
  const [platform = own, ...more] = settings.platform;
  if (more.length > 0) throw new OcislimError('USAGE', 'a trace is of one platform: give one --platform');
  using screen = new Screen(settings, call.console);
  await using workspace = await openWorkspace(call, screen);
  return await inspectImage(
    {
      cache: await workspace.openCache(),
      source: await workspace.openSource(await readSource(reference)),
      platform,
      jobs: workspace.jobs,
      maxScratch: workspace.disk,
      limits: workspace.limits,
      listener: workspace.listener,
      signal: workspace.signal,
    },
    probe,
  );
}
