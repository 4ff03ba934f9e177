/**
 * Runs `analyze`: opens one image, scans it, and says what it holds and wastes. `check` judges what it returns, within its own workspace.
 */
import { OcislimError } from '../errors.ts';
import { type AnalyzedScan, type AnalyzeOptions, analyzeImage } from '../jobs/analyze/analyze-image.ts';
import { readSource } from '../jobs/read-reference.ts';
import type { Platform } from '../oci/platform.ts';
import type { AnalyzeSettings } from '../settings/tables/analyze.ts';
import type { Surroundings } from './surroundings.ts';
import { Workspace } from './workspace.ts';

/** Which image is analyzed, and how deep. */
type AnalyzingSettings = Pick<AnalyzeSettings, 'quick' | 'estimate' | 'platform'> &
  ConstructorParameters<typeof Workspace>[0];

/** Analyzes an image, and returns with it what lists of files are made of. @throws OcislimError */
export async function analyzeOne(
  source: string,
  settings: AnalyzingSettings,
  surroundings: Surroundings,
): Promise<AnalyzedScan> {
  const platform = onePlatform(settings.platform, 'an analysis');
  await readSource(source);
  const { quick } = settings;
  await using workspace = new Workspace(settings, surroundings);
  return await analyzeIn(workspace, {
    name: source,
    quick,
    samples: settings.estimate && !quick,
    platform,
  });
}

/** Returns the one platform of a command about one image; null where none was given. @throws USAGE */
export function onePlatform(platforms: readonly Platform[], what: string): Platform | null {
  const [platform = null, ...more] = platforms;
  if (more.length > 0) throw new OcislimError('USAGE', `${what} is about one image: give one --platform`);
  return platform;
}

/** Analyzes an image within a workspace. @throws OcislimError */
export async function analyzeIn(
  workspace: Workspace,
  which: Pick<AnalyzeOptions, 'name' | 'quick' | 'samples' | 'platform'>,
): Promise<AnalyzedScan> {
  const { jobs, limits, listener, signal } = workspace;
  const source = await workspace.openSource(await readSource(which.name));
  const cache = await workspace.openCache();
  return analyzeImage({
    ...which,
    source,
    jobs,
    maxScratch: workspace.disk,
    limits,
    cache,
    listener,
    signal,
  });
}
