import { escapeText, shownPath } from './escape.ts';
import { formatChange, formatCount, formatSize } from './figures.ts';
import { actionWords, layerNumbers, maker, sizeBefore } from './layer-table.ts';
import type {
  KeepingReport,
  PlatformReport,
  Report,
  RestoringReport,
  SlimmingReport,
  SurfaceReport,
} from './report.ts';
import { describeTransfer } from './summary.ts';
import { describeConfig, describeFile, listSurface, surfaceWords } from './surface.ts';
import { truncate } from './table.ts';
import { describeBudgets, describeTuning, planLines } from './tuning.ts';

/** So many of the removed paths are listed, the largest; the JSON report has them all. */
const listedPaths = 100;

/** The report as GitHub-flavoured Markdown, for a pull request or a job summary. Nothing in it is markup but ours. */
export function renderMarkdown(report: Report): string {
  const { source, destination } = report;
  const blocks = [
    `# ${escapeMarkdown(report.tool.name)} ${escapeMarkdown(report.command)}: ${escapeMarkdown(source.reference)}`,
    ...(report.dryRun ? ['**Dry run: nothing was written.**'] : []),
    ...(report.unchanged ? ['Nothing to do: the image stays as it is, byte for byte.'] : []),
    table(
      ['', 'image', 'digest'],
      [
        ['old', code(source.reference), code(source.digest)],
        ...(destination?.references ?? []).map((reference) => [
          'new',
          code(reference),
          code(destination?.digest ?? ''),
        ]),
        ...(report.debug === undefined
          ? []
          : [['debug', code(report.debug.reference), code(report.debug.digest)]]),
      ],
      'lll',
    ),
    ...report.platforms.flatMap(renderPlatform),
  ];
  blocks.push(...describeBudgets(report).map((line) => `${escapeMarkdown(sentence(line))}.`));
  const transfer = describeTransfer(report);
  if (transfer !== '') blocks.push(`Transfer: ${transfer}.`);
  if (report.warnings.length > 0) {
    blocks.push(
      '## Warnings',
      report.warnings
        .map((warning) => `- ${code(warning.code)}: ${escapeMarkdown(warning.message)}`)
        .join('\n'),
    );
  }
  const encoders = report.encoders.map(
    ({ name, version, level }) =>
      `${escapeMarkdown(name)} ${escapeMarkdown(version)}${level === null ? '' : ` at level ${level}`}`,
  );
  blocks.push(
    `Made by ${escapeMarkdown(report.tool.name)} ${escapeMarkdown(report.tool.version)}${encoders.length > 0 ? ` with ${encoders.join(', ')}` : ''}.`,
  );
  return `${blocks.join('\n\n')}\n`;
}

function renderPlatform(platform: PlatformReport): string[] {
  const { slimming, compressing } = platform;
  const row = (name: string, before: number, after: number | null): string[] => [
    name,
    formatSize(before),
    after === null ? '?' : formatSize(after),
    after === null ? '' : formatChange(before, after),
  ];
  const rows = [
    ...(slimming === null ? [] : [row('slimming (unpacked)', slimming.bytesBefore, slimming.bytesAfter)]),
    row('compressing (as transferred)', compressing.sizeBefore, compressing.sizeAfter),
  ];
  const blocks = [
    `## ${escapeMarkdown(platform.platform ?? 'image')}`,
    table(['', 'before', 'after', 'change'], rows, 'lrrr'),
    '### Layers',
    table(
      ['layer', 'made by', 'before', 'after', 'change', ''],
      platform.layers.map((layer) => {
        const before = sizeBefore(layer);
        return [
          layerNumbers(layer),
          code(truncate(maker(layer), 80)),
          formatSize(before),
          layer.after === null ? '–' : formatSize(layer.after.size),
          layer.after === null ? '' : formatChange(before, layer.after.size),
          actionWords[layer.action],
        ];
      }),
      'rlrrrl',
    ),
  ];
  blocks.push(...renderTuning(platform));
  if (slimming !== null) blocks.push(...renderSlimming(slimming));
  if (platform.keeping !== null) blocks.push(...renderKeeping(platform.keeping));
  if (platform.restoring !== undefined) blocks.push(...renderRestoring(platform.restoring));
  if (platform.surface !== null) blocks.push(...renderSurface(platform.surface));
  return blocks;
}

function renderTuning({ layers }: PlatformReport): string[] {
  const tuned = layers.flatMap((layer) => describeTuning(layer) ?? []);
  if (tuned.length === 0) return [];
  const goals = new Set(layers.flatMap(({ tuning }) => tuning?.goal ?? []));
  const plan = planLines(layers);
  return [
    `### Tuned: ${[...goals].map(escapeMarkdown).join(', ')}`,
    tuned.map((line) => `- ${escapeMarkdown(line)}`).join('\n'),
    ...(plan.length === 0
      ? []
      : ['The same levels again, in a plan:', ['```yaml', 'version: 1', ...plan, '```'].join('\n')]),
  ];
}

function renderKeeping({ trace, granularity, byRule, kept, forced }: KeepingReport): string[] {
  const blocks = [
    '### Kept, by reason',
    `${formatCount(kept.length)} paths, by ${code(trace)} with granularity ${granularity}. Each path with its reason is in the JSON report.`,
    table(
      ['rule', 'paths', 'unpacked'],
      byRule.map(({ rule, paths, bytes }) => [code(rule), formatCount(paths), formatSize(bytes)]),
      'lrr',
    ),
  ];
  if (forced.length > 0)
    blocks.push(
      '### Forced: the image may not run',
      forced.map((reason) => `- ${escapeMarkdown(reason)}`).join('\n'),
    );
  return blocks;
}

function renderSurface(surface: SurfaceReport): string[] {
  const rows = surface.files.filter(({ before, after }) => before.length + after.length > 0);
  const blocks = ['### Attack surface'];
  if (rows.length > 0) {
    const paths = rows.flatMap((row) =>
      listSurface(row).map(({ file, stays }) => [
        surfaceWords[row.kind],
        code(describeFile(file)),
        stays ? '' : 'gone',
      ]),
    );
    const rest = paths.length - listedPaths;
    blocks.push(
      table(
        ['', 'before', 'after'],
        rows.map(({ kind, before, after }) => [
          surfaceWords[kind],
          formatCount(before.length),
          formatCount(after.length),
        ]),
        'lrr',
      ),
      '<details><summary>Paths</summary>',
      table(['', 'path', ''], paths.slice(0, listedPaths), 'lll'),
      ...(rest > 0 ? [`${formatCount(rest)} more are in the JSON report.`] : []),
      '</details>',
    );
  }
  blocks.push(
    describeConfig(surface)
      .map(([label, text]) => `- ${label}: ${escapeMarkdown(text)}`)
      .join('\n'),
  );
  return blocks;
}

function renderRestoring({ original, paths, stillMissing }: RestoringReport): string[] {
  const listed = paths.slice(0, listedPaths);
  const more = paths.length - listed.length;
  return [
    '### Restored',
    `${formatCount(paths.length)} paths from ${code(original)}; ${formatCount(stillMissing)} still missing.`,
    ...(listed.length === 0
      ? []
      : [
          table(
            ['path', 'unpacked'],
            listed.map((entry) => [code(shownPath(entry)), formatSize(entry.bytes)]),
            'lr',
          ),
        ]),
    ...(more > 0 ? [`and ${formatCount(more)} more`] : []),
  ];
}

function renderSlimming(slimming: SlimmingReport): string[] {
  const blocks: string[] = [];
  if (slimming.byRule.length > 0) {
    blocks.push(
      '### Removed, by rule',
      table(
        ['rule', 'from', 'entries', 'unpacked'],
        slimming.byRule.map(({ rule, origin, entries, bytes }) => [
          code(rule),
          escapeMarkdown(origin),
          formatCount(entries),
          formatSize(bytes),
        ]),
        'llrr',
      ),
    );
  }
  if (slimming.removed.length > 0) {
    const largest = [...slimming.removed].sort((a, b) => b.bytes - a.bytes).slice(0, listedPaths);
    const rest = slimming.removed.length - largest.length;
    blocks.push(
      `<details><summary>${rest === 0 ? 'Removed paths' : `The ${listedPaths} largest of ${formatCount(slimming.removed.length)} removed paths`}</summary>`,
      table(
        ['path', 'layer', 'unpacked', 'rule', ''],
        largest.map((entry) => [
          code(shownPath(entry)),
          `${entry.layer}`,
          formatSize(entry.bytes),
          code(entry.rule),
          entry.how === 'hidden' ? 'hidden, not freed' : '',
        ]),
        'lrrll',
      ),
      '</details>',
    );
  }
  const changed = [
    ...slimming.promoted.map(
      (link) =>
        `- ${code(shownPath(link))} holds the data that was in ${code(link.from)}: ${escapeMarkdown(link.reason)}`,
    ),
    ...slimming.cleared.map(
      (file) => `- ${code(shownPath(file))} had mode ${file.oldMode}, has ${file.newMode}`,
    ),
    ...(slimming.linked?.links ?? []).map(
      (link) => `- ${code(shownPath(link))} is a hard link to ${code(shownTarget(link))}, which was the same`,
    ),
  ];
  if (changed.length > 0) blocks.push('### Changed otherwise', changed.join('\n'));
  return blocks;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function shownTarget({ to, toBase64 }: NonNullable<SlimmingReport['linked']>['links'][number]): string {
  return shownPath({ path: to, ...(toBase64 === undefined ? {} : { pathBase64: toBase64 }) });
}

function table(head: readonly string[], rows: readonly (readonly string[])[], alignment: string): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (alignment[i] === 'r' ? '--:' : '---'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/**
 * Text as code. Backticks and `|` (where GitHub splits tables even inside code) have no escape in a code span, so text
 * with either is written with entities, which are never markup.
 */
function code(text: string): string {
  const safe = escapeText(text);
  if (safe === '') return '';
  if (!/[`|]/.test(safe)) return /^ .* $/.test(safe) ? `\` ${safe} \`` : `\`${safe}\``;
  return `<code>${safe.replace(/[^\w /-]|_/gu, (character) => `&#${character.codePointAt(0)};`)}</code>`;
}

/** Text in which no character is markup, a mention or an entity. */
function escapeMarkdown(text: string): string {
  return escapeText(text)
    .replace(/[\\`*_{}[\]()#+!|~>]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('@', '&#64;')
    .replace(/:(?=\/\/)/g, '&#58;')
    .replace(/\bwww\./gi, (www) => `${www.slice(0, 3)}&#46;`);
}
