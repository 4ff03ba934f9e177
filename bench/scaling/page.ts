/** Renders bench/scaling.md from bench/scaling.json. A test holds both equal. */
import { exponent, median } from '../measure/statistics.ts';
import { axes, commands, type Axis, type ScalingResults, type ScalingRow } from './cases.ts';
import { GiB, MiB } from '../../src/units.ts';

const units: Readonly<
  Record<Axis, { readonly title: string; readonly cost: string; readonly factor: number }>
> = {
  bytes: { title: 'Bytes of a layer', cost: 'CPU ns per additional byte', factor: 1e9 },
  entries: { title: 'Entries of a layer', cost: 'CPU µs per additional entry', factor: 1e6 },
  layers: { title: 'Layers', cost: 'CPU ms per additional layer', factor: 1e3 },
};

/** Renders the page: a table for each respect in which images grow, with the fitted exponents. */
export function renderScaling({ machine, date, version, rows }: ScalingResults): string {
  const sections = axes.flatMap((axis) => {
    const { title, cost } = units[axis];
    const head = [axis, 'command', 'seconds', 'CPU seconds', 'peak MiB', cost];
    const lines = commands.flatMap((argv) => {
      const command = argv.join(' ');
      const measured = rows.filter((row) => row.axis === axis && row.command === command);
      const cells = measured.map((row, i) => line(row, measured[i - 1]));
      return measured.length === 0 ? [] : [...cells, fit(command, measured)];
    });
    return lines.length === 0 ? [] : [`## ${title}`, '', row(head), row(head.map(() => '---')), ...lines, ''];
  });
  return [
    '<!-- Written by "node bench/scaling.ts" from scaling.json. -->',
    '',
    '# Scaling',
    '',
    'Time and memory of ocislim, from layout to layout, as one size grows: the bytes of a layer (100 files, half noise, half text), ' +
      'its entries (256 bytes each), or the number of layers (50 files of 20 kB each). If an image has several layers, each one overwrites a file of the layer below.',
    '',
    'The last column is the additional CPU time compared with the row above, per additional unit. A constant value means linear ' +
      'growth; the time to start is not included. The exponent is b in CPU = a + c·x^b, fitted over the logarithms, with a from the smallest case.',
    '',
    `${machine.processor}, ${machine.cores} processors, ${(machine.memory / GiB).toFixed(0)} GiB; Node ${machine.node}; ocislim ${version}${date === null ? '' : `; ${date}`}.`,
    '',
    ...sections,
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function line(each: ScalingRow, above: ScalingRow | undefined): string {
  const { axis, at, command, runs, failure } = each;
  const name = [amount(axis, at), `\`${command}\``];
  if (runs.length === 0) return row([...name, `failed: ${(failure ?? '').replaceAll('|', ' ')}`, '', '', '']);
  const seconds = median(runs.map((run) => run.seconds));
  const memory = Math.max(...runs.map((run) => run.memory));
  const more = cpuOf(each) - (above === undefined ? Number.NaN : cpuOf(above));
  const cost = (more / (at - (above?.at ?? 0))) * units[axis].factor;
  const digits = { maximumSignificantDigits: 3 };
  return row([
    ...name,
    seconds.toFixed(2),
    cpuOf(each).toFixed(2),
    (memory / MiB).toFixed(0),
    Number.isNaN(cost) ? '' : cost.toLocaleString('en-US', digits),
  ]);
}

/** Returns the median CPU time; NaN for a case that did not run. */
function cpuOf({ runs }: ScalingRow): number {
  return runs.length === 0 ? Number.NaN : median(runs.map((run) => run.cpu));
}

function fit(command: string, [least, ...rows]: readonly ScalingRow[]): string {
  const points = rows.flatMap((each) => {
    const more = least === undefined ? 0 : cpuOf(each) - cpuOf(least);
    return more > 0 ? [{ x: each.at, y: more }] : [];
  });
  const b = exponent(points);
  return row(['*exponent*', `\`${command}\``, '', '', '', b === null ? '' : b.toFixed(2)]);
}

function amount(axis: Axis, at: number): string {
  if (axis !== 'bytes') return at.toLocaleString('en-US');
  return at % GiB === 0 ? `${at / GiB} GiB` : at >= 1e9 ? `${at / 1e9} GB` : `${at / 1e6} MB`;
}

function row(texts: readonly string[]): string {
  return `| ${texts.join(' | ')} |`;
}
