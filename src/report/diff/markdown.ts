/**
 * Renders what differs between two images as GitHub-flavoured Markdown, for a comment on a pull request: a headline, packages, and the
 * rest to unfold. The command `diff` prints it, and writes it to files that end in `.md`.
 */
import type { FileChange, ImageDiff, MemberChange, PlatformDiff } from '../../analyze/diff/image-diff.ts';
import { formatCount, formatNumberOf, formatSize } from '../figures.ts';
import { code, details, escapeMarkdown, table } from '../markdown-syntax.ts';
import { truncate } from '../table.ts';
import { modelWords } from '../client-words.ts';
import { versionRows } from './version-rows.ts';
import {
  aspectList,
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
  versionText,
  weightOf,
} from './words.ts';

/** Characters of a value in a table. */
const longestValue = 120;

/** Renders a comparison as Markdown. All markup in it is ours: no name can add any. */
export function renderDiffMarkdown(diff: ImageDiff, options: DiffRenderOptions): string {
  const blocks = [
    `## ${escapeMarkdown(diff.a.name)} → ${escapeMarkdown(diff.b.name)}`,
    `${verdictIcon(diff)} ${verdictMarkdown(diff)}`,
    ...diff.platforms.flatMap((platform) => platformBlocks(platform, diff, options)),
    ...(options.summary ? [] : memberBlock('Index', diff.index, options)),
    ...(options.summary ? [] : artifactBlock(diff)),
    digests(diff),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function verdictIcon({ verdict: { kind } }: ImageDiff): string {
  return kind === 'different' ? '🔶' : '✅';
}

function verdictMarkdown({ verdict: { kind, butFor, differIn }, paths }: ImageDiff): string {
  const scope = paths.length === 0 ? '' : ` (compared: ${paths.map(code).join(', ')})`;
  const ignored = butFor.length === 0 ? '' : `, ignored: ${aspectList(butFor)}`;
  switch (kind) {
    case 'identical':
      return `**Identical**${scope}.`;
    case 'identical-but':
      return `**Identical but for ${aspectList(butFor)}**${scope}.`;
    case 'different':
      return `**Different** in ${aspectList(differIn)}${ignored}${scope}.`;
  }
}

function digests({ a, b }: ImageDiff): string {
  return table(
    ['', 'image', 'digest'],
    [
      ['before', code(a.name), code(a.digest)],
      ['after', code(b.name), code(b.digest)],
    ],
    'lll',
  );
}

function platformBlocks(platform: PlatformDiff, diff: ImageDiff, options: DiffRenderOptions): string[] {
  const { a, b, totals } = platform;
  const title =
    diff.platforms.length > 1 || a === null || b === null
      ? [`### ${escapeMarkdown(platform.platform ?? 'image')}`]
      : [];
  if (a === null || b === null) return [...title, `Only in the image ${a === null ? 'after' : 'before'}.`];
  const rows = headline(platform).map(({ what, a: was, b: is, change }) => [what, was, is, change]);
  const files = totalsText(totals);
  return [
    ...title,
    table([escapeMarkdown(platformTitle(platform)), 'before', 'after', 'change'], rows, 'lrrr'),
    ...downloadBlock(platform),
    ...versionBlocks(platform),
    ...(files === '' ? [] : [`Files: ${files}.`]),
    ...(options.summary ? [] : listBlocks(platform, options)),
  ];
}

function downloadBlock({ downloads }: PlatformDiff): string[] {
  if (downloads.length === 0) return [];
  const rows = downloads.map((download) => {
    const { name, clients } = modelWords[download.model];
    return [name, ...downloadText(download), escapeMarkdown(clients)];
  });
  return [
    table(['download for a client that has the image before', 'bytes', 'share', 'clients'], rows, 'lrrl'),
  ];
}

function versionBlocks(platform: PlatformDiff): string[] {
  const { versions = [] } = platform;
  if (versions.length === 0) return [];
  return (['blob', 'prefix'] as const).map((model) =>
    table(
      ['', `has (${modelWords[model].name})`, ...versions.map((_, i) => `for ${i + 1}`)],
      versionRows(platform, model, escapeMarkdown),
      `rl${'r'.repeat(versions.length)}`,
    ),
  );
}

function listBlocks(platform: PlatformDiff, options: DiffRenderOptions): string[] {
  return [
    ...packageBlock(platform, options),
    ...fileBlock(platform.files, options),
    ...memberBlock('Config', platform.config, options),
    ...memberBlock('Manifest', platform.manifest, options),
    ...historyBlock(platform, options),
    ...layerBlock(platform),
    ...patchBlocks(platform.files, options),
  ];
}

function packageBlock({ packages }: PlatformDiff, { top }: DiffRenderOptions): string[] {
  if (packages.length === 0) return [];
  const shown = topOf(packages, top, ({ bytesA, bytesB }) => Math.max(bytesA, bytesB));
  const rows = shown.map((each) => [
    packageMarks[each.change],
    each.kind,
    code(each.name),
    code(versionText(each)),
  ]);
  return details(`Packages: ${packageTotals(packages)}`, [
    table(['', 'kind', 'package', 'version'], rows, 'llll'),
    ...moreLine(packages.length, shown.length),
  ]);
}

function fileBlock(files: readonly FileChange[], { top }: DiffRenderOptions): string[] {
  if (files.length === 0) return [];
  const shown = topOf(files, top, weightOf);
  const rows = shown.map((file) => [
    fileMarks[file.change],
    code(pathText(file)),
    bytesText(file),
    escapeMarkdown([detailsText(file), layerText(file)].filter((text) => text !== '').join(', ')),
  ]);
  return details(`Files: ${formatCount(files.length)}`, [
    table(['', 'path', 'bytes', ''], rows, 'llrl'),
    ...moreLine(files.length, shown.length),
  ]);
}

function memberBlock(title: string, members: readonly MemberChange[], { top }: DiffRenderOptions): string[] {
  if (members.length === 0) return [];
  const shown = members.slice(0, top);
  const value = (text: string | null) => (text === null ? '' : code(truncate(text, longestValue)));
  const rows = shown.map(({ member, a, b }) => [code(member), value(a), value(b)]);
  return details(`${title}: ${formatNumberOf(members.length, 'difference')}`, [
    table(['', 'before', 'after'], rows, 'lll'),
    ...moreLine(members.length, shown.length),
  ]);
}

function historyBlock({ history }: PlatformDiff, { top }: DiffRenderOptions): string[] {
  if (history.length === 0) return [];
  const shown = history.slice(0, top);
  const rows = shown.map(({ numberA, numberB, a, b, members }) => [
    numberA === null ? '+' : numberB === null ? '-' : '~',
    [...new Set([numberA, numberB])].filter((each) => each !== null).join(' → '),
    escapeMarkdown(members.join(', ')),
    code(truncate(b ?? a ?? '', longestValue)),
  ]);
  return details(`History: ${formatNumberOf(history.length, 'difference')}`, [
    table(['', 'row', 'differs in', 'instruction'], rows, 'lrll'),
    ...moreLine(history.length, shown.length),
  ]);
}

function layerBlock({ layers }: PlatformDiff): string[] {
  if (layers.every(({ relation }) => relation === 'same')) return [];
  const rows = layers.map((pair) => [
    String(pair.a?.number ?? ''),
    pair.a === null ? '' : formatSize(pair.a.transferBytes),
    String(pair.b?.number ?? ''),
    pair.b === null ? '' : formatSize(pair.b.transferBytes),
    relationText(pair),
    code(truncate(instructionText(pair), longestValue)),
  ]);
  const same = layers.filter(({ relation }) => relation === 'same').length;
  return details(`Layers: ${same} of ${layers.length} shared`, [
    table(['before', 'bytes', 'after', 'bytes', '', 'instruction'], rows, 'rrrrll'),
  ]);
}

function artifactBlock({ artifacts }: ImageDiff): string[] {
  if (artifacts.length === 0) return [];
  const rows = artifacts.map(({ change, digest, type }) => [
    fileMarks[change],
    code(digest),
    escapeMarkdown(type),
  ]);
  return details(`Artifacts: ${formatNumberOf(artifacts.length, 'difference')}`, [
    table(['', 'digest', 'type'], rows, 'lll'),
  ]);
}

function patchBlocks(files: readonly FileChange[], { top }: DiffRenderOptions): string[] {
  return changesOf(files)
    .slice(0, top)
    .flatMap(({ patch, ...file }) => {
      const lines = patchLinesOf(patch);
      const fence = '`'.repeat(longestTicks(lines) + 1);
      const block = `${fence}diff\n${lines.join('\n')}\n${fence}`;
      return details(`Patch of ${htmlCode(pathText(file))}`, [block]);
    });
}

/** Counts the backticks of the longest run at the begin of a line, at least 2: a fence must be longer. */
function longestTicks(lines: readonly string[]): number {
  return lines.reduce((most, line) => Math.max(most, /^[-+ ]\s*(`*)/.exec(line)?.[1]?.length ?? 0), 2);
}

/** Renders an escaped text as code in HTML, where Markdown is not read. */
function htmlCode(text: string): string {
  return `<code>${text.replace(/[^\w /.-]/gu, (character) => `&#${character.codePointAt(0)};`)}</code>`;
}

function moreLine(all: number, shown: number): string[] {
  const more = moreText(all, shown);
  return more === '' ? [] : [`… ${more}.`];
}
