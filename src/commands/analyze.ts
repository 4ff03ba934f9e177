/** Runs `analyze`: opens one image, scans it, and says what it holds and wastes. `check` judges what it returns. */
import { type AnalyzedScan, analyzeImage } from '../jobs/analyze/analyze-image.ts';
import { readSource } from '../jobs/read-reference.ts';
import { OcislimError } from '../errors.ts';
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
  const [platform = null, ...more] = settings.platform;
  if (more.length > 0) throw new OcislimError('USAGE', 'an analysis is about one image: give one --platform');
  const reference = await readSource(source);
  await using workspace = new Workspace(settings, surroundings);
  const { jobs, limits, listener, signal } = workspace;
  return await analyzeImage({
    name: source,
    source: await workspace.openSource(reference),
    quick: settings.quick,
    samples: settings.estimate && !settings.quick,
    platform,
    jobs,
    maxScratch: workspace.disk,
    limits,
    cache: await workspace.openCache(),
    listener,
    signal,
  });
}
