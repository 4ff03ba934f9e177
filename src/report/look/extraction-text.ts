/** Says what was extracted, for a person. */
import type { Extraction } from '../../jobs/look/extract-files.ts';
import { displayPath } from '../escape.ts';
import { formatNumberOf, formatSize } from '../figures.ts';

/** Names that are listed of what was left out. */
const listed = 3;

/** Renders a line for what was extracted, and one for what was left out. */
export function renderExtraction(extraction: Extraction): string {
  const { files, directories, symlinks, links, devices, bytes, layers, leftOut } = extraction;
  const counts = [
    formatNumberOf(files, 'file'),
    ...told(directories, 'folder'),
    ...told(symlinks, 'symbolic link'),
    ...told(links, 'hard link'),
    ...told(devices, 'device or named pipe', 'devices and named pipes'),
  ];
  const from = layers.length === 0 ? '' : ` from layer ${layers.join(', ')}`;
  const names = leftOut.slice(0, listed).map(displayPath);
  const more = leftOut.length > listed ? `, and ${leftOut.length - listed} more` : '';
  return [
    `${counts.join(', ')}, ${formatSize(bytes)}${from}\n`,
    ...(names.length === 0
      ? []
      : [`devices and named pipes left out (--devices makes them): ${names.join(', ')}${more}\n`]),
  ].join('');
}

function told(count: number, singular: string, plural?: string): readonly string[] {
  return count === 0 ? [] : [formatNumberOf(count, singular, plural)];
}
