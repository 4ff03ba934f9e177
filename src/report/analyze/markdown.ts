/**
 * Renders an analysis as GitHub-flavoured Markdown, for a job summary or a pull request. The table of renderers loads it for files
 * that end in `.md`.
 */
import type { Analysis, SizedPath, WasteFinding } from '../../analyze/analysis.ts';
import { surfaceKinds } from '../../rootfs/surface/surface.ts';
import { displayPath } from '../escape.ts';
import { formatCount, formatNumberOf, formatSize } from '../figures.ts';
import { bullets, code, details, escapeMarkdown, table } from '../markdown-syntax.ts';
import { surfaceWords } from '../surface-text.ts';
import { truncate } from '../table.ts';
import { combinedCommand, combinedWords, commandLine } from './command-line.ts';
import { secretRows, userText } from './surface-lines.ts';
import { instructionLine, keptBytes, percentText, savedText, savingRows, wasteWords } from './words.ts';

/** Renders an analysis as Markdown. All markup in it is ours: no name can add any. */
export function renderAnalysisMarkdown(analysis: Analysis, top: number): string {
  const { image, findings, packages, surface } = analysis;
  const blocks = [
    `# ${escapeMarkdown(image.name)}`,
    [image.platform === null ? '' : escapeMarkdown(image.platform), code(image.digest)].join(' ').trim(),
    table(['', 'bytes', ''], sizeRows(analysis), 'lrl'),
    ...(findings.length === 0 ? [] : ['## What to do', ...renderFindings(analysis, top)]),
    ...renderSavings(analysis),
    '## Layers',
    table(
      ['layer', 'pull size', 'unpacked', 'kept', 'shadowed', 'duplicate', 'instruction'],
      layerRows(analysis),
      'rrrrrrl',
    ),
    ...renderPaths('largest files', analysis.largestFiles, top),
    ...renderPaths('largest directories', analysis.largestDirectories, top),
    ...(packages.length === 0 ? [] : renderPackages(analysis, top)),
    ...(surface === null ? [] : renderSurface(analysis)),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function sizeRows({ layers, totals, dive, surface }: Analysis): string[][] {
  const { visibleFiles, visibleDirectories } = totals;
  return [
    ['pull size', formatSize(totals.transferBytes), `in ${formatNumberOf(layers.length, 'layer')}`],
    [
      'visible',
      formatSize(totals.visibleBytes),
      `${formatNumberOf(visibleFiles, 'file')} in ${formatNumberOf(visibleDirectories, 'directory', 'directories')}`,
    ],
    ['reclaimable', formatSize(totals.reclaimableBytes), 'files that layers carry and no container sees'],
    ...(surface === null
      ? []
      : [
          ['duplicates', formatSize(totals.duplicateBytes), 'visible files whose contents are there already'],
        ]),
    [
      'dive',
      percentText(dive.efficiency),
      `efficiency; ${formatSize(dive.wastedBytes)} wasted, as dive counts`,
    ],
  ];
}

function renderFindings({ findings, image }: Analysis, top: number): string[] {
  const shown = findings.slice(0, top);
  const rest = findings.length - shown.length;
  const combined = combinedCommand(shown);
  return [
    ...shown.flatMap((finding) => renderFinding(finding, image.name)),
    ...(combined === null ? [] : [`${combinedWords} ${code(commandLine(combined, image.name))}`]),
    ...(rest === 0 ? [] : [`And ${formatCount(rest)} more.`]),
  ];
}

function renderFinding(
  { kind, bytes, why, places, dockerfile, command }: WasteFinding,
  source: string,
): string[] {
  const figure = bytes === 0 ? 'security' : formatSize(bytes);
  return [
    `**${figure}**, ${wasteWords[kind]}: ${escapeMarkdown(why)}.`,
    bullets([
      ...(places.length === 0
        ? []
        : [
            places
              .slice(0, 3)
              .map(({ path }) => code(`/${displayPath(path)}`))
              .join(', '),
          ]),
      ...(dockerfile === null ? [] : [`Dockerfile: ${code(dockerfile)}`]),
      ...(command === null ? [] : [code(commandLine(command, source))]),
    ]),
  ];
}

function renderSavings(analysis: Analysis): string[] {
  const rows = savingRows(analysis);
  if (rows.length === 0) return [];
  return [
    '## What each command would save, by itself',
    table(
      ['', 'pull', 'unpacked', ''],
      rows.map(([word, { transferBytes, error, unpackedBytes, command }]) => [
        word,
        savedText(transferBytes, error),
        savedText(unpackedBytes),
        code(commandLine(command, analysis.image.name)),
      ]),
      'lrrl',
    ),
  ];
}

function layerRows({ layers }: Analysis): string[][] {
  return layers.map((layer) => [
    `${layer.number}`,
    formatSize(layer.transferBytes),
    formatSize(layer.tarBytes),
    formatSize(keptBytes(layer)),
    formatSize(layer.shadowedBytes),
    formatSize(layer.duplicateBytes),
    code(truncate(instructionLine(layer.instruction), 80)),
  ]);
}

function renderPaths(title: string, paths: readonly SizedPath[], top: number): string[] {
  if (paths.length === 0) return [];
  const rows = paths
    .slice(0, top)
    .map(({ path, bytes, layer }) => [
      code(`/${displayPath(path)}`),
      formatSize(bytes),
      layer === null ? 'several' : `${layer}`,
    ]);
  return details(title, [table(['path', 'bytes', 'layer'], rows, 'lrr')]);
}

function renderPackages({ packages, unreadDatabases }: Analysis, top: number): string[] {
  const rows = packages
    .slice(0, top)
    .map(({ kind, name, version, bytes, layer }) => [
      code(name),
      version === null ? '' : code(version),
      kind,
      formatSize(bytes),
      layer === null ? '' : `${layer}`,
    ]);
  return details(`packages (${formatCount(packages.length)})`, [
    table(['package', 'version', 'kind', 'bytes', 'layer'], rows, 'lllrr'),
    ...unreadDatabases.map(
      ({ path, why }) => `${code(`/${displayPath(path)}`)} cannot be read: ${escapeMarkdown(why)}`,
    ),
  ]);
}

function renderSurface({ surface, image }: Analysis): string[] {
  if (surface === null) return [];
  const rows = surfaceKinds
    .filter((kind) => surface.files[kind].length > 0)
    .map((kind) => [
      surfaceWords[kind],
      formatCount(surface.files[kind].length),
      surface.files[kind]
        .slice(0, 6)
        .map(({ path }) => code(`/${displayPath(path)}`))
        .join(', '),
    ]);
  return details('attack surface', [
    table(['', 'files', ''], rows, 'lrl'),
    bullets([
      `user: ${escapeMarkdown(userText(surface, image.config.user))}`,
      ...(image.config.ports.length === 0
        ? []
        : [`ports: ${image.config.ports.map(escapeMarkdown).join(', ')}`]),
      ...secretRows(surface).map(([label, names]) => `${label}: ${names.map(escapeMarkdown).join(', ')}`),
    ]),
  ]);
}
