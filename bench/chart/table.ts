/**
 * Renders results as Markdown: the summary in bench/README.md and the page of all measurements. A test holds both
 * equal to bench/results.json.
 */
import { spread } from '../measure/statistics.ts';
import type { Install, Results, Row } from '../results.ts';
import { works } from '../works/all.ts';
import { baseOf, groupRows, summarise, timeRatio, type Line } from './summary.ts';
import { GiB, MiB } from '../../src/units.ts';

/** The marks around the tables in bench/README.md. */
export const benchMarks = ['<!-- bench table: npm run bench -->', '<!-- end of bench table -->'] as const;

/**
 * Renders the tables of bench/README.md: every work and contender over all images, what is missing, sizes of
 * installations.
 */
export function renderSummary(results: Results): string {
  const rows = summarise(results).flatMap(({ work, lines }) =>
    lines.map((line, i) => cells(i === 0 ? work.title : '', describeLine(line))),
  );
  const head = ['work', 'by', 'time', 'CPU', 'peak memory', 'result', 'moved', 'same image', 'images'];
  return [
    'Ratios to ocislim: medians over the images, with minimum and maximum in brackets. ' +
      '"Same image" is the result of `ocislim verify`; [all measurements](results.md) state the differences.',
    '',
    renderMachine(results),
    '',
    cells(...head),
    cells(...head.map(() => '---')),
    ...rows,
    '',
    ...renderMissing(results),
    ...renderInstalls(results.installs),
  ].join('\n');
}

function describeLine(line: Line): string {
  const time = line.time === null ? '' : `${times(line.time.median)}${range(line)}`;
  const failed = line.failure === null ? '' : `failed: ${escape(shorten(line.failure))}`;
  return [
    line.label.replaceAll('|', String.raw`\|`),
    line.images === 0 ? failed : time,
    line.cpu === null ? '' : times(line.cpu),
    line.memory === null ? '' : `${mebibytes(line.memory)} MiB`,
    line.output === null ? '' : percent(line.output),
    line.moved === null ? '' : percent(line.moved),
    line.same.of === 0
      ? ''
      : line.same.count === line.same.of
        ? 'yes'
        : `${line.same.count} of ${line.same.of}`,
    line.images > 0 && failed !== '' ? `${line.images}; ${failed}` : String(line.images),
  ].join(' | ');
}

function range({ time, images }: Line): string {
  return time === null || images < 2 ? '' : ` (${times(time.min)}–${times(time.max)})`;
}

function renderMachine({ machine, date, versions, images }: Results): string {
  const tools = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const sizes = images.map(({ name, layers, size }) => `${name} (${layers} layers, ${megabytes(size)} MB)`);
  return [
    `${machine.processor}, ${machine.cores} processors, ${(machine.memory / GiB).toFixed(0)} GiB; ${machine.system}, Linux ` +
      `${machine.kernel}, Node ${machine.node}${date === null ? '' : `; ${date}`}.`,
    `Images: ${sizes.join(', ')}.`,
    `Versions: ${tools.join(', ')}.`,
  ].join('\n\n');
}

function renderMissing({ missing }: Results): readonly string[] {
  const names = Object.entries(missing);
  return names.length === 0
    ? []
    : [`Missing: ${names.map(([name, why]) => `${name} (${why})`).join('; ')}.`, ''];
}

function renderInstalls(installs: readonly Install[]): readonly string[] {
  if (installs.length === 0) return [];
  const rows = installs.map(({ name, bytes, dependencies, what }) =>
    cells(name, `${megabytes(bytes)} MB`, dependencies === null ? '' : String(dependencies), what),
  );
  return [cells('installed', 'size', 'dependencies', 'counted'), cells('---', '---', '---', '---'), ...rows];
}

/** Renders the page of all measurements, a table for each work. */
export function renderDetails(results: Results): string {
  const sections = works.flatMap(({ name, title }) => {
    const groups = groupRows(results.rows.filter((row) => row.work === name));
    if (groups.length === 0) return [];
    const head = [
      'image',
      'by',
      'seconds',
      'time',
      'CPU seconds',
      'peak memory',
      'layers',
      'result',
      'down, up',
      '`ocislim verify`',
    ];
    const rows = groups.flatMap((group) =>
      group.map((row, i) => cells(i === 0 ? row.image : '', ...details(row, baseOf(group)))),
    );
    const differences = new Map(
      groups.flat().flatMap(({ label, differs }) => (differs === null ? [] : [[label, differs] as const])),
    );
    const notes = [...differences].map(([label, differs]) => `- ${label}: ${differs}`);
    return [
      `## ${name}: ${title}`,
      '',
      cells(...head),
      cells(...head.map(() => '---')),
      ...rows,
      '',
      ...notes,
      ...(notes.length > 0 ? [''] : []),
    ];
  });
  return [
    '<!-- Written by "npm run bench" from results.json. -->',
    '',
    '# All measurements',
    '',
    'Medians of the rounds, with minimum and maximum in brackets. "time" is the ratio to the time of ocislim in the same round.',
    '',
    ...sections,
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function details(row: Row, base: Row | undefined): readonly string[] {
  const label = row.label.replaceAll('|', String.raw`\|`);
  if (row.runs.length === 0)
    return [label, `failed: ${escape(shorten(row.failure ?? ''))}`, ...Array(7).fill('')];
  const time = spread(row.runs.map(({ seconds }) => seconds));
  const ratio = timeRatio(row, base);
  const middle = (pick: (run: Row['runs'][number]) => number): number => spread(row.runs.map(pick)).median;
  return [
    label,
    `${time.median.toFixed(2)} (${time.min.toFixed(2)}–${time.max.toFixed(2)})`,
    ratio === null ? '' : `${times(ratio.median)} (${times(ratio.min)}–${times(ratio.max)})`,
    middle(({ cpu }) => cpu).toFixed(2),
    `${mebibytes(middle(({ memory }) => memory))} MiB`,
    row.output === null ? '' : String(row.output.layers),
    row.output === null ? '' : `${megabytes(row.output.size)} MB`,
    row.moved === null ? '' : `${megabytes(row.moved.downloaded)}, ${megabytes(row.moved.uploaded)} MB`,
    escape(row.verified ?? '') +
      (row.failure === null ? '' : `; then failed: ${escape(shorten(row.failure))}`),
  ];
}

function cells(...texts: readonly string[]): string {
  return `| ${texts.join(' | ')} |`;
}

export function times(factor: number): string {
  return `${factor.toFixed(factor < 10 ? 2 : 1)}×`;
}

function percent(factor: number): string {
  return `${(factor * 100).toFixed(1)} %`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function mebibytes(bytes: number): string {
  return (bytes / MiB).toFixed(0);
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}

/** Escapes the words of other programs, so that none of them is Markdown. */
function escape(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[|<>`*_]/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
