/** Makes the chapter of the page about a recording and the tries of its pruned image. `of-report.ts` puts it to the image that ran. */
import { escapeText, shownPath } from '../escape.ts';
import { formatCount, formatNumberOf } from '../figures.ts';
import {
  boundedText,
  differenceText,
  originalText,
  type ProbeReport,
  prunedText,
  recordingNotes,
  recordingSentence,
  secondsOf,
} from '../recording-words.ts';
import type { RecordingReport } from '../report.ts';
import type { DataTable, PageTried } from './page.ts';
import { capitalized, sentence } from './sentence.ts';

/** The most rows of a table; the JSON report has all of them. */
const mostRows = 1000;

/** Makes the chapter of the platform that ran. */
export function triedOf(recording: RecordingReport): PageTried {
  const { trials, command, sandbox, paths } = recording;
  const differences = trials.at(-1)?.differences;
  return {
    result: differences === undefined ? 'untried' : differences.length === 0 ? 'same' : 'different',
    verdict: sentence(recordingSentence(recording)),
    facts: [
      ['Command', boundedText(command.join(' '))],
      ['Sandbox', sandbox],
      ['Used', formatNumberOf(paths, 'path')],
      ...recordingNotes(recording).map(([label, text]) => [capitalized(label), text] as const),
    ],
    tables: [probeTable(recording), repairTable(recording)].filter(({ rows }) => rows.length > 0),
  };
}

/** Makes the chapter of a platform that was pruned by the same paths, and did not run. */
export function triedAlike({ platform }: RecordingReport): PageTried {
  return {
    result: 'untried',
    verdict: `Pruned by the paths that ${boundedText(platform)} used, and not tried.`,
    facts: [],
    tables: [],
  };
}

function probeTable({ probes }: RecordingReport): DataTable {
  return {
    title: 'Probes',
    note: noteOf(probes.length),
    columns: [
      { title: 'Probe', unit: 'path' },
      { title: 'Original', unit: 'text' },
      { title: 'Pruned', unit: 'text' },
      { title: 'Before', unit: 'seconds' },
      { title: 'After', unit: 'seconds' },
    ],
    rows: probes.slice(0, mostRows).map(probeRow),
  };
}

function probeRow(probe: ProbeReport): (string | number | null)[] {
  return [boundedText(probe.name), originalText(probe), prunedText(probe), ...secondsOf(probe)];
}

/** Makes the table of what the tries before the last lacked, and in what they differed. */
function repairTable({ trials }: RecordingReport): DataTable {
  const rows = trials
    .slice(0, -1)
    .flatMap(({ differences, missing }, i) => [
      ...differences.map((each) => [i + 1, 'differed', boundedText(differenceText(each))]),
      ...missing.map((path) => [i + 1, 'put back', boundedText(escapeText(`/${shownPath(path)}`))]),
    ]);
  return {
    title: 'Repairs',
    note: noteOf(rows.length),
    columns: [
      { title: 'What', unit: 'path' },
      { title: 'Outcome', unit: 'text' },
      { title: 'Try', unit: 'count' },
    ],
    rows: rows.slice(0, mostRows).map(([number, what, text]) => [text ?? '', what ?? '', number ?? 0]),
  };
}

function noteOf(rows: number): string | null {
  if (rows <= mostRows) return null;
  return `The first ${formatCount(mostRows)} of ${formatCount(rows)}; the JSON report has all.`;
}
