import type { VersionDownloads } from '../../analyze/diff/image-diff.ts';
import { escapeText } from '../escape.ts';
import { modelWords } from '../client-words.ts';
import type { DataTable } from './page.ts';

/** Makes a table for each kind of client: a row for the version that it has, a column for the version that it pulls. None for one version. */
export function versionTables(versions: readonly Omit<VersionDownloads, 'digest'>[]): readonly DataTable[] {
  if (versions.length < 2) return [];
  return (['blob', 'prefix'] as const).map((model) => ({
    title: `From version to version, ${modelWords[model].name}`,
    note: 'A client that has the version of the row downloads this for the version of the column.',
    columns: [
      { title: 'Has', unit: 'text' },
      ...versions.map(({ name }) => ({ title: escapeText(name), unit: 'bytes' as const })),
    ],
    rows: versions.map(({ name, downloads }, i) => [
      escapeText(name),
      ...downloads.map((download, j) => (i === j ? null : download[model])),
    ]),
  }));
}
