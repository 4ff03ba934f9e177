import type { ImageDiff } from '../../analyze/diff/image-diff.ts';
import { inTurns } from '../../steps.ts';
import type { DiffFileOptions } from '../diff/renderers.ts';
import { pageAssets } from './assets.ts';
import { diffFilesSteps } from './files-of-diff.ts';
import { writePage } from './html.ts';
import { pageOfDiff } from './of-diff.ts';
import { type PackedFiles, packFiles } from './packed-files.ts';

/** Renders a comparison as a page, in pieces. @throws the reason of the signal */
export async function renderDiffPage(
  diff: ImageDiff,
  { tool, signal }: Pick<DiffFileOptions, 'tool' | 'signal'>,
): Promise<Iterable<string>> {
  const files: (PackedFiles | null)[] = [];
  for (const platform of diff.platforms) {
    const collected = platform.files.length === 0 ? null : await inTurns(diffFilesSteps(platform), signal);
    files.push(collected === null ? null : await packFiles(collected, signal));
  }
  return writePage(pageOfDiff(diff, files, tool), files, await pageAssets());
}
