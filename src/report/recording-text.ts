/**
 * What `slim --record` says when it publishes nothing, since the pruned image does not do what its original does: in what it differs, how it
 * ended, and which paths it asked for that were not there, each with the option that keeps it. The error of a failed try is made of it.
 */
import { ascii, type ByteString, joinBytes } from '../bytes/bytes.ts';
import type { RecordingFacts, Trial } from '../jobs/record/trial/trial.ts';
import { globOfPath } from '../rules/glob-of-path.ts';
import { shellWord } from '../shell-word.ts';
import { displayPath } from './escape.ts';
import { formatCount, formatNumberOf, formatSeconds } from './figures.ts';
import { boundedText, differenceText } from './recording-words.ts';

/** The most differences, lines of output and paths that are told, and refused calls. */
const mostTold = 20;

/** What is known of a try that failed. */
interface Failed {
  readonly trial: Trial;
  /** The facts of the recording. Their tries include this one. */
  readonly facts: Pick<RecordingFacts, 'trials' | 'seccomp'>;
  /** The end of what the program printed, as lines; of more than twenty, the last are told. */
  readonly lines: readonly string[];
  /** Names of the system calls that it made and that the seccomp profile does not allow. */
  readonly refused: readonly string[];
}

/** Tells why a try failed, as the message of an error (a sentence and a list, its items behind `\n  - `) and as its advice. All escaped. */
export function trialFailure(failed: Failed): { readonly message: string; readonly advice: string } {
  const { trial, lines, refused } = failed;
  const { differences, missing } = trial;
  const items = [
    ...someOf(differences, (each) => boundedText(differenceText(each))),
    ...endItems(trial),
    ...lines
      .filter((line) => line.trim() !== '')
      .slice(-mostTold)
      .map((line) => `it printed: ${boundedText(line)}`),
    ...(refused.length === 0
      ? []
      : [
          `the seccomp profile does not allow what it called: ${someOf(refused, (name) => boundedText(name)).join(', ')}`,
        ]),
    ...(missing.length === 0
      ? ['it asked for no path that only the original has']
      : someOf(missing, (path) => `missing: ${keptText(path)}`)),
  ];
  return {
    message: [`${headline(trial)}; nothing was published`, ...items].join('\n  - '),
    advice: adviceFor(failed),
  };
}

function headline({ differences, missing }: Trial): string {
  const what = 'the pruned image';
  if (differences.length > 0)
    return `${what} does not do what the original does (${formatNumberOf(differences.length, 'difference')})`;
  return `${what} asked for ${formatNumberOf(missing.length, 'path')} that only the original has`;
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

/** Says how the program ended, where the differences do not. */
function endItems({ run, differences }: Trial): string[] {
  if (differences.some(({ kind }) => kind === 'end')) return [];
  const { status, signal, stopped, seconds } = run.end;
  const how = signal === null ? `ended with ${status}` : `was ended by ${boundedText(signal)}`;
  const why = stopped === null ? '' : ', when it was told to';
  const when = seconds === null ? '' : `, after ${formatSeconds(seconds)}`;
  return [`its program ${how}${why}${when}`];
}

/** Shows the option for a path, and behind it the path where the option does not show it. */
function keptText(path: ByteString): string {
  const option = keepOption(path);
  const shown = displayPath(ascii`/${path}`);
  const isShown = option === `--keep ${shown}` || option === `--keep '${shown}'`;
  return isShown ? option : `${option} (${boundedText(shown)})`;
}

/** Renders the first of some items, and how many more there are. */
function someOf<T>(items: readonly T[], render: (item: T) => string): string[] {
  const rest = items.length - mostTold;
  return [...items.slice(0, mostTold).map(render), ...(rest > 0 ? [`and ${formatCount(rest)} more`] : [])];
}

function adviceFor({ trial, facts, refused }: Failed): string {
  const isUnderProfile = facts.seccomp?.isTried === true || refused.length > 0;
  const profile = isUnderProfile ? ' It ran under the seccomp profile: try it without --seccomp, too.' : '';
  if (trial.missing.length === 0)
    return `Keep more, with --granularity directory or --keep, or leave out what changes by itself.${profile}`;
  const them = trial.missing.length === 1 ? 'it' : 'them';
  return `Add the options that keep what is missing, or let ocislim put ${them} back and try again: --repair ${facts.trials.length}.${profile}`;
}
