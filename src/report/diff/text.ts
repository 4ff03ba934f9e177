/**
 * Renders what differs between two images for a terminal: sizes, files, packages, documents, layers, what a client downloads, and at the
 * end the verdict. The command `diff` prints it.
 */
import type { ImageDiff, LayerPair, PlatformDiff } from '../../analyze/diff/image-diff.ts';
import { displayPath, escapeText } from '../escape.ts';
import { formatNumberOf, formatSize } from '../figures.ts';
import type { Paint, Style } from '../style.ts';
import { type Cell, layOut } from '../table.ts';
import { modelWords } from '../client-words.ts';
import { versionRows } from './version-rows.ts';
import {
  bytesText,
  detailsText,
  type DiffRenderOptions,
  downloadText,
  fileMarks,
  headline,
  instructionText,
  layerText,
  moreText,
  packageMarks,
  packageTotals,
  changesOf,
  patchLinesOf,
  pathText,
  platformTitle,
  relationText,
  topOf,
  totalsText,
  valueText,
  verdictSentence,
  verdictWords,
  versionText,
  weightOf,
} from './words.ts';

/** How text is laid out for where it goes. */
export interface DiffTextOptions extends DiffRenderOptions {
  readonly style: Style;
}

/** Renders a comparison as text, in pieces. The last line is the verdict. */
export function* renderDiffText(diff: ImageDiff, options: DiffTextOptions): Generator<string> {
  const { style } = options;
  const lines = [
    ...layOut(
      [
        ['A', escapeText(diff.a.name), diff.a.digest],
        ['B', escapeText(diff.b.name), diff.b.digest],
      ],
      'lll',
    ),
    '',
    ...diff.platforms.flatMap((platform) => [...platformLines(platform, diff, options), '']),
    ...section('Index', memberRows(diff.index, options), options),
    ...section(
      'Only in one image',
      diff.artifacts.map(({ change, digest, type }) => [fileMarks[change], digest, escapeText(type)]),
      options,
    ),
  ];
  for (const line of lines) yield `${line}\n`;
  const paint = diff.verdict.kind === 'different' ? style.warning : style.good;
  yield `${paint(verdictSentence(diff))}\n`;
}

function* platformLines(
  platform: PlatformDiff,
  diff: ImageDiff,
  options: DiffTextOptions,
): Generator<string> {
  const { style, summary } = options;
  const { a, b, verdict, totals } = platform;
  const many = diff.platforms.length > 1 ? `: B ${verdictWords(verdict, 'A')}` : '';
  yield style.bold(`${platformTitle(platform)}${many}`);
  if (a === null || b === null) yield `  only in ${a === null ? 'B' : 'A'}`;
  const rows = headline(platform).map(({ what, a: was, b: is, change }) => [`  ${what}`, was, is, change]);
  yield* layOut([['', 'A', 'B', ''], ...rows], 'lrrr');
  const counted = totalsText(totals);
  if (counted !== '') yield `  files: ${counted}`;
  const packages = packageTotals(platform.packages);
  if (packages !== '') yield `  packages: ${packages}`;
  yield* downloadLines(platform);
  yield* versionLines(platform);
  if (!summary) yield* listLines(platform, options);
}

function* downloadLines({ downloads }: PlatformDiff): Generator<string> {
  const [first] = downloads;
  if (first === undefined) return;
  yield `  Download of B for a client that has A, of ${formatSize(first.totalBytes)}:`;
  const rows = downloads.map((download) => {
    const { name, clients } = modelWords[download.model];
    return [`    ${name}`, ...downloadText(download), clients];
  });
  yield* layOut(rows, 'lrrl');
}

function* versionLines(platform: PlatformDiff): Generator<string> {
  const { versions = [] } = platform;
  if (versions.length === 0) return;
  for (const model of ['blob', 'prefix'] as const) {
    yield `  Download for a client that has the version of the row, ${modelWords[model].name}:`;
    const heading = ['', '', ...versions.map((_, i) => `for ${i + 1}`)];
    const rows = [heading, ...versionRows(platform, model, escapeText)];
    const lines = layOut(rows, `rl${'r'.repeat(versions.length)}`);
    for (const line of lines) yield `    ${line}`;
  }
}

function* listLines(platform: PlatformDiff, options: DiffTextOptions): Generator<string> {
  const { top } = options;
  const files = topOf(platform.files, top, weightOf);
  const fileRows = files.map((file) => [
    fileMarks[file.change],
    bytesText(file),
    pathText(file),
    [detailsText(file), layerText(file)].filter((text) => text !== '').join(', '),
  ]);
  yield* section('Files', fileRows, { ...options, all: platform.files.length, alignment: 'lrll' });
  yield* patchLines(platform.files, options);
  const packages = topOf(platform.packages, top, ({ bytesA, bytesB }) => Math.max(bytesA, bytesB));
  const packageRows = packages.map((each) => [
    packageMarks[each.change],
    `${each.kind} ${escapeText(each.name)}`,
    versionText(each),
  ]);
  yield* section('Packages', packageRows, { ...options, all: platform.packages.length });
  yield* section('Config', memberRows(platform.config, options), { ...options, all: platform.config.length });
  yield* section('Manifest', memberRows(platform.manifest, options), {
    ...options,
    all: platform.manifest.length,
  });
  yield* section('History', historyRows(platform, options), { ...options, all: platform.history.length });
  yield* layerLines(platform, options);
}

interface SectionOptions extends DiffTextOptions {
  /** The number of rows before the list was cut. Default: that of the rows. */
  readonly all?: number;
  readonly alignment?: string;
}

/** A longer name does not move what stands behind the others. */
const widestCell = 60;

/** Renders a list below its title; nothing for an empty one. */
function* section(
  title: string,
  rows: readonly (readonly Cell[])[],
  { style, all = rows.length, alignment = '' }: SectionOptions,
): Generator<string> {
  if (all === 0) return;
  yield '';
  yield style.bold(`  ${title}`);
  for (const line of layOut(rows, alignment, widestCell)) yield `    ${line}`;
  const more = moreText(all, rows.length);
  if (more !== '') yield `    … ${more}`;
}

function memberRows(members: ImageDiff['index'], { top }: DiffTextOptions): string[][] {
  return members
    .slice(0, top)
    .map(({ member, a, b }) => [escapeText(member), `${valueText(a)} → ${valueText(b)}`]);
}

function historyRows({ history }: PlatformDiff, { top }: DiffTextOptions): string[][] {
  return history.slice(0, top).map(({ numberA, numberB, a, b, members }) => {
    const mark = numberA === null ? '+' : numberB === null ? '-' : '~';
    const number = [...new Set([numberA, numberB])].filter((each) => each !== null).join(' → ');
    return [mark, number, members.map(escapeText).join(', '), valueText(b ?? a ?? '')];
  });
}

function* layerLines({ layers }: PlatformDiff, options: DiffTextOptions): Generator<string> {
  if (layers.every(({ relation }) => relation === 'same')) return;
  const rows = layers.map((pair) => [
    String(pair.a?.number ?? ''),
    pair.a === null ? '' : formatSize(pair.a.transferBytes),
    String(pair.b?.number ?? ''),
    pair.b === null ? '' : formatSize(pair.b.transferBytes),
    relationText(pair),
    valueText(instructionText(pair)),
  ]);
  yield* section('Layers', [['A', '', 'B', '', '', ''], ...rows], { ...options, alignment: 'rrrrll' });
  for (const pair of layers) yield* entryLines(pair, options);
}

function* entryLines({ a, b, entries }: LayerPair, options: DiffTextOptions): Generator<string> {
  if (entries === null || a === null || b === null) return;
  const marks = { added: '+', removed: '-', changed: '~', moved: '⇅' } as const;
  const rows = entries
    .slice(0, options.top)
    .map((entry) => [marks[entry.change], entry.kind, `/${displayPath(entry.path)}`, detailsText(entry)]);
  const title = `Entries of layer ${a.number} of A and ${b.number} of B: ${formatNumberOf(entries.length, 'difference')}`;
  yield* section(title, rows, { ...options, all: entries.length });
}

function* patchLines(files: PlatformDiff['files'], { top, style }: DiffTextOptions): Generator<string> {
  const patched = changesOf(files);
  for (const { patch } of patched.slice(0, top)) {
    yield '';
    for (const line of patchLinesOf(patch)) yield paintOf(line, style)(line);
  }
  const more = moreText(patched.length, Math.min(patched.length, top));
  if (more !== '') yield `    … ${more} with a patch`;
}

function paintOf(line: string, style: Style): Paint {
  if (/^(?:---|\+\+\+) /.test(line)) return style.bold;
  return line.startsWith('+') ? style.good : line.startsWith('-') ? style.warning : (text) => text;
}
