import type { Granularity, Measured } from './measure.ts';

/** The marks around the table in README.md. */
const marks = ['<!-- trace table: npm run bench:trace -->', '<!-- end of trace table -->'] as const;

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

/** Returns the text with the table between the marks. @throws Error where it has no marks */
export function withTable(text: string, table: string): string {
  const [begin, end] = marks.map((mark) => text.indexOf(mark)) as [number, number];
  if (begin < 0 || end < begin) throw new Error('there are no marks for the table');
  return `${text.slice(0, begin + marks[0].length)}\n\n${table}\n\n${text.slice(end)}`;
}
