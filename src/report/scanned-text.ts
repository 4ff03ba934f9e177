/**
 * Makes the words about what scanners had found. The summary, Markdown and the page call it, so that they say the same.
 */
import { severities } from '../analyze/scanned/scanned.ts';
import { formatNumberOf } from './figures.ts';
import type { ScannedReport } from './report.ts';

type Row = ScannedReport['findings'][number];

/** Says what became of a finding, in a few words. */
export function fateText({ fate, listed }: Pick<Row, 'fate' | 'listed'>): string {
  switch (fate) {
    case 'gone':
      return listed ? 'gone, but still listed' : 'gone';
    case 'partly':
      return 'some files went';
    case 'stays':
      return 'stays';
    case 'unmatched':
      return 'not in this image';
  }
}

/** Lists the severities that occur, with their numbers before and after. */
export function severityRows({
  before,
  after,
}: ScannedReport): readonly { readonly severity: string; readonly before: number; readonly after: number }[] {
  return severities
    .filter((severity) => before[severity] > 0)
    .map((severity) => ({ severity, before: before[severity], after: after[severity] }));
}

/** Says how many findings went, by severity: "2 critical, 14 high". Empty where none did. */
export function goneText(scanned: ScannedReport): string {
  return severityRows(scanned)
    .filter(({ before, after }) => before > after)
    .map(({ severity, before, after }) => `${before - after} ${severity}`)
    .join(', ');
}

/** Says what a reader must know about findings that did not simply go or stay. */
export function scannedNotes({ findings }: ScannedReport): readonly string[] {
  const count = (test: (row: Row) => boolean) => findings.filter(test).length;
  const listed = count(({ fate, listed: is }) => fate === 'gone' && is);
  const partly = count(({ fate }) => fate === 'partly');
  const unmatched = count(({ fate }) => fate === 'unmatched');
  return [
    ...(listed === 0
      ? []
      : [
          `${formatNumberOf(listed, 'finding')} of packages without files, which are still listed (--package-db sync)`,
        ]),
    ...(partly === 0 ? [] : [`${formatNumberOf(partly, 'finding')} of packages of which some files went`]),
    ...(unmatched === 0 ? [] : [`${formatNumberOf(unmatched, 'finding')} of what the image does not have`]),
  ];
}

/** Returns the numbers of all findings, before and after. */
export function totals({ before, after }: ScannedReport): {
  readonly before: number;
  readonly after: number;
} {
  const sum = (counts: ScannedReport['before']) =>
    severities.reduce((total, severity) => total + counts[severity], 0);
  return { before: sum(before), after: sum(after) };
}
