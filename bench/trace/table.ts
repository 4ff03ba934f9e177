/** The tables of bench/trace: the images in docs/measurements.md, the rules in bench/README.md. `run.ts` and `costs.ts` write them. */
import { type Marks, withMarked } from '../../scripts/docs/marked.ts';
import type { Granularity, Measured } from './measure.ts';

/** The marks around the table in docs/measurements.md. */
const marks: Marks = ['<!-- trace table: npm run bench:trace -->', '<!-- end of trace table -->'];
/** The marks around the table in bench/README.md. */
const costMarks: Marks = ['<!-- cost table: bench/trace/costs.ts -->', '<!-- end of cost table -->'];

/** Renders the measurements as a Markdown table, a row for each image, its cells by granularity. */
export function renderTable(results: readonly Measured[]): string {
  const images = new Map<string, Measured[]>();
  for (const each of results) images.set(each.image, [...(images.get(each.image) ?? []), each]);
  const rows = [...images].map(([image, measured]) => {
    const cells = columns.map((granularity) => {
      const found = measured.find((each) => each.granularity === granularity);
      return found === undefined ? '' : describe(found);
    });
    const least = measured.find(({ granularity }) => granularity === 'file');
    const ratio = least === undefined ? '' : (least.kept / least.used).toFixed(2);
    const [first] = measured;
    const before = first === undefined ? '' : size(first.transfer.before, first.files.before);
    return `| ${[image, before, ...cells, ratio].join(' | ')} |`;
  });
  return [
    `| image | before | ${columns.map((granularity) => `\`${granularity}\``).join(' | ')} | kept / used |`,
    `| --- | --- | ${columns.map(() => '---').join(' | ')} | --- |`,
    ...rows,
  ].join('\n');
}

const columns: readonly Granularity[] = ['directory', 'package', 'file'];

/**
 * Renders a cell: the factor, bytes as transferred, files; whether the traced work and the other work are still
 * done.
 */
function describe({ transfer, files, works, otherWorks }: Measured): string {
  const factor = `**${(transfer.before / transfer.after).toFixed(1)}×**`;
  return `${factor} ${size(transfer.after, files.after)} ${mark(works)}${mark(otherWorks)}`;
}

function size(bytes: number, files: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB, ${files.toLocaleString('en-US')} files`;
}

function mark(works: boolean): string {
  return works ? '✓' : '✗';
}

/** What only one rule keeps in an image. */
export interface Cost {
  readonly image: string;
  readonly granularity: Granularity;
  readonly rule: string;
  /** Bytes of files, unpacked. */
  readonly bytes: number;
}

/** Renders the costs of all images together: which these are, and a Markdown table, the dearest rule first. */
export function renderCosts(costs: readonly Cost[]): string {
  const of = (rule: string, granularity: Granularity): readonly Cost[] =>
    costs.filter((each) => each.rule === rule && each.granularity === granularity);
  const rank = (rule: string): number => 1e3 * sum(of(rule, 'package')) + sum(of(rule, 'file'));
  const rows = [...new Set(costs.map(({ rule }) => rule))]
    .toSorted((a, b) => rank(b) - rank(a))
    .map((rule) => `| \`${rule}\` | ${share(of(rule, 'package'))} | ${share(of(rule, 'file'))} |`);
  const images = new Set(costs.map(({ image }) => image));
  const head = ['| rule | at `package` | at `file` |', '| --- | --- | --- |'];
  return [`In ${images.size} images (${[...images].join(', ')}):`, '', ...head, ...rows].join('\n');
}

function share(costs: readonly Cost[]): string {
  const bytes = sum(costs);
  return bytes === 0 ? '–' : `${(bytes / 1e6).toFixed(bytes < 1e5 ? 3 : 1)} MB in ${costs.length}`;
}

function sum(costs: readonly Cost[]): number {
  return costs.reduce((all, { bytes }) => all + bytes, 0);
}

/** Returns docs/measurements.md with the table of images. @throws Error where it has no marks */
export function withTable(text: string, table: string): string {
  return withMarked(text, table, marks);
}

/** Returns bench/README.md with the table of rules. @throws Error where it has no marks */
export function withCosts(text: string, table: string): string {
  return withMarked(text, table, costMarks);
}
