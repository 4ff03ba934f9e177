import type { Report } from '../report.ts';
import { pageAssets } from './assets.ts';
import { writePage } from './html.ts';
import { pageOfReport } from './of-report.ts';
import type { PackedFiles } from './packed-files.ts';

/** Renders the report of a run as a page, in pieces. */
export async function renderPage(
  report: Report,
  files: readonly (PackedFiles | null)[],
): Promise<Iterable<string>> {
  return writePage(pageOfReport(report, files), files, await pageAssets());
}
