/**
 * What `slim --record` says while it works, and when it publishes nothing since the pruned image does not do what its original does: in what
 * it differs, how it ended, and which paths it asked for that were not there, each with the option that keeps it. Commands print it.
 */
import { ascii, type ByteString, joinBytes } from '../bytes/bytes.ts';
import type { RecordingFacts, Trial } from '../jobs/record/trial/trial.ts';
import { globOfPath } from '../rules/glob-of-path.ts';
import { shellWord } from '../shell-word.ts';
import { displayPath } from './escape.ts';
import { formatCount, formatNumberOf, formatSeconds } from './figures.ts';
import { boundedText, differenceText } from './recording-words.ts';

/** The most differences, lines of output and paths that are told. */
const [toldDifferences, toldLines, toldPaths] = [20, 20, 20];

/** A failure in words. All texts are escaped. */
export interface TrialFailure {
  /** One sentence without an end, for an error. */
  readonly message: string;
  /** The details, as whole lines without line ends. */
  readonly lines: readonly string[];
  /** What the user can do. */
  readonly advice: string;
}

/**
 * Tells why the last try failed. `output` is the end of what the pruned program printed, as lines; of more than twenty the last are shown.
 * @throws RangeError where nothing was tried
 */
export function trialFailure(facts: RecordingFacts, output: readonly string[]): TrialFailure {
  const trial = facts.trials.at(-1);
  if (trial === undefined) throw new RangeError('nothing was tried');
  const { differences } = trial;
  return {
    message: `the pruned image does not do what the original does (${formatNumberOf(differences.length, 'difference')}); nothing was published`,
    lines: [
      ...someOf(differences, toldDifferences, (each) => boundedText(differenceText(each))),
      ...endLines(trial, output),
      ...missingLines(trial),
    ],
    advice: adviceFor(facts, trial),
  };
}

/** What `slim --record` does, in its order. */
export type RecordingPhase =
  | { readonly kind: 'record'; readonly run: number; readonly of: number }
  | { readonly kind: 'prune'; readonly paths: number }
  /** `putBack`: how many paths the repair before it has put back; null for the first try. */
  | { readonly kind: 'try'; readonly putBack: number | null }
  | { readonly kind: 'publish' };

/** Says what begins now, for the progress. */
export function phaseText(phase: RecordingPhase): string {
  switch (phase.kind) {
    case 'record':
      return `recording the original, run ${phase.run} of ${phase.of}`;
    case 'prune':
      return `pruning what no run used: ${formatNumberOf(phase.paths, 'path was', 'paths were')} used`;
    case 'try':
      return phase.putBack === null
        ? 'trying the pruned image'
        : `trying the pruned image again, with ${formatNumberOf(phase.putBack, 'path')} put back`;
    case 'publish':
      return 'publishing: the pruned image does what the original does';
  }
}

/** Returns the option that keeps a path of a trace, as a shell reads it: `--keep /usr/share/x/y`. */
export function keepOption(path: ByteString): string {
  return `--keep ${shellWord(globOfPath(straightened(path)))}`;
}

/** Takes `..` out of a path, with the directory before it. A program that climbs out of a symlink means another place, which only the image knows. */
function straightened(path: ByteString): ByteString {
  const parts: ByteString[] = [];
  for (const part of path.split('/'))
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  return joinBytes(parts, '/');
}

function endLines({ run, differences }: Trial, output: readonly string[]): string[] {
  const { status, signal, stopped, seconds } = run.end;
  const how = signal === null ? `ended with ${status}` : `was ended by ${boundedText(signal)}`;
  const why = stopped === null ? '' : ', when it was told to';
  const when = seconds === null ? '' : `, after ${formatSeconds(seconds)}`;
  const isTold = differences.some(({ kind }) => kind === 'end');
  const last = output.slice(-toldLines);
  return [
    ...(isTold ? [] : [`its program ${how}${why}${when}`]),
    ...(last.length === 0 ? ['it printed nothing'] : ['the last lines that it printed:']),
    ...last.map((line) => `  | ${boundedText(line)}`),
  ];
}

function missingLines({ missing }: Trial): string[] {
  const asked = 'it asked for';
  if (missing.length === 0) return [`${asked} nothing that the original has and the pruned image has not`];
  const [paths, keep] =
    missing.length === 1
      ? ['a path', 'this keeps it']
      : [`${formatCount(missing.length)} paths`, 'these keep them'];
  return [
    `${asked} ${paths} that the original has and the pruned image has not; ${keep}:`,
    ...someOf(missing, toldPaths, (path) => `  ${keptText(path)}`, '  '),
  ];
}

/** Shows the option for a path, and behind it the path where the option does not show it. */
function keptText(path: ByteString): string {
  const option = keepOption(path);
  const shown = displayPath(ascii`/${path}`);
  return option === `--keep ${shown}` || option === `--keep '${shown}'`
    ? option
    : `${option}  (${boundedText(shown)})`;
}

/** Renders the first of some items, and how many more there are. */
function someOf<T>(items: readonly T[], most: number, render: (item: T) => string, indent = ''): string[] {
  const rest = items.length - most;
  return [
    ...items.slice(0, most).map(render),
    ...(rest > 0 ? [`${indent}and ${formatCount(rest)} more`] : []),
  ];
}

function adviceFor({ trials, seccomp }: RecordingFacts, { missing }: Trial): string {
  const profile =
    seccomp?.isTried === true ? ' It ran under the seccomp profile: try it without --seccomp, too.' : '';
  if (missing.length === 0)
    return `Keep more, with --granularity directory or --keep, or leave out what changes by itself.${profile}`;
  const repairs = trials.length;
  return `Keep what is missing, or let ocislim put it back and try again: --repair ${repairs}.${profile}`;
}
