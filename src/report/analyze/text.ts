/**
 * Renders an analysis for a person at a terminal: what to do first, then layers, files, packages and the attack surface. The command
 * `analyze` prints it.
 */
import type { Analysis, SizedPath } from '../../analyze/analysis.ts';
import { displayPath, escapeText } from '../escape.ts';
import { formatCount, formatNumberOf, formatSize } from '../figures.ts';
import type { Style } from '../style.ts';
import { type Cell, layOut, widthOfRows } from '../table.ts';
import { findingLines, savingLines } from './advice-text.ts';
import { surfaceLines } from './surface-lines.ts';
import { broken, cut, layOutTails, type TailRow, wrapped } from './tail-table.ts';
import { instructionText, keptBytes, percentText } from './words.ts';

/** How the text is laid out. */
export interface TextOptions {
  readonly style: Style;
  /** Columns of the terminal. */
  readonly width: number;
  /** The most rows of each list. */
  readonly top: number;
}

/** Renders an analysis in whole lines, all of them escaped. */
export function renderAnalysisText(analysis: Analysis, options: TextOptions): string {
  const sections = [
    headline(analysis, options),
    findingLines(analysis, options),
    savingLines(analysis, options),
    layerLines(analysis, options),
    pathLines('largest files', analysis.largestFiles, options),
    pathLines('largest directories', analysis.largestDirectories, options),
    packageLines(analysis, options),
    surfaceLines(analysis, options),
    divePaths(analysis, options),
  ].filter((lines) => lines.length > 0);
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Renders the image and its sizes: a label, a figure, and what it means. */
function headline(
  { image, layers, totals, dive, findings, surface }: Analysis,
  options: TextOptions,
): string[] {
  const { style, width } = options;
  const isQuick = surface === null && findings.length === 0;
  const { visibleFiles, visibleDirectories, reclaimableBytes, contentBytes, duplicateBytes } = totals;
  const rows: (readonly [string, string, string])[] = [
    [
      'pull size',
      formatSize(totals.transferBytes),
      `in ${formatNumberOf(layers.length, 'layer')}, as transferred`,
    ],
    [
      'visible',
      formatSize(totals.visibleBytes),
      `${formatNumberOf(visibleFiles, 'file')} in ${formatNumberOf(visibleDirectories, 'directory', 'directories')}, unpacked`,
    ],
    [
      'reclaimable',
      formatSize(reclaimableBytes),
      reclaimableBytes === 0
        ? 'no layer hides a file of another'
        : `${percentText(reclaimableBytes / contentBytes)} of all contents: files that layers carry and no container sees`,
    ],
    ...(isQuick
      ? []
      : [
          [
            'duplicates',
            formatSize(duplicateBytes),
            'visible files whose contents are there already',
          ] as const,
        ]),
    ['dive', percentText(dive.efficiency), `efficiency as dive counts it: ${diveText(dive)}`],
  ];
  const title = [escapeText(image.name), escapeText(image.platform ?? '')].filter((text) => text !== '');
  return [
    ...wrapped(title.join('  '), width).map(style.bold),
    ...wrapped(image.digest, width).map(style.dim),
    '',
    ...layOutTails(
      rows.map(([label, figure, tail]) => ({
        cells: [label, figure],
        tail: { text: tail, paint: style.dim },
      })),
      'lr',
      { width, fold: wrapped },
    ),
    ...(isQuick
      ? [
          '',
          ...wrapped(
            'A quick analysis: without --quick there are findings, packages and the attack surface.',
            width,
          ),
        ]
      : []),
  ];
}

function diveText({ wastedBytes, wastedUserPercent }: Analysis['dive']): string {
  const share = Number.isFinite(wastedUserPercent)
    ? `, ${percentText(wastedUserPercent)} of the layers above the lowest`
    : '';
  return `${formatSize(wastedBytes)} wasted${share}`;
}

/** Renders a line for each layer, lowest first. */
function layerLines({ layers }: Analysis, { style, width }: TextOptions): string[] {
  const bytes = (value: number): string => (value === 0 ? '–' : formatSize(value));
  const rows = layers.map(
    (layer): TailRow => ({
      cells: [
        `${layer.number}`,
        formatSize(layer.transferBytes),
        formatSize(layer.tarBytes),
        bytes(keptBytes(layer)),
        { text: bytes(layer.shadowedBytes), paint: layer.shadowedBytes === 0 ? style.dim : style.warning },
        { text: bytes(layer.duplicateBytes), paint: layer.duplicateBytes === 0 ? style.dim : style.warning },
      ],
      tail: instructionText(layer),
    }),
  );
  const names = ['layer', 'pull size', 'unpacked', 'kept', 'shadowed', 'duplicate'];
  const table = fitting([headOf(names, 'instruction', style), ...rows], width);
  return [style.bold('layers'), ...layOutTails(table, 'rrrrrr', { width, fold: cut })];
}

/** Leaves out columns that a narrow terminal has no room for: unpacked bytes first, then those that stay. */
function fitting(rows: readonly TailRow[], width: number): readonly TailRow[] {
  const cells = rows.map((row) => row.cells);
  if (widthOfRows(cells) <= width || (cells[0]?.length ?? 0) < 5) return rows;
  return fitting(
    rows.map((row) => ({ ...row, cells: row.cells.toSpliced(2, 1) })),
    width,
  );
}

function headOf(names: readonly string[], tail: string, { dim }: Style): TailRow {
  const cell = (text: string): Cell => ({ text, paint: dim });
  return { cells: names.map(cell), tail: cell(tail) };
}

/** Renders a line for each of the largest paths. */
function pathLines(title: string, paths: readonly SizedPath[], { style, width, top }: TextOptions): string[] {
  if (paths.length === 0) return [];
  const rows = paths.slice(0, top).map(
    ({ path, bytes, layer }): TailRow => ({
      cells: [formatSize(bytes), { text: layer === null ? 'several' : `layer ${layer}`, paint: style.dim }],
      tail: `/${displayPath(path)}`,
    }),
  );
  return [style.bold(title), ...layOutTails(rows, 'rl', { width, fold: broken })];
}

/** Renders a line for each of the largest packages, the sum of the others, and databases that could not be read. */
function packageLines({ packages, unreadDatabases }: Analysis, { style, width, top }: TextOptions): string[] {
  if (packages.length === 0 && unreadDatabases.length === 0) return [];
  const rest = packages.slice(top);
  const rows = packages.slice(0, top).map(
    ({ kind, name, version, bytes, layer }): TailRow => ({
      cells: [
        formatSize(bytes),
        { text: kind, paint: style.dim },
        { text: layer === null ? '' : `layer ${layer}`, paint: style.dim },
      ],
      tail: escapeText([name, version ?? ''].join(' ').trim()),
    }),
  );
  const sum = rest.reduce((total, { bytes }) => total + bytes, 0);
  const more = { text: `${formatCount(rest.length)} more`, paint: style.dim };
  return [
    style.bold(`packages (${formatCount(packages.length)})`),
    ...layOutTails(
      rest.length === 0 ? rows : [...rows, { cells: [formatSize(sum), '', ''], tail: more }],
      'rll',
      { width, fold: broken },
    ),
    ...unreadDatabases.flatMap(({ path, why }) =>
      wrapped(`/${displayPath(path)} cannot be read: ${escapeText(why)}`, width).map(style.warning),
    ),
  ];
}

/** Renders the paths that dive names as inefficient, the most wasteful first. */
function divePaths({ dive }: Analysis, { style, width, top }: TextOptions): string[] {
  if (dive.inefficient.length === 0) return [];
  const rows = dive.inefficient.slice(0, top).map(
    ({ path, count, bytes }): TailRow => ({
      cells: [`${count}`, formatSize(bytes)],
      tail: `/${displayPath(path)}`,
    }),
  );
  return [
    style.bold("dive's inefficient files"),
    ...layOutTails([headOf(['count', 'total'], 'path', style), ...rows], 'rr', { width, fold: broken }),
    ...(dive.inefficient.length > top
      ? layOut([[{ text: `and ${formatCount(dive.inefficient.length - top)} more`, paint: style.dim }]], 'l')
      : []),
  ];
}
