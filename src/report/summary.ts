/**
 * Renders the report for a person at a terminal. Commands print it to stderr when they end.
 */
import { attestationLines } from './attestation-words.ts';
import { escapeText } from './escape.ts';
import { formatNumberOf, formatSize } from './figures.ts';
import { findingLines } from './findings-text.ts';
import { forecastLine } from './forecast-text.ts';
import { renderLayerTable } from './layer-table.ts';
import { imageNames } from './image-names.ts';
import { recordingNotes, recordingSentence } from './recording-words.ts';
import type { PlatformReport, Report } from './report.ts';
import { plainStyle, type Style } from './style.ts';
import { renderPlatformRows, summaryAlignment } from './summary-rows.ts';
import { renderSurfacePaths } from './surface-text.ts';
import { layOutNarrow } from './summary-narrow.ts';
import { layOut, widthOfRows, wrap } from './table.ts';
import { transferText } from './transfer-text.ts';
import { budgetLines, tuningLine } from './tuning-text.ts';
import { isFromNothing, sourceName, unchangedText, workWord } from './words.ts';

/** How the summary is laid out. */
export interface SummaryOptions {
  /** Default: no colour. */
  readonly style?: Style;
  /** Columns of the terminal. What does not fit goes to another line; digests and references stay whole. Default: those of a log, 160. */
  readonly width?: number;
  /** Whether to add the table of layers and the paths of the attack surface. Default: no. */
  readonly verbose?: boolean;
}

/** What the lines of a platform depend on, apart from the platform. */
interface Work {
  /** The heading. */
  readonly name: string;
  readonly dryRun: boolean;
  /** What the command does to contents, in a word. */
  readonly work: string;
}

const shownTunings = 8;
/** Lines of a log may be long: they are not wrapped. */
const widthOfLogs = 160;

/** Renders the summary: what was removed and the size of a pull separately, layers, digests. Whole lines, all of them escaped. */
export function renderSummary(
  report: Report,
  { style = plainStyle, width = widthOfLogs, verbose = false }: SummaryOptions = {},
): string {
  const transfer = transferText(report);
  const { dryRun } = report;
  const names = imageNames(report);
  const lines = [
    ...renderHeading(report, style, width),
    ...report.platforms.flatMap((platform) =>
      renderPlatform(platform, {
        name: names.get(platform) ?? '',
        style,
        width,
        verbose,
        dryRun,
        work: workWord(report),
      }),
    ),
    ...renderVariants(report, style),
    ...renderRecording(report, style, width),
    ...budgetLines(report).flatMap((line) => ['', line]),
    ...(transfer === '' ? [] : ['', ...wrapped(`transfer: ${transfer}`, width)]),
    ...(dryRun ? ['', ...wrapped(`dry run: ${forecastLine(report)}`, width).map(style.bold)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Renders the lines of one platform. */
function renderPlatform(
  platform: PlatformReport,
  { name, style, width, verbose, dryRun, work }: Required<SummaryOptions> & Work,
): string[] {
  const rows = renderPlatformRows(platform, { style, width, work });
  const isNarrow = widthOfRows(rows) + indent.length > width;
  return [
    '',
    style.bold(escapeText(name)),
    ...indented(isNarrow ? layOutNarrow(rows, width - indent.length) : layOut(rows, summaryAlignment)),
    ...renderTuning(platform, verbose),
    ...(verbose || dryRun ? renderLayers(platform, style, width) : []),
    ...renderSurface(platform, { style, width, verbose, dryRun }),
    ...renderFindings(platform, { style, width, verbose }),
  ];
}

function renderLayers({ layers }: PlatformReport, style: Style, width: number): string[] {
  return ['', ...indented(renderLayerTable(layers, style, width - indent.length))];
}

/** Renders the paths of the attack surface: all with --verbose, those that go in a dry run. */
function renderSurface(
  { surface }: PlatformReport,
  { style, width, verbose, dryRun }: Required<SummaryOptions> & Pick<Work, 'dryRun'>,
): string[] {
  if (surface === null || !(verbose || dryRun)) return [];
  const room = { style, width: width - indent.length };
  const lines = renderSurfacePaths(surface, verbose ? 'all' : 'gone', room);
  return lines.length === 0 ? [] : ['', ...indented(lines)];
}

/** Renders a line for each image that has a second manifest. */
function renderVariants({ variants = [] }: Report, style: Style): string[] {
  if (variants.length === 0) return [];
  const lines = variants.map(({ platform, digest, size }) => {
    const sized = size === null ? '' : `, ${formatSize(size)}`;
    return `${escapeText(platform ?? 'image')} in zstd${sized}${digest === null ? '' : `  ${style.dim(digest)}`}`;
  });
  return ['', ...lines];
}

/** Renders how the image was recorded and tried, and what of it a reader should know. */
function renderRecording({ recording, platforms }: Report, style: Style, width: number): string[] {
  if (recording === undefined) return [];
  const of = platforms.length > 1 ? ` ${escapeText(recording.platform)}` : '';
  const isSame = (recording.trials.at(-1)?.differences.length ?? 0) === 0;
  return [
    '',
    ...wrapped(`recorded${of}: ${recordingSentence(recording)}`, width).map((line) =>
      isSame ? line : style.warning(line),
    ),
    ...recordingNotes(recording).flatMap(([label, text]) =>
      wrap(`${label}: ${text}`, width - 2 * indent.length).map(
        (line, i) => (i === 0 ? indent : indent + indent) + style.dim(line),
      ),
    ),
  ];
}

/** Renders what could go, too: the heaviest of it, or with --verbose all. */
function renderFindings(
  { findings = [] }: PlatformReport,
  { style, width, verbose }: Required<SummaryOptions>,
): string[] {
  if (findings.length === 0) return [];
  const lines = findingLines(findings, verbose ? Number.POSITIVE_INFINITY : shownFindings);
  return [
    '',
    ...indented([style.dim('could go, too')]),
    ...lines.flatMap((line) => indented(indented(wrapped(line, width - 2 * indent.length)))),
  ];
}

/** The most findings that are shown without --verbose. */
const shownFindings = 6;

const indent = '  ';

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => indent + line);
}

function wrapped(text: string, width: number): string[] {
  return wrap(text, width - indent.length).map((line, i) => (i === 0 ? line : indent + line));
}

/** Renders the heaviest layers whose packing was chosen, in their order. */
function renderTuning({ layers }: PlatformReport, verbose: boolean): string[] {
  const tuned = layers.filter(({ tuning }) => tuning !== undefined);
  if (tuned.length === 0) return [];
  const heaviest = tuned.toSorted((a, b) => (b.tuning?.tarBytes ?? 0) - (a.tuning?.tarBytes ?? 0));
  const shown = verbose ? tuned : tuned.filter((layer) => heaviest.indexOf(layer) < shownTunings);
  const goals = new Set(tuned.map(({ tuning }) => tuning?.goal ?? ''));
  const rest = tuned.length - shown.length;
  return [
    '',
    `  tuned: ${[...goals].join(', ')}`,
    ...shown.map((layer) => `    ${tuningLine(layer) ?? ''}`),
    ...(rest === 0 ? [] : [`    and ${formatNumberOf(rest, 'smaller layer')} (-v)`]),
  ];
}

function renderHeading(report: Report, style: Style, width: number): string[] {
  const { source, destination } = report;
  const lines = [style.bold(`${escapeText(report.command)} ${escapeText(sourceName(report))}`)];
  if (!isFromNothing(source)) lines.push(`  old  ${source.digest}`);
  if (report.unchanged) lines.push(`  new  ${style.dim('the same')}`);
  else if (destination !== null) lines.push(`  new  ${style.bold(destination.digest)}`);
  for (const reference of destination?.references ?? []) lines.push(`  →    ${escapeText(reference)}`);
  if (report.debug !== undefined)
    lines.push(`  debug ${escapeText(report.debug.reference)}@${report.debug.digest}`);
  for (const line of attestationLines(report).flatMap((each) => wrapped(each, width - indent.length)))
    lines.push(indent + line);
  if (report.dryRun)
    for (const line of wrapped(`dry run: nothing was written; ${forecastLine(report)}`, width))
      lines.push(style.warning(line));
  if (report.unchanged) lines.push(style.dim(unchangedText(report)));
  return lines;
}
