/**
 * The rows of the summary's table for one image: what slimming or squashing, keeping, restoring and packing did. `summary.ts` lays them out.
 */
import { layerKind } from '../oci/media-type.ts';
import { noiseText } from './noise-text.ts';
import { escapeText } from './escape.ts';
import { formatChange, formatCount, formatNumberOf, formatSize } from './figures.ts';
import { errorText, forecastSize } from './forecast-text.ts';
import { actionText, actionWords } from './layer-table.ts';
import { stillListedText, takenOutText } from './packages-text.ts';
import { rebasingNotes, rebasingSentence } from './rebasing-text.ts';
import { figureText, relayeringFigures } from './relayering-text.ts';
import type {
  ConfiguringReport,
  KeepingReport,
  LayerAction,
  LayerReport,
  PlatformReport,
  RebasingReport,
  RelayeringReport,
  RestoringReport,
  ScannedReport,
  SlimmingReport,
} from './report.ts';
import { goneText, scannedNotes, severityRows, totals } from './scanned-text.ts';
import type { Style } from './style.ts';
import { renderSurfaceRows } from './surface-text.ts';
import { type Cell, truncate } from './table.ts';

/** A row of the table; missing cells are empty. */
interface Row {
  readonly label?: string;
  /** The rule or kind that the row is about. */
  readonly name?: Cell;
  readonly before?: string;
  readonly arrow?: string;
  readonly after?: string;
  readonly change?: Cell;
  readonly remark?: Cell;
}

/** A rule with what it accounts for. */
interface RuleSum {
  readonly name: string;
  readonly bytes: number;
  readonly count: number;
}

/** The alignment of the columns, for `layOut`. */
export const summaryAlignment = 'llrlrrl';

/** Rules beyond these are summed up. */
const shownRules = 8;

/** How rows are rendered. */
interface RowOptions {
  readonly style: Style;
  /** Columns of the terminal. */
  readonly width: number;
  /** What the command calls its work: "slimming", "squashing". */
  readonly work: string;
}

/** Renders the rows for one image: label, name, before, arrow, after, change, remark. Long names are shortened. */
export function renderPlatformRows(platform: PlatformReport, options: RowOptions): Cell[][] {
  const { slimming, keeping, packageDb, scanned, restoring, rebasing, relayering, configuring, surface } =
    platform;
  const { style, work } = options;
  const rows = [
    ...(slimming === null ? [] : slimmingRows(slimming, options)),
    ...(keeping === null ? [] : keepingRows(keeping, style)),
    ...(packageDb === undefined ? [] : packageRows(packageDb, style)),
    ...(scanned === undefined ? [] : scannedRows(scanned, style)),
    ...(restoring === undefined ? [] : [restoringRow(restoring)]),
    ...(rebasing === undefined ? [] : rebasingRows(rebasing, style)),
    ...(relayering === undefined ? [] : relayeringRows(relayering, style)),
    ...(configuring === undefined ? [] : [configuringRow(configuring)]),
    pullRow(platform, style, work),
    layersRow(platform.layers),
  ];
  return [...rows.map(cellsOf), ...(surface === null ? [] : renderSurfaceRows(surface, style))];
}

function cellsOf(row: Row): Cell[] {
  const { label = '', name = '', before = '', arrow = '', after = '', change = '', remark = '' } = row;
  return [label, name, before, arrow, after, change, remark];
}

/** Makes the rows of slimming: the sum, then what removed it. */
function slimmingRows(slimming: SlimmingReport, { style, width, work }: RowOptions): Row[] {
  const { bytesBefore, bytesAfter, filesRemoved, removedEntries } = slimming;
  const files = formatNumberOf(filesRemoved, 'file');
  const entries = formatNumberOf(removedEntries, 'entry', 'entries');
  return [
    {
      label: work,
      ...sizes(bytesBefore, bytesAfter, style),
      remark: removedEntries === 0 ? 'nothing removed' : `unpacked; removed ${files}, ${entries} in all`,
    },
    ...removalRows(slimming, style, width),
    ...hiddenRows(slimming, style),
    ...linkedRows(slimming, style),
    ...noiseRows(slimming, style),
  ];
}

/** Makes a row for each rule, the one that saves most first. */
function removalRows(slimming: SlimmingReport, style: Style, width: number): Row[] {
  const room = Math.max(36, width - 84);
  return heaviest(sumsByName(slimming)).map(({ name, bytes, count }) => ({
    name: { text: truncate(escapeText(name), room), paint: style.dim },
    after: formatSize(-bytes),
    remark: { text: formatNumberOf(count, 'entry', 'entries'), paint: style.dim },
  }));
}

/** Adds up rules by name: all rules of a preset count as one, and so do all files that an option removes. */
function sumsByName({ byRule }: SlimmingReport): RuleSum[] {
  const sums = new Map<string, RuleSum>();
  for (const { rule, origin, entries, bytes } of byRule) {
    const isGroup = origin.startsWith('preset ') || rule === 'shadowed';
    const name = isGroup ? origin.replace(/^preset /, '') : rule;
    const sum = sums.get(name) ?? { name, bytes: 0, count: 0 };
    sums.set(name, { name, bytes: sum.bytes + bytes, count: sum.count + entries });
  }
  return [...sums.values()].sort((a, b) => b.bytes - a.bytes);
}

/** Keeps the first rules and sums up the rest, which are at least two. */
function heaviest(sorted: readonly RuleSum[]): RuleSum[] {
  if (sorted.length <= shownRules + 1) return [...sorted];
  const rest = sorted.slice(shownRules);
  const total = (key: 'bytes' | 'count'): number => rest.reduce((sum, each) => sum + each[key], 0);
  return [
    ...sorted.slice(0, shownRules),
    { name: `${rest.length} more`, bytes: total('bytes'), count: total('count') },
  ];
}

function hiddenRows({ removed }: SlimmingReport, style: Style): Row[] {
  const hidden = removed.filter(({ how }) => how === 'hidden').length;
  if (hidden === 0) return [];
  const them = hidden === 1 ? 'it' : 'them';
  const text = `${formatNumberOf(hidden, 'path')} hidden, not freed: a layer that was not selected holds ${them}`;
  return [{ remark: { text, paint: style.warning } }];
}

function linkedRows({ linked }: SlimmingReport, style: Style): Row[] {
  if (linked === undefined) return [];
  const text =
    linked.files === 0
      ? 'no identical files'
      : `${formatNumberOf(linked.files, 'file')} replaced by hard links to identical files`;
  return [
    {
      name: { text: 'duplicates', paint: style.dim },
      after: linked.files === 0 ? '' : formatSize(-linked.bytes),
      remark: { text, paint: style.dim },
    },
  ];
}

function noiseRows({ noise }: SlimmingReport, style: Style): Row[] {
  if (noise === undefined) return [];
  return [
    { name: { text: 'noise', paint: style.dim }, remark: { text: noiseText(noise), paint: style.dim } },
  ];
}

/** The most listed directories of which the summary says what was left out. */
const mostListed = 3;

/** Says what of a listed directory was left out, and which option keeps it. */
function leftOutText({ path, entries, bytes }: KeepingReport['leftOut'][number]): string {
  const shown = escapeText(path);
  return `left out of the listed /${shown}: ${formatNumberOf(entries, 'entry', 'entries')}, ${formatSize(bytes)} (--keep ${shown})`;
}

/** Renders what stays, by the rules that keep it. */
function keepingRows(keeping: KeepingReport, style: Style): Row[] {
  const { trace, granularity, byRule, leftOut, forced } = keeping;
  const sums = byRule.map(({ rule, bytes, paths }) => ({ name: rule, bytes, count: paths }));
  const bytes = sums.reduce((total, each) => total + each.bytes, 0);
  const paths = sums.reduce((total, each) => total + each.count, 0);
  return [
    {
      label: 'keeping',
      before: formatSize(bytes),
      remark: `unpacked; ${formatNumberOf(paths, 'path')} by ${escapeText(trace)}, granularity ${granularity}`,
    },
    ...heaviest(sums).map((each) => ({
      name: { text: each.name, paint: style.dim },
      before: formatSize(each.bytes),
      remark: { text: formatNumberOf(each.count, 'path'), paint: style.dim },
    })),
    ...leftOut.slice(0, mostListed).map((each) => ({
      remark: { text: leftOutText(each), paint: style.dim },
    })),
    ...(leftOut.length > mostListed
      ? [
          {
            remark: {
              text: `and of ${leftOut.length - mostListed} more listed directories`,
              paint: style.dim,
            },
          },
        ]
      : []),
    ...forced.map((reason) => ({
      remark: { text: `forced: ${escapeText(reason)}`, paint: style.warning },
    })),
  ];
}

/** Says which packages are no longer listed, and which databases still list some without files. */
function packageRows(packageDb: NonNullable<PlatformReport['packageDb']>, style: Style): Row[] {
  return [
    { label: 'packages', remark: takenOutText(packageDb) },
    ...packageDb.stillListed.map((each) => ({
      remark: { text: escapeText(stillListedText(each)), paint: style.warning },
    })),
  ];
}

/** Makes the rows about what scanners had found: all, then by severity. */
function scannedRows(scanned: ScannedReport, style: Style): Row[] {
  const { before, after } = totals(scanned);
  const gone = goneText(scanned);
  const numbers = (row: { readonly before: number; readonly after: number }) => ({
    before: formatCount(row.before),
    arrow: '→',
    after: formatCount(row.after),
  });
  return [
    {
      label: 'findings',
      ...numbers({ before, after }),
      remark: gone === '' ? 'of scanners; none went away' : `of scanners; gone: ${gone}`,
    },
    ...severityRows(scanned).map((row) => ({
      name: { text: row.severity, paint: style.dim },
      ...numbers(row),
    })),
    ...scannedNotes(scanned).map((text) => ({ remark: { text, paint: style.dim } })),
  ];
}

function restoringRow({ entries, bytes, stillMissing, stillLinked = 0 }: RestoringReport): Row {
  const missing =
    stillMissing === 0 ? 'nothing is missing' : `${formatNumberOf(stillMissing, 'path')} still missing`;
  const rest =
    stillLinked === 0 ? missing : `${missing}; ${formatNumberOf(stillLinked, 'name')} still hard links`;
  if (entries === 0) return { label: 'restoring', remark: `nothing to restore; ${rest}` };
  const remark = `put back ${formatNumberOf(entries, 'path')}; ${rest}`;
  return { label: 'restoring', after: `+${formatSize(bytes)}`, remark };
}

/** The most notes about a new base. */
const shownNotes = 12;

function rebasingRows(rebasing: RebasingReport, style: Style): Row[] {
  const notes = rebasingNotes(rebasing);
  const rest = notes.length - shownNotes;
  const more = rest > 0 ? [`and ${formatCount(rest)} more`] : [];
  return [
    { label: 'rebase', remark: rebasingSentence(rebasing) },
    ...[...notes.slice(0, shownNotes), ...more].map((text) => ({
      remark: { text, paint: rebasing.missing.length > 0 ? style.warning : style.dim },
    })),
  ];
}

/** Makes the rows of what updates download, before and after. */
function relayeringRows(relayering: RelayeringReport, style: Style): Row[] {
  return relayeringFigures(relayering).map(
    ({ label, before, after, wasEstimate, isEstimate, remark }, i) => ({
      label: i === 0 ? 'updates' : '',
      name: label,
      before: figureText(before, wasEstimate),
      arrow: '→',
      after: figureText(after, isEstimate),
      change: {
        text: before === 0 ? '' : formatChange(before, after),
        paint: after <= before ? style.good : style.warning,
      },
      remark: { text: remark, paint: style.dim },
    }),
  );
}

/** The most members that are named. */
const shownMembers = 8;

/** Names the members of the config that changed. */
function configuringRow({ changes }: ConfiguringReport): Row {
  const names = changes.map(({ member }) => escapeText(member.replace(/^config\./, '')));
  const rest = names.length - shownMembers;
  const shown = names.slice(0, shownMembers).join(', ');
  return { label: 'config', remark: `changed: ${shown}${rest > 0 ? `, ${formatCount(rest)} more` : ''}` };
}

/** Makes the row of what a pull transfers: the bytes of all layers as they are stored, and what changed them. */
function pullRow(platform: PlatformReport, style: Style, work: string): Row {
  const { sizeBefore, sizeAfter, sizeAfterError } = platform.compressing;
  return {
    label: 'pull size',
    ...sizes(sizeBefore, sizeAfter, style, sizeAfterError),
    remark: `compressed layers${estimateRemark(platform)}${savings(platform, work)}`,
  };
}

/** Says how far an estimated size may be off. */
function estimateRemark({ compressing: { sizeAfterError } }: PlatformReport): string {
  return sizeAfterError === undefined || sizeAfterError === 0 ? '' : `, ${errorText(sizeAfterError)}`;
}

/** Says how many bytes the work on contents and packing saved; nothing where that is unknown or plain from the sizes. */
function savings({ compressing, restoring }: PlatformReport, work: string): string {
  const { sizeBefore, sizeAfter, savedBySlimming, savedByPacking, estimated } = compressing;
  if (restoring !== undefined || sizeAfter === sizeBefore) return '';
  const shares = [
    [savedBySlimming ?? 0, work],
    [savedByPacking ?? 0, 'packing'],
  ] as const;
  const parts = shares.flatMap(([saved, by]) => (saved === 0 ? [] : [`${formatSize(-saved)} by ${by}`]));
  if (parts.length === 0) return '';
  return `: ${parts.join(', ')}${estimated && parts.length > 1 ? ' (estimate)' : ''}`;
}

/** Makes the row that counts layers by what was done to them. */
function layersRow(layers: readonly LayerReport[]): Row {
  const sources = layers.reduce((sum, { before }) => sum + before.length, 0);
  const results = layers.filter(({ action }) => action !== 'dropped').length;
  const change = results === sources ? {} : { arrow: '→', after: `${results}` };
  return { label: 'layers', before: `${sources}`, ...change, remark: countActions(layers) };
}

function countActions(layers: readonly LayerReport[]): string {
  const counts = Map.groupBy(layers, wordOf);
  const order = Object.keys(actionWords) as LayerAction[];
  return [...counts]
    .sort(([, [a]], [, [b]]) => order.indexOf(a?.action ?? 'kept') - order.indexOf(b?.action ?? 'kept'))
    .map(([word, { length }]) => `${length} ${word}`)
    .join(', ');
}

/** Returns what was done to a layer. A plain layer that was packed is told from one that was packed again. */
function wordOf(layer: LayerReport): string {
  const { action, before, after } = layer;
  const [was, is] = [before[0]?.mediaType, after?.mediaType].map((type) => layerKind(type ?? ''));
  const isFirst = action === 'recompressed' && was?.kind === 'layer' && was.compression === 'none';
  return isFirst && is?.kind === 'layer' ? `compressed with ${is.compression}` : actionText(layer);
}

function sizes(before: number, after: number | null, style: Style, error?: number): Row {
  if (after === null) return { before: formatSize(before), arrow: '→', after: '?' };
  const change: Cell = {
    text: formatChange(before, after),
    paint: after > before ? style.warning : style.good,
  };
  return {
    before: formatSize(before),
    arrow: '→',
    after: forecastSize({ size: after, error }),
    ...(before === after ? {} : { change }),
  };
}
