/**
 * Renders what traces saw, as text and as data. `ocislim trace` prints it.
 */
import type { PackageUsage } from '../closure/package-usage.ts';
import type { NotInImage, Trace } from '../trace/trace.ts';
import { rightsFields } from '../trace/rights-fields.ts';
import type { TraceSummary } from '../trace/trace-summary.ts';
import { displayPath, escapeText, pathFields } from './escape.ts';
import { formatCount, formatNumberOf, formatSeconds, formatSize } from './figures.ts';
import { plainStyle, type Style } from './style.ts';
import { layOut } from './table.ts';

export interface TraceDescription {
  readonly trace: Trace;
  readonly summary: TraceSummary;
  /** How packages of the image were used; null without an image. */
  readonly packages: readonly PackageUsage[] | null;
}

interface TextOptions {
  readonly style: Style;
  /** The most lines of a block. */
  readonly limit: number;
}

/** Rows below a title. */
interface Block {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
  /** For `layOut`. */
  readonly alignment: string;
}

/** Renders what a trace saw, for a person. Whole lines, all of them escaped. */
export function renderTrace(
  { trace, summary, packages }: TraceDescription,
  style: Style = plainStyle,
  limit = 20,
): string {
  const { executed, directories } = summary;
  const options = { style, limit };
  const lines = [
    style.bold(escapeText(trace.name)),
    ...layOut(headOf(trace, summary), 'll').map((line) => `  ${line}`),
    ...samplesOf(trace).map((line) => `    ${style.dim(line)}`),
    ...renderBlock(
      { title: 'executed', rows: executed.map((path) => [`/${displayPath(path)}`]), alignment: 'l' },
      options,
    ),
    ...renderBlock(
      {
        title: 'by directory',
        rows: directories.map(({ path, paths }) => [formatCount(paths), `/${displayPath(path)}`]),
        alignment: 'rl',
      },
      options,
    ),
    ...(packages === null
      ? []
      : renderBlock({ title: 'by package', rows: packageRows(packages), alignment: 'rrrl' }, options)),
  ];
  return `${lines.join('\n')}\n`;
}

function packageRows(packages: readonly PackageUsage[]): string[][] {
  return packages
    .filter(({ used }) => used > 0)
    .map((each) => [
      formatSize(each.usedBytes),
      `of ${formatSize(each.bytes)}`,
      formatNumberOf(each.used, 'file'),
      each.kind === null ? 'not in a package' : escapeText(`${each.name} (${each.kind})`),
    ]);
}

/** Renders in one line how much of a trace was read, for stderr, with a line for each sample of what could not be read. */
export function renderReading(trace: Trace): string {
  const { name, paths, lines, unreadable, outside } = trace;
  const parts = [
    `${formatNumberOf(paths.size, 'path')} from ${formatNumberOf(lines, 'line')} of ${escapeText(name)}`,
  ];
  if (unreadable.count > 0) parts.push(`${formatNumberOf(unreadable.count, 'line')} could not be read`);
  if (outside > 0) parts.push(`${formatNumberOf(outside, 'use')} outside of --trace-root`);
  return [parts.join('; '), ...samplesOf(trace).map((line) => `  ${line}`)]
    .map((line) => `${line}\n`)
    .join('');
}

/** Returns all of a trace's description as plain data for JSON. */
export function traceJson({ trace, summary, packages }: TraceDescription): object {
  const { unreadable } = trace;
  return {
    name: trace.name,
    formats: trace.formats,
    platform: trace.platform,
    image: trace.image,
    command: trace.command?.map((word) => displayPath(word)) ?? null,
    lines: trace.lines,
    unreadable: {
      count: unreadable.count,
      samples: unreadable.samples.map(({ file, line, text }) => ({ file, line, text: displayPath(text) })),
    },
    outside: trace.outside,
    paths: trace.paths.size,
    uses: summary.uses,
    knowsExecutions: trace.knowsExecs,
    runs: trace.ends,
    changes: trace.changes.length,
    notInImage:
      trace.notInImage === null
        ? null
        : { count: trace.notInImage.count, first: trace.notInImage.first.map(pathFields) },
    gaps: trace.gaps,
    executed: summary.executed.map(pathFields),
    directories: summary.directories.map(({ path, paths }) => ({ ...pathFields(path), paths })),
    syscalls: {
      complete: trace.hasAllSyscalls,
      counts: Object.fromEntries([...trace.syscalls].sort(byName)),
    },
    ...rightsFields(trace.rights),
    ...(packages === null ? {} : { packages }),
  };
}

function headOf(trace: Trace, { uses }: TraceSummary): string[][] {
  const { formats, lines, unreadable, platform, image, command, outside, syscalls } = trace;
  const counted = (
    [
      [uses.open, 'opened'],
      [uses.exec, 'executed'],
      [uses.stat, 'looked at'],
      [uses.list, 'listed'],
      [uses.write, 'written'],
      [uses.replaced, 'replaced'],
      [uses.connect, 'connected to'],
      [uses.link, 'looked at as links'],
      [uses.fail + uses.failLink, 'there, though a call failed'],
    ] as const
  )
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${formatCount(count)} ${what}`);
  return [
    [
      'read',
      `${formatNumberOf(lines, 'line')} of ${escapeText(formats.join(', '))}` +
        (unreadable.count > 0 ? `, ${formatCount(unreadable.count)} unreadable` : ''),
    ],
    ...(outside > 0 ? [['outside', `${formatNumberOf(outside, 'use')} not below --trace-root`]] : []),
    ['platform', platform === null ? 'not known' : escapeText(platform)],
    ['image', image ?? 'not known'],
    ...(command === null ? [] : [['command', command.map(displayPath).join(' ')]]),
    ...trace.ends.map((end) => ['ended', endText(end)]),
    ...(trace.notInImage === null ? [] : [['not in the image', lossText(trace.notInImage)]]),
    ['paths', `${formatCount(trace.paths.size)}: ${counted.join(', ')}`],
    ...(trace.changes.length > 0
      ? [['renamed, linked', formatNumberOf(trace.changes.length, 'change') + ' of names']]
      : []),
    ...rightsRows(trace),
    ...trace.gaps.map((gap) => ['gaps', escapeText(gap)]),
    ...(syscalls.size > 0
      ? [
          [
            'system calls',
            `${formatCount(syscalls.size)}, ${trace.hasAllSyscalls ? 'recorded without a filter' : 'not all were recorded'}`,
          ],
        ]
      : []),
  ];
}

/** Rows for sockets and capabilities, where the trace shows some. */
function rightsRows({ rights }: Trace): string[][] {
  const row = (title: string, words: Iterable<string>): string[][] => {
    const sorted = [...words].sort();
    return sorted.length === 0 ? [] : [[title, escapeText(sorted.join(', '))]];
  };
  return [...row('sockets', rights.sockets), ...row('capabilities', rights.capabilities.keys())];
}

/** Says which opened paths the image does not have: "2 opened paths: /a, /b". */
export function lossText({ count, first }: NotInImage): string {
  const rest = count - first.length;
  const names = first.map((path) => `/${displayPath(path)}`).join(', ');
  return `${formatNumberOf(count, 'opened path')}${names === '' ? '' : `: ${names}`}${rest > 0 && names !== '' ? `, and ${formatCount(rest)} more` : ''}`;
}

function endText({ status, signal, stopped, seconds }: Trace['ends'][number]): string {
  const how = signal === null ? `with ${status}` : `by ${signal}`;
  const why = { for: ' at the end of --for', signal: ' when it was told to' };
  const after = seconds === null ? '' : `, after ${formatSeconds(seconds)}`;
  return `${how}${stopped === null ? '' : why[stopped]}${after}`;
}

function samplesOf({ unreadable }: Trace): string[] {
  return unreadable.samples.map(
    ({ file, line, text }) =>
      `unreadable: ${escapeText(file)}, line ${line}: ${displayPath(text.slice(0, 100))}`,
  );
}

function renderBlock({ title, rows, alignment }: Block, { style, limit }: TextOptions): string[] {
  if (rows.length === 0) return [];
  const rest = rows.length - limit;
  return [
    '',
    style.bold(title),
    ...layOut(rows.slice(0, limit), alignment).map((line) => `  ${line}`),
    ...(rest > 0 ? [style.dim(`  and ${formatCount(rest)} more`)] : []),
  ];
}

function byName([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : 1;
}
