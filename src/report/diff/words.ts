/**
 * The words for what differs between two images. The text and Markdown use the same, and both cut long lists in the same way.
 */
import type {
  DiffAspect,
  DiffVerdict,
  Download,
  FileChange,
  FileTotals,
  ImageDiff,
  LayerEntryChange,
  LayerPair,
  PackageChange,
  PlatformDiff,
} from '../../analyze/diff/image-diff.ts';
import { displayPath, escapeLines, escapeText } from '../escape.ts';
import { formatChange, formatCount, formatNumberOf, formatSize } from '../figures.ts';
import { describeMaker } from '../made-by.ts';
import { truncate } from '../table.ts';

/** What the renderers are asked for beside the format. */
export interface DiffRenderOptions {
  /** The most rows of each list. */
  readonly top: number;
  /** Whether to leave out all lists. */
  readonly summary: boolean;
}

const aspectWords: Partial<Record<DiffAspect, string>> = {
  content: 'contents',
  platform: 'platforms',
  mediatype: 'media types',
  xattr: 'extended attributes',
  links: 'hard links',
};

/** Joins the names of aspects: `files, contents and mtime`. */
export function aspectList(aspects: readonly DiffAspect[]): string {
  const words = aspects.map((aspect) => aspectWords[aspect] ?? aspect);
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Says in a sentence without an end what the comparison found; names are escaped. */
export function verdictSentence({ a, b, verdict, paths }: ImageDiff): string {
  const scope = paths.length === 0 ? '' : ` in ${paths.map(escapeText).join(', ')}`;
  return `${escapeText(b.name)} ${verdictWords(verdict, escapeText(a.name))}${scope}`;
}

/** Says what a verdict means for an image beside another one, `other`. */
export function verdictWords({ kind, butFor, differIn }: DiffVerdict, other: string): string {
  switch (kind) {
    case 'identical':
      return `is identical to ${other}`;
    case 'identical-but':
      return `is identical to ${other} but for ${aspectList(butFor)}`;
    case 'different': {
      const ignored = butFor.length === 0 ? '' : ` (ignored: ${aspectList(butFor)})`;
      return `differs from ${other} in ${aspectList(differIn)}${ignored}`;
    }
  }
}

/** Renders the name of a platform, escaped. */
export function platformTitle({ platform }: PlatformDiff): string {
  return escapeText(platform ?? 'image');
}

/** A row of the headline: what is counted, in A and in B, and the change. */
export interface HeadlineRow {
  readonly what: string;
  readonly a: string;
  readonly b: string;
  readonly change: string;
}

/** Returns the sizes and counts of both images. Contents are left out where no layer had to be read. */
export function headline({ a, b }: PlatformDiff): readonly HeadlineRow[] {
  const sizes = (what: string, was: number | undefined, is: number | undefined): HeadlineRow[] =>
    was === undefined && is === undefined ? [] : [row(what, was, is, formatSize, formatChange)];
  const counts = (what: string, was: number | undefined, is: number | undefined): HeadlineRow[] =>
    was === undefined && is === undefined ? [] : [row(what, was, is, formatCount, countChange)];
  const [before, after] = [a?.contents ?? undefined, b?.contents ?? undefined];
  return [
    ...sizes('pull size', a?.transferBytes, b?.transferBytes),
    ...sizes('unpacked', before?.bytes, after?.bytes),
    ...counts('paths', before?.paths, after?.paths),
    ...counts('packages', before?.packages, after?.packages),
    ...counts('layers', a?.layers, b?.layers),
  ];
}

function row(
  what: string,
  a: number | undefined,
  b: number | undefined,
  format: (value: number) => string,
  change: (a: number, b: number) => string,
): HeadlineRow {
  const text = (value: number | undefined) => (value === undefined ? '–' : format(value));
  return { what, a: text(a), b: text(b), change: a === undefined || b === undefined ? '' : change(a, b) };
}

function countChange(a: number, b: number): string {
  return b === a ? '' : `${b > a ? '+' : '-'}${formatCount(Math.abs(b - a))}`;
}

/** Says how many paths differ, and how: `3 added (1.2 MB), 1 removed (12 B)`. */
export function totalsText({ added, removed, changed, attributes }: FileTotals): string {
  const counted = (paths: number, words: string) => (paths === 0 ? [] : [`${formatCount(paths)} ${words}`]);
  return [
    ...counted(added.paths, `added (${formatSize(added.bytes)})`),
    ...counted(removed.paths, `removed (${formatSize(removed.bytes)})`),
    ...counted(
      changed.paths,
      `changed (${formatSize(changed.bytesBefore)} → ${formatSize(changed.bytesAfter)})`,
    ),
    ...counted(attributes.paths, 'with other attributes alone'),
  ].join(', ');
}

/** The marks of changes. */
export const fileMarks = { added: '+', removed: '-', changed: '~', attributes: '=' } as const;
export const packageMarks = {
  added: '+',
  removed: '-',
  upgraded: '↑',
  downgraded: '↓',
  changed: '~',
} as const;

/** Renders a path as it stands in the container, escaped. */
export function pathText({ path }: Pick<FileChange, 'path'>): string {
  return `/${displayPath(path)}`;
}

/** Renders the bytes of a file: before and after where they differ; empty for what has none. */
export function bytesText({ a, b }: Pick<FileChange, 'a' | 'b'>): string {
  const [was, is] = [sizeOf(a), sizeOf(b)];
  if (was === is || was === '' || is === '') return is === '' ? was : is;
  return `${was} → ${is}`;
}

function sizeOf(state: FileChange['a']): string {
  return state?.kind === 'file' ? formatSize(state.bytes) : '';
}

/** Renders the layers that brought a path: `layer 2`, `layer 1 → 2`. */
export function layerText({ a, b }: Pick<FileChange, 'a' | 'b'>): string {
  const numbers = [...new Set([a?.layer ?? null, b?.layer ?? null])].filter((number) => number !== null);
  return numbers.length === 0 ? '' : `layer ${numbers.join(' → ')}`;
}

const longestValue = 60;

/** The aspects that people look for first. */
const leading: ReadonlySet<string> = new Set(['kind', 'content', 'target', 'device']);

/** Says in what a path differs: `content`, `mode 0644 → 0755`, escaped. Digests are left out: no person compares them. */
export function detailsText({ details }: { readonly details: LayerEntryChange['details'] }): string {
  const [first, rest] = [true, false].map((is) => details.filter(({ what }) => leading.has(what) === is));
  return [...(first ?? []), ...(rest ?? [])].map(detailText).join(', ');
}

function detailText({ what, a, b }: LayerEntryChange['details'][number]): string {
  if (what === 'content' || what === 'sparse') return what;
  return what === 'mtime'
    ? `mtime ${timeText(a)} → ${timeText(b)}`
    : `${what} ${valueText(a)} → ${valueText(b)}`;
}

/** Renders seconds since 1970 as a date. Another text stays. */
function timeText(seconds: string): string {
  const date = new Date(Math.floor(Number(seconds)) * 1000);
  if (seconds === '' || Number.isNaN(date.valueOf())) return seconds === '' ? 'none' : valueText(seconds);
  const [, fraction = ''] = seconds.split('.');
  return `${date.toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Renders a value of a detail or a member, escaped and cut. */
export function valueText(value: string | null, longest = longestValue): string {
  return value === null ? 'nothing' : escapeText(truncate(value, longest));
}

/** Chooses the rows that a list shows: all, or those with the most bytes; in the order of the list. */
export function topOf<T>(list: readonly T[], top: number, weigh: (item: T) => number): readonly T[] {
  if (list.length <= top) return list;
  const heaviest = list.map((item, i) => [weigh(item), i] as const).sort(([a, i], [b, j]) => b - a || i - j);
  const chosen = new Set(heaviest.slice(0, top).map(([, i]) => i));
  return list.filter((_, i) => chosen.has(i));
}

/** Returns the files that have a patch. */
export function patchesOf(
  files: readonly FileChange[],
): readonly (FileChange & { readonly patch: string })[] {
  return files.flatMap(({ patch, ...file }) => (patch === undefined ? [] : [{ ...file, patch }]));
}

/** Returns the files with a patch that both sides have: what a person reads. */
export function changesOf(files: readonly FileChange[]): ReturnType<typeof patchesOf> {
  return patchesOf(files).filter(({ change }) => change === 'changed');
}

/** Returns the lines of a patch for a person: escaped, with tabs as they are. They are not for `patch`: `patch.ts` renders those. */
export function patchLinesOf(patch: string): readonly string[] {
  return escapeLines(patch).split('\n').slice(0, -1);
}

/** Returns the bytes by which a path weighs in a list: those that went, came, or were replaced. */
export function weightOf({ a, b, change }: FileChange): number {
  return change === 'attributes' ? 0 : Math.max(a?.bytes ?? 0, b?.bytes ?? 0);
}

/** Renders the versions of a package, escaped: `1.2 → 1.3`, `1.3`. */
export function versionText({ a, b, change }: PackageChange): string {
  if (change === 'added') return escapeText(b ?? '');
  if (change === 'removed') return escapeText(a ?? '');
  return `${escapeText(a ?? 'unknown')} → ${escapeText(b ?? 'unknown')}`;
}

/** Says how many packages were added, removed, and changed their version. */
export function packageTotals(packages: readonly PackageChange[]): string {
  const counts = Map.groupBy(packages, ({ change }) => change);
  return (['added', 'removed', 'upgraded', 'downgraded', 'changed'] as const)
    .flatMap((change) =>
      counts.has(change) ? [`${formatCount(counts.get(change)?.length ?? 0)} ${change}`] : [],
    )
    .join(', ');
}

const relationWords: Readonly<Record<LayerPair['relation'], string>> = {
  same: 'same blob',
  repacked: 'same contents, other blob',
  changed: 'changed',
  added: 'only in B',
  removed: 'only in A',
};

/** Says how two layers relate, with the aspects that only layers show. */
export function relationText({ relation, aspects }: LayerPair): string {
  return relation === 'changed' && aspects.length > 0
    ? `changed (${aspectList(aspects)})`
    : relationWords[relation];
}

/** Renders the instruction of the layer of B, else of A, escaped. */
export function instructionText({ a, b }: LayerPair): string {
  return escapeText(describeMaker((b ?? a)?.instruction ?? null));
}

/** Renders the bytes of a download and their share: `12.3 MB`, `~1.2 MB`. */
export function downloadText({
  transferBytes,
  totalBytes,
  isEstimate,
}: Download): readonly [bytes: string, share: string] {
  const share = totalBytes === 0 ? '' : `${((100 * transferBytes) / totalBytes).toFixed(1)} %`;
  return [`${isEstimate ? '~' : ''}${formatSize(transferBytes)}`, share];
}

/** Says how many rows of a list are not shown; empty for none. */
export function moreText(all: number, shown: number): string {
  return all === shown ? '' : `and ${formatNumberOf(all - shown, 'more', 'more')}`;
}
