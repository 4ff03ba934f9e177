import { inTurns } from '../../steps.ts';
import type { Analyzed, RenderOptions } from '../analyze/analyzed.ts';
import { pageAssets } from './assets.ts';
import { imageFilesSteps } from './files-of-image.ts';
import { writePage } from './html.ts';
import { pageOfAnalysis } from './of-analysis.ts';
import { packFiles } from './packed-files.ts';

/** Renders an analysis as a page, in pieces. @throws the reason of the signal */
export async function renderAnalysisPage(
  { analysis, scanned }: Analyzed,
  { tool, signal }: Pick<RenderOptions, 'tool' | 'signal'>,
): Promise<Iterable<string>> {
  const files = await packFiles(await inTurns(imageFilesSteps(scanned), signal), signal);
  return writePage(pageOfAnalysis(analysis, files, tool), [files], await pageAssets());
}
