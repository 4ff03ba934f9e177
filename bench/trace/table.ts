import type { Measured } from './measure.ts';

/** Around the table in README.md. */
const marks = ['<!-- trace table: npm run bench:trace -->', '<!-- end of trace table -->'] as const;

/** The measurements as a Markdown table, a row for each image and granularity. */
export function renderTable(results: readonly Measured[]): string {
  const head = [
    '| image | granularity | transfer | files | works | other path | kept / used |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  const rows = results.map(({ image, granularity, transfer, files, kept, used, works, otherWorks }) =>
    [
      '',
      image,
      granularity,
      `${megabytes(transfer.before)} → ${megabytes(transfer.after)} MB (${(transfer.before / transfer.after).toFixed(1)}×)`,
      `${files.before} → ${files.after}`,
      works ? 'yes' : 'no',
      otherWorks ? 'yes' : 'no',
      granularity === 'file' ? (kept / used).toFixed(2) : '',
      '',
    ]
      .join(' | ')
      .trim(),
  );
  return [...head, ...rows].join('\n');
}

/** The text with the table between the marks. @throws Error where it has no marks */
export function withTable(text: string, table: string): string {
  const [begin, end] = marks.map((mark) => text.indexOf(mark)) as [number, number];
  if (begin < 0 || end < begin) throw new Error('there are no marks for the table');
  return `${text.slice(0, begin + marks[0].length)}\n\n${table}\n\n${text.slice(end)}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
