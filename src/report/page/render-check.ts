import { inTurns } from '../../steps.ts';
import type { Analyzed } from '../analyze/analyzed.ts';
import type { Judgement } from '../verdict/judgement.ts';
import { pageAssets } from './assets.ts';
import { imageFilesSteps } from './files-of-image.ts';
import { writePage } from './html.ts';
import { pageOfCheck } from './of-check.ts';
import { packFiles } from './packed-files.ts';

/** Renders a verdict with its analysis as a page, in pieces. @throws the reason of the signal */
export async function renderCheckPage(
  { judgement, analyzed }: { readonly judgement: Judgement; readonly analyzed: Analyzed },
  signal: AbortSignal,
): Promise<Iterable<string>> {
  const files = await packFiles(await inTurns(imageFilesSteps(analyzed.scanned), signal), signal);
  return writePage(pageOfCheck(judgement, analyzed.analysis, files), [files], await pageAssets());
}
