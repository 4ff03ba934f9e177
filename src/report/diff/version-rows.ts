import type { PlatformDiff } from '../../analyze/diff/image-diff.ts';
import { formatSize } from '../figures.ts';

/** Renders the downloads from version to version as cells: a row for what a client has, numbered as the versions are. */
export function versionRows(
  { versions = [] }: PlatformDiff,
  model: 'blob' | 'prefix',
  nameOf: (name: string) => string,
): readonly string[][] {
  return versions.map(({ name, downloads }, i) => [
    `${i + 1}`,
    nameOf(name),
    ...downloads.map((download, j) => (i === j ? '–' : formatSize(download[model]))),
  ]);
}
