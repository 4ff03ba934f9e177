import { escapeText } from './escape.ts';
import { formatChange, formatNumberOf, formatSize } from './figures.ts';
import { actionWords, renderLayerTable } from './layer-table.ts';
import type {
  KeepingReport,
  LayerAction,
  LayerReport,
  PlatformReport,
  Report,
  SlimmingReport,
} from './report.ts';
import { plainStyle, type Style } from './style.ts';
import { renderSurfacePaths, renderSurfaceRows } from './surface.ts';
import { type Cell, layOut, truncate } from './table.ts';
import { describeBudgets, describeTuning } from './tuning.ts';

export interface SummaryOptions {
  readonly style?: Style;
  /** Columns; what does not fit is shortened, but for digests and references. */
  readonly width?: number;
  /** With the table of layers, and the paths of the attack surface. */
  readonly verbose?: boolean;
}

const shownRules = 8;
const shownTunings = 8;

/** What a person sees at the end: slimming and compressing apart, layers, digests. Whole lines, all of them escaped. */
export function renderSummary(
  report: Report,
  { style = plainStyle, width = 100, verbose = false }: SummaryOptions = {},
): string {
  const lines = renderHeading(report, style);
  for (const platform of report.platforms) {
    lines.push('', style.bold(escapeText(platform.platform ?? 'image')));
    lines.push(...layOut(renderPlatform(platform, style, width), 'llrlrrl').map((line) => `  ${line}`));
    lines.push(...renderTuning(platform, verbose));
    if (verbose) {
      lines.push('', ...renderLayerTable(platform.layers, style, width - 2).map((line) => `  ${line}`));
      if (platform.surface !== null)
        lines.push('', ...renderSurfacePaths(platform.surface, style).map((line) => `  ${line}`));
    }
  }
  lines.push(...describeBudgets(report).flatMap((line) => ['', line]));
  const transfer = describeTransfer(report);
  if (transfer !== '') lines.push('', `transfer: ${transfer}`);
  return `${lines.join('\n')}\n`;
}

/** The heaviest layers whose packing was chosen, in their order. */
function renderTuning({ layers }: PlatformReport, verbose: boolean): string[] {
  const tuned = layers.filter(({ tuning }) => tuning !== undefined);
  const heaviest = tuned.toSorted((a, b) => (b.tuning?.tarBytes ?? 0) - (a.tuning?.tarBytes ?? 0));
  const shown = verbose ? tuned : tuned.filter((layer) => heaviest.indexOf(layer) < shownTunings);
  const goals = new Set(tuned.map(({ tuning }) => tuning?.goal ?? ''));
  const rest = tuned.length - shown.length;
  return tuned.length === 0
    ? []
    : [
        '',
        `  tuned: ${[...goals].join(', ')}`,
        ...shown.map((layer) => `    ${describeTuning(layer) ?? ''}`),
        ...(rest === 0 ? [] : [`    ${formatNumberOf(rest, 'smaller layer')} more (-v)`]),
      ];
}

function renderHeading(report: Report, style: Style): string[] {
  const { source, destination } = report;
  const lines = [style.bold(`${escapeText(report.command)} ${escapeText(source.reference)}`)];
  lines.push(`  old  ${source.digest}`);
  if (report.unchanged) lines.push(`  new  ${style.dim('the same')}`);
  else if (destination !== null) lines.push(`  new  ${style.bold(destination.digest)}`);
  for (const reference of destination?.references ?? []) lines.push(`  →    ${escapeText(reference)}`);
  if (report.debug !== undefined)
    lines.push(`  debug ${escapeText(report.debug.reference)}@${report.debug.digest}`);
  if (report.dryRun) lines.push(style.warning('dry run: nothing was written'));
  if (report.unchanged) lines.push(style.dim('nothing to do: the image stays as it is, byte for byte'));
  return lines;
}

/** Rows of: label, rule, before, arrow, after, change, remark. */
function renderPlatform(platform: PlatformReport, style: Style, width: number): Cell[][] {
  const { slimming, compressing } = platform;
  const rows: Cell[][] = [];
  if (slimming !== null) {
    const { bytesBefore, bytesAfter } = slimming;
    rows.push([
      'slimming',
      '',
      ...figures(bytesBefore, bytesAfter, style),
      slimming.removedEntries === 0
        ? 'nothing removed'
        : `unpacked; removed ${formatNumberOf(slimming.filesRemoved, 'file')}, ${formatNumberOf(slimming.removedEntries, 'entry', 'entries')} in all`,
    ]);
    rows.push(...renderRules(slimming, style, width));
    rows.push(...renderLinked(slimming, style));
  }
  if (platform.keeping !== null) rows.push(...renderKeeping(platform.keeping, style));
  if (platform.restoring !== undefined) {
    const { entries, bytes, stillMissing } = platform.restoring;
    const rest =
      stillMissing === 0 ? 'nothing is missing' : `${formatNumberOf(stillMissing, 'path')} still missing`;
    rows.push([
      'restoring',
      '',
      '',
      '',
      entries === 0 ? '' : `+${formatSize(bytes)}`,
      '',
      entries === 0 ? `nothing to restore; ${rest}` : `put back ${formatNumberOf(entries, 'path')}; ${rest}`,
    ]);
  }
  rows.push([
    'compressing',
    '',
    ...figures(compressing.sizeBefore, compressing.sizeAfter, style),
    describeSavings(platform),
  ]);
  const sources = platform.layers.reduce((sum, { before }) => sum + before.length, 0);
  const results = platform.layers.filter(({ action }) => action !== 'dropped').length;
  const fewer: Cell[] = results === sources ? ['', ''] : ['→', `${results}`];
  rows.push(['layers', '', `${sources}`, ...fewer, '', describeActions(platform.layers)]);
  if (platform.surface !== null) rows.push(...renderSurfaceRows(platform.surface, style));
  return rows;
}

function figures(before: number, after: number | null, style: Style): Cell[] {
  if (after === null) return [formatSize(before), '→', '?', ''];
  const change = { text: formatChange(before, after), paint: after > before ? style.warning : style.good };
  return [formatSize(before), '→', formatSize(after), before === after ? '' : change];
}

function renderLinked({ linked }: SlimmingReport, style: Style): Cell[][] {
  if (linked === undefined) return [];
  const text =
    linked.files === 0
      ? 'no two files are the same'
      : `${formatNumberOf(linked.files, 'file')} made hard links to others that are the same`;
  return [
    [
      '',
      { text: 'duplicates', paint: style.dim },
      '',
      '',
      linked.files === 0 ? '' : formatSize(-linked.bytes),
      '',
      { text, paint: style.dim },
    ],
  ];
}

/** Presets count as one rule each; the heaviest come first. */
function renderRules(slimming: SlimmingReport, style: Style, width: number): Cell[][] {
  const sums = new Map<string, { entries: number; bytes: number }>();
  for (const { rule, origin, entries, bytes } of slimming.byRule) {
    const name = origin.startsWith('preset ') || rule === 'shadowed' ? origin.replace(/^preset /, '') : rule;
    const sum = sums.get(name) ?? { entries: 0, bytes: 0 };
    sums.set(name, { entries: sum.entries + entries, bytes: sum.bytes + bytes });
  }
  const sorted = [...sums].sort(([, a], [, b]) => b.bytes - a.bytes);
  const room = Math.max(36, width - 84);
  const row = (name: string, bytes: number, entries: number): Cell[] => [
    '',
    { text: name, paint: style.dim },
    '',
    '',
    formatSize(-bytes),
    '',
    { text: formatNumberOf(entries, 'entry', 'entries'), paint: style.dim },
  ];
  const shown = sorted.length <= shownRules + 1 ? sorted.length : shownRules;
  const rows = sorted
    .slice(0, shown)
    .map(([name, { bytes, entries }]) => row(truncate(escapeText(name), room), bytes, entries));
  const rest = sorted.slice(shown).map(([, sum]) => sum);
  if (rest.length > 0) {
    const total = (key: 'bytes' | 'entries'): number => rest.reduce((sum, part) => sum + part[key], 0);
    rows.push(row(`${rest.length} more`, total('bytes'), total('entries')));
  }
  const hidden = slimming.removed.filter(({ how }) => how === 'hidden').length;
  if (hidden > 0) {
    rows.push([
      '',
      '',
      '',
      '',
      '',
      '',
      {
        text: `${formatNumberOf(hidden, 'path')} hidden, not freed: a layer that was not selected holds them`,
        paint: style.warning,
      },
    ]);
  }
  return rows;
}

/** What stays, by the rules that say why; the heaviest first. */
function renderKeeping({ trace, granularity, byRule, forced }: KeepingReport, style: Style): Cell[][] {
  const total = (key: 'bytes' | 'paths'): number => byRule.reduce((sum, part) => sum + part[key], 0);
  const row = (name: string, { bytes, paths }: { bytes: number; paths: number }): Cell[] => [
    '',
    { text: name, paint: style.dim },
    formatSize(bytes),
    '',
    '',
    '',
    { text: formatNumberOf(paths, 'path'), paint: style.dim },
  ];
  const shown = byRule.length <= shownRules + 1 ? byRule.length : shownRules;
  const rest = byRule.slice(shown);
  const sum = (key: 'bytes' | 'paths') => rest.reduce((all, part) => all + part[key], 0);
  return [
    [
      'keeping',
      '',
      formatSize(total('bytes')),
      '',
      '',
      '',
      `unpacked; ${formatNumberOf(total('paths'), 'path')} by ${escapeText(trace)}, granularity ${granularity}`,
    ],
    ...byRule.slice(0, shown).map((each) => row(each.rule, each)),
    ...(rest.length === 0 ? [] : [row(`${rest.length} more`, { bytes: sum('bytes'), paths: sum('paths') })]),
    ...forced.map((reason): Cell[] => [
      '',
      '',
      '',
      '',
      '',
      '',
      { text: `forced: ${escapeText(reason)}`, paint: style.warning },
    ]),
  ];
}

function describeSavings({ compressing, restoring }: PlatformReport): string {
  const { sizeBefore, sizeAfter, savedBySlimming, savedByPacking, estimated } = compressing;
  const whole = 'as transferred';
  if (
    restoring !== undefined ||
    sizeAfter === null ||
    sizeAfter === sizeBefore ||
    savedBySlimming === null ||
    savedByPacking === null
  )
    return whole;
  const share = (saved: number, name: string): string => `${formatSize(-saved)} by ${name}`;
  const parts = [share(savedBySlimming, 'slimming'), share(savedByPacking, 'packing')];
  return `${whole}: ${savedBySlimming === 0 ? parts[1] : savedByPacking === 0 ? parts[0] : parts.join(', ')}${estimated && savedBySlimming !== 0 && savedByPacking !== 0 ? ' (estimate)' : ''}`;
}

function describeActions(layers: readonly LayerReport[]): string {
  const counts = new Map<LayerAction, number>();
  for (const { action } of layers) counts.set(action, (counts.get(action) ?? 0) + 1);
  return (Object.keys(actionWords) as LayerAction[])
    .flatMap((action) => {
      const count = counts.get(action);
      return count === undefined ? [] : [`${count} ${actionWords[action]}`];
    })
    .join(', ');
}

/** `45.0 MB downloaded, 20.0 MB uploaded, 30.1 MB mounted`: what is not zero. */
export function describeTransfer({ transfer }: Report): string {
  const { downloadedBytes, cachedBytes, uploadedBytes, copiedBytes, mountedBytes, presentBytes } = transfer;
  const parts: [number, string][] = [
    [downloadedBytes, 'downloaded'],
    [cachedBytes, 'from the cache'],
    [uploadedBytes, 'uploaded'],
    [copiedBytes, 'copied as it was'],
    [mountedBytes, 'mounted'],
    [presentBytes, 'already there'],
  ];
  return parts
    .filter(([bytes]) => bytes > 0)
    .map(([bytes, what]) => `${formatSize(bytes)} ${what}`)
    .join(', ');
}
