/** Words about package databases that were synced, for the summary, Markdown and the page. */
import { shownPath } from './escape.ts';
import { formatNumberOf, formatSize } from './figures.ts';
import type { PlatformReport, SlimmingReport } from './report.ts';

type PackageDbReport = NonNullable<PlatformReport['packageDb']>;

/** Says what an edited file has lost. */
export function editedText({
  before,
  after,
  packages,
}: NonNullable<SlimmingReport['edited']>[number]): string {
  const lost = formatNumberOf(packages.length, 'package');
  return `edited: lists ${lost} less, ${formatSize(before.size)} → ${formatSize(after.size)}`;
}

/** Says which database still lists packages without files, and why. Not escaped. */
export function stillListedText({
  path,
  pathBase64,
  packages,
  why,
}: PackageDbReport['stillListed'][number]): string {
  const shown = shownPath({ path, ...(pathBase64 === undefined ? {} : { pathBase64 }) });
  return packages === null
    ? `/${shown} cannot be read (${why})`
    : `/${shown} still lists ${formatNumberOf(packages, 'package')} without files: ${why}`;
}

/** Says how many packages no database lists any more. */
export function takenOutText({ takenOut }: PackageDbReport): string {
  return takenOut.length === 0
    ? 'no package without files was found'
    : `${formatNumberOf(takenOut.length, 'package')} without files no longer listed`;
}
