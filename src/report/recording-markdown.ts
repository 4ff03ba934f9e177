/** Renders a recording and the tries of its pruned image as Markdown. `markdown.ts` puts the chapter behind those of the platforms. */
import { shownPath } from './escape.ts';
import { formatNumberOf, formatSeconds } from './figures.ts';
import { bullets, code, details, escapeMarkdown, table } from './markdown-syntax.ts';
import {
  boundedText,
  differenceText,
  originalText,
  type ProbeReport,
  prunedText,
  recordingNotes,
  recordingSentence,
  secondsOf,
} from './recording-words.ts';
import type { RecordingReport } from './report.ts';

/** The most probes, differences and paths of a list; the JSON report has all of them. */
const [listedProbes, listedDifferences, listedPaths] = [100, 20, 100];
/** A table with more probes is to be unfolded. */
const unfoldedProbes = 20;

/** Renders the chapter. All markup in it is ours. */
export function renderRecording(recording: RecordingReport): string[] {
  const { platform, sandbox, command, probes, paths } = recording;
  const facts = [
    `command: ${code(boundedText(command.join(' ')))}`,
    `sandbox: ${sandbox}`,
    `used: ${formatNumberOf(paths, 'path')}`,
    ...recordingNotes(recording).map(([label, text]) => `${label}: ${escapeMarkdown(text)}`),
  ];
  return [
    '## Recorded and tried',
    `${escapeMarkdown(platform)} ${escapeMarkdown(recordingSentence(recording))}.`,
    bullets(facts),
    ...probeTable(probes),
    ...repairs(recording),
  ];
}

function probeTable(probes: RecordingReport['probes']): string[] {
  if (probes.length === 0) return [];
  const head = ['probe', 'original', 'pruned', 'time'];
  const rows = table(head, probes.slice(0, listedProbes).map(probeRow), 'lllr');
  const rest = probes.length - listedProbes;
  const blocks = [
    rows,
    ...(rest > 0 ? [`${formatNumberOf(rest, 'more probe is', 'more probes are')} in the JSON report.`] : []),
  ];
  return probes.length <= unfoldedProbes ? blocks : details(formatNumberOf(probes.length, 'probe'), blocks);
}

function probeRow(probe: ProbeReport): string[] {
  return [
    code(boundedText(probe.name)),
    escapeMarkdown(originalText(probe)),
    escapeMarkdown(prunedText(probe)),
    secondsOf(probe)
      .flatMap((seconds) => (seconds === null ? [] : formatSeconds(seconds)))
      .join(' → '),
  ];
}

/** Shows the tries before the last: in what each differed, and which paths it asked for. */
function repairs({ trials }: RecordingReport): string[] {
  return trials.slice(0, -1).flatMap(({ differences, missing }, i) => {
    const [told, paths] = [differences.slice(0, listedDifferences), missing.slice(0, listedPaths)];
    const left = [differences.length - told.length, missing.length - paths.length] as const;
    return [
      `### Try ${i + 1}: put back`,
      bullets([
        ...told.map((each) => escapeMarkdown(boundedText(differenceText(each)))),
        ...(left[0] > 0 ? [formatNumberOf(left[0], 'more difference')] : []),
        ...paths.map((path) => code(`/${boundedText(shownPath(path))}`)),
        ...(left[1] > 0 ? [formatNumberOf(left[1], 'more path')] : []),
      ]),
    ];
  });
}
