/**
 * The words for a recording and the tries of its pruned image. Summary, Markdown and page use the same; texts are escaped, and those
 * from an image or a probe are bounded.
 */
import { escapeText } from './escape.ts';
import { formatCount, formatNumberOf, formatSize } from './figures.ts';
import type { RecordingReport } from './report.ts';
import { truncate } from './table.ts';

export type ProbeReport = RecordingReport['probes'][number];
type Answer = NonNullable<ProbeReport['pruned']>;

/** Columns of a name in a list, and in a sentence. */
const [longestName, longestMention] = [300, 60];
/** The most names in a sentence. */
const mostMentioned = 3;

/** Renders a name or message from outside: escaped, and bounded. */
export function boundedText(text: string, longest = longestName): string {
  return truncate(escapeText(text.slice(0, 4 * longest)), longest);
}

/** Says in a sentence without an end how often the image ran, what it was asked, and what the pruned image did. */
export function recordingSentence(recording: RecordingReport): string {
  const { runs, trials } = recording;
  const asked = recording.probes.filter((probe) => !isLeftOut(probe)).length;
  const questions = asked === 0 ? '' : ` and was asked ${formatNumberOf(asked, 'thing')}`;
  const differences = trials.at(-1)?.differences ?? null;
  return `ran ${timesText(runs.length)}${questions}; the pruned image ${verdictText(differences, asked)}`;
}

function verdictText(differences: readonly unknown[] | null, asked: number): string {
  if (differences === null) return 'was not tried';
  if (differences.length > 0) return `differs in ${formatNumberOf(differences.length, 'thing')}`;
  return asked === 0 ? 'does the same' : 'answers the same';
}

/** Says what a reader should know about a recording, as label and text: what was not compared, not tried, and put back. */
export function recordingNotes(recording: RecordingReport): (readonly [label: string, text: string])[] {
  const { alike, losses, trials, seccomp } = recording;
  const differences = trials.at(-1)?.differences ?? [];
  const all = [
    ['differs', mentions(differences.map(differenceText), longestName, '; ')],
    ['not compared', uncomparedText(recording)],
    ['not called', mentions(recording.probes.filter(isLeftOut).map(({ name }) => name))],
    ['put back', repairText(recording)],
    ['seccomp', seccomp === null ? '' : seccompText(seccomp, trials.length > 0)],
    ['not tried', alike.length === 0 ? '' : `${mentions(alike)}, pruned by the same paths`],
    ['in the sandbox', losses.map((loss) => boundedText(loss)).join('; ')],
  ] as const;
  return all.filter(([, text]) => text !== '');
}

type Difference = RecordingReport['trials'][number]['differences'][number];

/** Says a difference between the pruned image and its original, not escaped: "GET /: expected 200, 12 bytes; found 500, 3 bytes". */
export function differenceText({ kind, name, expected, found }: Difference): string {
  switch (kind) {
    case 'end':
      return `the program ${found}; that of the original ${expected}`;
    case 'output':
      return `standard output: expected ${expected}; found ${found}`;
    case 'probe':
      if (expected === notAsked) return `${name}: ${found}; the original ${notAsked}`;
      return `${name}: expected ${expected}; ${found === notAsked ? `it ${notAsked}` : `found ${found}`}`;
  }
}

/** What a comparison says of a probe that a run was not asked, since the program had ended or did not link to it. */
const notAsked = 'was not asked';

/** Says how often: "once", "twice", "3 times". */
function timesText(count: number): string {
  return ['never', 'once', 'twice'][count] ?? `${formatCount(count)} times`;
}

/** Tells whether a probe was not made, since its description lacks something: an operation of an API without an example. */
function isLeftOut({ originals }: ProbeReport): boolean {
  return originals.some(
    (answer) => answer !== null && answer.ok && answer.status === null && answer.error !== null,
  );
}

/** Says what the original got. Of several runs whose answers differ, says that of the first that was asked. */
export function originalText(probe: ProbeReport): string {
  const answer = probe.originals.find((each) => each !== null) ?? null;
  return answer === null ? 'not asked' : answerText(probe.kind, answer);
}

/** Says what the pruned image got: "the same" where that is what the original got, as far as it is compared. */
export function prunedText(probe: ProbeReport): string {
  const { pruned, originals, kind, bodyCompared } = probe;
  if (pruned === null) return 'not asked';
  if (isLeftOut(probe)) return '';
  const alike = originals.filter((answer) => answer?.status === pruned.status && answer.ok === pruned.ok);
  if (alike.length === 0) return answerText(kind, pruned);
  if (bodyCompared && alike.every((answer) => answer?.digest !== pruned.digest))
    return `${answerText(kind, pruned)} with other contents`;
  return changesByItself(probe) ? 'the same; contents not compared' : 'the same';
}

/** Whether the runs of the original do not agree on a body, so that it is not compared. */
function changesByItself({ bodyCompared, originals }: ProbeReport): boolean {
  return !bodyCompared && originals.some((answer) => answer !== null && answer.digest !== null);
}

/** Returns the mean of the seconds that the originals took for an answer, and those of the pruned image; null where none is known. */
export function secondsOf(probe: ProbeReport): readonly [original: number | null, pruned: number | null] {
  if (isLeftOut(probe)) return [null, null];
  const known = probe.originals.flatMap((answer) => answer?.seconds ?? []);
  const sum = known.reduce((total, seconds) => total + seconds, 0);
  return [known.length === 0 ? null : sum / known.length, probe.pruned?.seconds ?? null];
}

const health = ['unknown', 'serving', 'not serving', 'service unknown'];

function answerText(kind: ProbeReport['kind'], { status, length, error, ok }: Answer): string {
  if (status === null) return error === null ? (ok ? 'takes connections' : 'no answer') : boundedText(error);
  const size = length === null ? '' : `, ${formatSize(length)}`;
  if (kind === 'grpc') return health[status] ?? `status ${status}`;
  return kind === 'exec' ? `ended with ${status}${size}` : `${status}${size}`;
}

/** Says which answers, and whether the output, differ from run to run, so that their contents say nothing about the pruned image. */
function uncomparedText({ probes, runs }: RecordingReport): string {
  const changing = probes.filter(changesByItself);
  const [first, ...rest] = runs.map(({ output }) => output?.digest ?? null);
  const isOutputSteady = rest.every((digest) => digest === first);
  const subjects = [
    ...(changing.length === 0
      ? []
      : [
          `the contents of ${formatNumberOf(changing.length, 'answer')} (${mentions(changing.map(({ name }) => name))})`,
        ]),
    ...(isOutputSteady ? [] : ['what the program printed']),
  ];
  return subjects.length === 0 ? '' : `${subjects.join(', and ')}: different in each run`;
}

function repairText({ trials }: RecordingReport): string {
  const repairs = trials.slice(0, -1);
  if (repairs.length === 0) return '';
  const paths = repairs.reduce((sum, { missing }) => sum + missing.length, 0);
  return `${formatNumberOf(paths, 'path')} in ${formatNumberOf(repairs.length, 'repair')}, since the pruned image asked for them`;
}

function seccompText({ calls, tried }: NonNullable<RecordingReport['seccomp']>, isRun: boolean): string {
  const profile = `the profile allows ${formatNumberOf(calls, 'system call')}`;
  if (tried) return `${profile}, and the pruned image ran under it`;
  return `${profile}; ${isRun ? 'the pruned image did not run under it' : 'it was not tried'}`;
}

/** Lists the first names, and how many more there are. */
function mentions(names: readonly string[], longest = longestMention, separator = ', '): string {
  const first = names.slice(0, mostMentioned).map((name) => boundedText(name, longest));
  const rest = names.length - first.length;
  return [...first, ...(rest > 0 ? [`and ${formatCount(rest)} more`] : [])].join(separator);
}
