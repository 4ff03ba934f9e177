/**
 * Renders the report as GitHub-flavoured Markdown, for a pull request or a job summary. The table of renderers loads it for files
 * that end in `.md`.
 */
import { attestationLines } from './attestation-words.ts';
import { noiseText } from './noise-text.ts';
import { shownPath } from './escape.ts';
import { formatChange, formatCount, formatNumberOf, formatSize } from './figures.ts';
import { findingLines } from './findings-text.ts';
import { forecastLine } from './forecast-text.ts';
import { actionText, layerNumbers, maker, sizeAfter, sizeAfterText, sizeBefore } from './layer-table.ts';
import { imageNames } from './image-names.ts';
import { bullets, code, details, escapeMarkdown, table } from './markdown-syntax.ts';
import { editedText, stillListedText, takenOutText } from './packages-text.ts';
import { renderRecording } from './recording-markdown.ts';
import { rebasingSentence } from './rebasing-text.ts';
import { renderRelayering } from './relayering-markdown.ts';
import type {
  ConfiguringReport,
  KeepingReport,
  LayerReport,
  PlatformReport,
  RebasingReport,
  Report,
  RestoringReport,
  ScannedReport,
  SlimmingReport,
  SurfaceReport,
} from './report.ts';
import { fateText, scannedNotes, severityRows, totals } from './scanned-text.ts';
import { configLines, fileText, listSurface, surfaceWords } from './surface-text.ts';
import { truncate } from './table.ts';
import { transferText } from './transfer-text.ts';
import { budgetLines, planLines, tuningLine } from './tuning-text.ts';
import { isFromNothing, sourceName, unchangedText, workWord } from './words.ts';

/** The most paths listed, the largest first; the JSON report has all of them. */
const listedPaths = 100;

/** Renders the report as Markdown. All markup in it is ours: no name or message can add any. */
export function renderMarkdown(report: Report): string {
  const { tool, command, warnings } = report;
  const transfer = transferText(report);
  const blocks = [
    `# ${escapeMarkdown(tool.name)} ${escapeMarkdown(command)}: ${escapeMarkdown(sourceName(report))}`,
    ...(report.dryRun ? [`**Dry run: nothing was written; ${forecastLine(report)}.**`] : []),
    ...(report.unchanged ? [`${capitalized(unchangedText(report))}.`] : []),
    table(['', 'image', 'digest'], imageRows(report), 'lll'),
    ...[...imageNames(report)].flatMap(([platform, name]) =>
      renderPlatform(platform, name, workWord(report)),
    ),
    ...(report.recording === undefined ? [] : renderRecording(report.recording)),
    ...attestationLines(report).map((line) => `${escapeMarkdown(capitalized(line))}.`),
    ...budgetLines(report).map((line) => `${escapeMarkdown(capitalized(line))}.`),
    ...(transfer === '' ? [] : [`Transfer: ${transfer}.`]),
    ...renderArtifacts(report),
    ...renderWarnings(warnings),
    renderMaker(report),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** Makes the rows for the source, the destination and the debug image, with their digests. */
function imageRows({ source, destination, debug }: Report): string[][] {
  const references = destination?.references ?? [];
  return [
    ...(isFromNothing(source) ? [] : [['old', code(source.reference), code(source.digest)]]),
    ...references.map((reference) => ['new', code(reference), code(destination?.digest ?? '')]),
    ...(debug === undefined ? [] : [['debug', code(debug.reference), code(debug.digest)]]),
  ];
}

/** Lists what speaks of the source, and what became of each. */
function renderArtifacts({ referrers = [] }: Report): string[] {
  if (referrers.length === 0) return [];
  const rows = referrers.map(({ kind, predicateTypes, artifactType, mediaType, digest, fate, platform }) => [
    kind,
    (predicateTypes.length > 0 ? predicateTypes : [artifactType ?? mediaType]).map(code).join(', '),
    code(digest),
    platform === null ? '' : code(platform),
    fate,
  ]);
  return [
    '## Signatures, attestations, SBOMs',
    table(['kind', 'type', 'digest', 'about', 'now'], rows, 'lllll'),
  ];
}

/** Lists the warnings, each with its code. */
function renderWarnings(warnings: Report['warnings']): string[] {
  if (warnings.length === 0) return [];
  return [
    '## Warnings',
    bullets(warnings.map((warning) => `${code(warning.code)}: ${escapeMarkdown(warning.message)}`)),
  ];
}

/** Names the program and the encoders, since both decide about the bytes. */
function renderMaker({ tool, encoders }: Report): string {
  const used = encoders.map(
    ({ name, version, level }) =>
      `${escapeMarkdown(name)} ${escapeMarkdown(version)}${level === null ? '' : ` at level ${level}`}`,
  );
  const by = used.length > 0 ? ` with ${used.join(', ')}` : '';
  return `Made by ${escapeMarkdown(tool.name)} ${escapeMarkdown(tool.version)}${by}.`;
}

/** Renders the chapter of one platform. */
function renderPlatform(platform: PlatformReport, name: string, work: string): string[] {
  const {
    layers,
    slimming,
    keeping,
    packageDb,
    scanned,
    restoring,
    rebasing,
    relayering,
    configuring,
    surface,
    findings = [],
  } = platform;
  return [
    `## ${escapeMarkdown(name)}`,
    table(['', 'before', 'after', 'change'], sizeRows(platform, work), 'lrrr'),
    '### Layers',
    table(['layer', 'made by', 'before', 'after', 'change', ''], layers.map(layerRow), 'rlrrrl'),
    ...renderTuning(platform),
    ...(slimming === null ? [] : renderSlimming(slimming)),
    ...(packageDb === undefined ? [] : renderPackages(packageDb)),
    ...(scanned === undefined ? [] : renderScanned(scanned)),
    ...(keeping === null ? [] : renderKeeping(keeping)),
    ...(restoring === undefined ? [] : renderRestoring(restoring)),
    ...(rebasing === undefined ? [] : renderRebasing(rebasing)),
    ...(relayering === undefined ? [] : renderRelayering(relayering)),
    ...(configuring === undefined ? [] : renderConfiguring(configuring)),
    ...(surface === null ? [] : renderSurface(surface)),
    ...(findings.length === 0
      ? []
      : ['### Could go, too', bullets(findingLines(findings, listedPaths).map(escapeMarkdown))]),
  ];
}

/** Makes the rows of unpacked and transferred bytes, before and after. */
function sizeRows({ slimming, compressing }: PlatformReport, work: string): string[][] {
  const row = (name: string, before: number, after: number | null): string[] => [
    name,
    formatSize(before),
    after === null ? '?' : formatSize(after),
    after === null ? '' : formatChange(before, after),
  ];
  return [
    ...(slimming === null ? [] : [row(`${work} (unpacked)`, slimming.bytesBefore, slimming.bytesAfter)]),
    row('pull size (compressed layers)', compressing.sizeBefore, compressing.sizeAfter),
  ];
}

/** Makes the row of one layer: what was done to it, and its sizes. */
function layerRow(layer: LayerReport): string[] {
  const before = sizeBefore(layer);
  const after = sizeAfter(layer);
  return [
    layerNumbers(layer),
    code(truncate(maker(layer), 80)),
    formatSize(before),
    sizeAfterText(layer),
    after === null ? '' : formatChange(before, after),
    actionText(layer),
  ];
}

/** Shows the choice for each tuned layer, with the alternatives. */
function renderTuning({ layers }: PlatformReport): string[] {
  const tuned = layers.flatMap((layer) => tuningLine(layer) ?? []);
  if (tuned.length === 0) return [];
  const goals = new Set(layers.flatMap(({ tuning }) => tuning?.goal ?? []));
  const plan = planLines(layers);
  return [
    `### Tuned: ${[...goals].map(escapeMarkdown).join(', ')}`,
    bullets(tuned.map(escapeMarkdown)),
    ...(plan.length === 0
      ? []
      : ['A plan with the same levels:', ['```yaml', 'version: 1', ...plan, '```'].join('\n')]),
  ];
}

/** Shows what the traces kept, by rule of the closure. */
function renderKeeping({ trace, granularity, byRule, kept, leftOut, forced }: KeepingReport): string[] {
  return [
    '### Kept, by reason',
    `${formatNumberOf(kept.length, 'path')}, by ${code(trace)} with granularity ${granularity}. Each path with its reason is in the JSON report.`,
    table(
      ['rule', 'paths', 'unpacked'],
      byRule.map(({ rule, paths, bytes }) => [code(rule), formatCount(paths), formatSize(bytes)]),
      'lrr',
    ),
    ...(leftOut.length === 0
      ? []
      : [
          '### Left out of listed directories',
          table(
            ['directory', 'entries', 'unpacked', 'kept by'],
            leftOut.map(({ path, entries, bytes }) => [
              code(`/${path}`),
              formatCount(entries),
              formatSize(bytes),
              code(`--keep ${path}`),
            ]),
            'lrrl',
          ),
        ]),
    ...(forced.length === 0
      ? []
      : ['### Forced: the image may not run', bullets(forced.map(escapeMarkdown))]),
  ];
}

/** Shows the attack surface before and after. */
function renderSurface(surface: SurfaceReport): string[] {
  const rows = surface.files.filter(({ before, after }) => before.length + after.length > 0);
  const counts = rows.map(({ kind, before, after }) => [
    surfaceWords[kind],
    formatCount(before.length),
    formatCount(after.length),
  ]);
  const config = configLines(surface).map(([label, text]) => `${label}: ${escapeMarkdown(text)}`);
  return [
    '### Attack surface',
    ...(rows.length === 0 ? [] : [table(['', 'before', 'after'], counts, 'lrr'), ...surfacePaths(rows)]),
    bullets(config),
  ];
}

function surfacePaths(rows: SurfaceReport['files']): string[] {
  const paths = rows.flatMap((row) =>
    listSurface(row).map(({ file, stays }) => [
      surfaceWords[row.kind],
      code(fileText(file)),
      stays ? '' : 'gone',
    ]),
  );
  const rest = paths.length - listedPaths;
  const more = `${formatNumberOf(rest, 'more path is', 'more paths are')} in the JSON report.`;
  return details('Paths', [
    table(['', 'path', ''], paths.slice(0, listedPaths), 'lll'),
    ...(rest > 0 ? [more] : []),
  ]);
}

/** Shows which packages are no longer listed. */
function renderPackages(packageDb: NonNullable<PlatformReport['packageDb']>): string[] {
  const { takenOut, stillListed } = packageDb;
  const rows = takenOut
    .slice(0, listedPaths)
    .map(({ name, version, purl }) => [
      code(name),
      escapeMarkdown(version ?? ''),
      purl === null ? '' : code(purl),
    ]);
  const rest = takenOut.length - rows.length;
  return [
    '### Package databases',
    `${capitalized(takenOutText(packageDb))}.`,
    ...(rows.length === 0
      ? []
      : details('Packages', [
          table(['package', 'version', 'package URL'], rows, 'lll'),
          ...(rest > 0 ? [`and ${formatCount(rest)} more`] : []),
        ])),
    ...(stillListed.length === 0
      ? []
      : [bullets(stillListed.map((each) => escapeMarkdown(stillListedText(each))))]),
  ];
}

/** Shows what became of what scanners had found. */
function renderScanned(scanned: ScannedReport): string[] {
  const { before, after } = totals(scanned);
  const rows = severityRows(scanned).map((row) => [
    row.severity,
    formatCount(row.before),
    formatCount(row.after),
  ]);
  const listed = scanned.findings.filter(({ fate }) => fate !== 'stays');
  const notes = scannedNotes(scanned);
  const shown = listed
    .slice(0, listedPaths)
    .map((row) => [
      code(row.id),
      row.severity,
      code(row.package ?? ''),
      escapeMarkdown(row.version ?? ''),
      fateText(row),
    ]);
  return [
    '### What scanners had found',
    table(
      ['findings', 'before', 'after'],
      [...rows, ['all', formatCount(before), formatCount(after)]],
      'lrr',
    ),
    ...(notes.length === 0 ? [] : [bullets(notes.map(escapeMarkdown))]),
    ...(shown.length === 0
      ? []
      : details('Findings that did not stay', [
          table(['finding', 'severity', 'package', 'version', ''], shown, 'lllll'),
          ...(listed.length > shown.length ? [`and ${formatCount(listed.length - shown.length)} more`] : []),
        ])),
  ];
}

/** Shows what a restore brought back. */
function renderRestoring({ original, paths, stillMissing, stillLinked = 0 }: RestoringReport): string[] {
  const listed = paths.slice(0, listedPaths);
  const rest = paths.length - listed.length;
  const rows = listed.map((entry) => [code(shownPath(entry)), formatSize(entry.bytes)]);
  return [
    '### Restored',
    `${formatNumberOf(paths.length, 'path')} from ${code(original)}; ${formatCount(stillMissing)} still missing${stillLinked === 0 ? '' : `, ${formatCount(stillLinked)} still hard links`}.`,
    ...(listed.length === 0 ? [] : [table(['path', 'unpacked'], rows, 'lr')]),
    ...(rest > 0 ? [`and ${formatCount(rest)} more`] : []),
  ];
}

/** Shows what became of the base: what is missing there, and what is hidden of it. */
function renderRebasing(rebasing: RebasingReport): string[] {
  const { missing, hidden, hiddenCount } = rebasing;
  const listed = hidden.slice(0, listedPaths);
  const rest = hiddenCount - listed.length;
  return [
    '### Base',
    `${escapeMarkdown(rebasingSentence(rebasing))}.`,
    ...(missing.length === 0
      ? []
      : [
          table(
            ['missing', 'why', 'what to do'],
            missing.map(({ what, sentence, advice }) => [
              code(what),
              escapeMarkdown(sentence),
              escapeMarkdown(advice),
            ]),
            'lll',
          ),
        ]),
    ...(listed.length === 0
      ? []
      : [
          table(
            ['hidden file of the new base', 'how'],
            listed.map((each) => [code(shownPath(each)), each.how]),
            'll',
          ),
        ]),
    ...(rest > 0 ? [`and ${formatCount(rest)} more`] : []),
  ];
}

/** Shows what changed in the config, with the values. */
function renderConfiguring({ changes }: ConfiguringReport): string[] {
  const value = (json: string | null): string => (json === null ? '' : code(truncate(json, 120)));
  const rows = changes.map(({ member, before, after }) => [code(member), value(before), value(after)]);
  return ['### Config', table(['member', 'before', 'after'], rows, 'lll')];
}

/** Shows what was removed, by rule, with every path. */
function renderSlimming(slimming: SlimmingReport): string[] {
  const { byRule, removed } = slimming;
  const rules = byRule.map(({ rule, origin, entries, bytes }) => [
    code(rule),
    escapeMarkdown(origin),
    formatCount(entries),
    formatSize(bytes),
  ]);
  const changes = otherChanges(slimming);
  return [
    ...(rules.length === 0
      ? []
      : ['### Removed, by rule', table(['rule', 'from', 'entries', 'unpacked'], rules, 'llrr')]),
    ...(removed.length === 0 ? [] : removedPaths(removed)),
    ...(changes.length === 0 ? [] : ['### Other changes', bullets(changes)]),
  ];
}

function removedPaths(removed: SlimmingReport['removed']): string[] {
  const largest = [...removed].sort((a, b) => b.bytes - a.bytes).slice(0, listedPaths);
  const isAll = largest.length === removed.length;
  const title = isAll
    ? 'Removed paths'
    : `The ${listedPaths} largest of ${formatCount(removed.length)} removed paths`;
  const rows = largest.map((entry) => [
    code(shownPath(entry)),
    `${entry.layer}`,
    formatSize(entry.bytes),
    code(entry.rule),
    entry.how === 'hidden' ? 'hidden, not freed' : '',
  ]);
  return details(title, [table(['path', 'layer', 'unpacked', 'rule', ''], rows, 'lrrll')]);
}

function otherChanges({ promoted, cleared, edited = [], linked, noise }: SlimmingReport): string[] {
  return [
    ...promoted.map(
      (link) =>
        `${code(shownPath(link))} holds the data that was in ${code(link.from)}: ${escapeMarkdown(link.reason)}`,
    ),
    ...cleared.map((file) => `${code(shownPath(file))} had mode ${file.oldMode}, has ${file.newMode}`),
    ...edited.map((file) => `${code(shownPath(file))} ${editedText(file)}`),
    ...(linked?.links ?? []).map(
      (link) =>
        `${code(shownPath(link))} is now a hard link to ${code(shownTarget(link))}, an identical file`,
    ),
    ...(noise === undefined ? [] : [escapeMarkdown(noiseText(noise))]),
  ];
}

function shownTarget({ to, toBase64 }: NonNullable<SlimmingReport['linked']>['links'][number]): string {
  return shownPath({ path: to, ...(toBase64 === undefined ? {} : { pathBase64: toBase64 }) });
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
