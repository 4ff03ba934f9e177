/**
 * Compares the run of a pruned image with those of its original. Only what all runs of the original agree on is compared: what changes from run to
 * run by itself says nothing about what is missing. The job of `slim --record` calls it after each try.
 */
import type { ProbeResult } from '../../../probe/probe.ts';
import type { RunEnd } from '../../../trace/trace.ts';
import type { ProgramRun, RunDifference, Unstable } from './trial.ts';

/**
 * Returns in what the run of the pruned image differs from those of the original: how the program ended first, then what it printed, then the
 * probes in the order of the first original, then those that only the pruned image was asked.
 */
export function compareRuns(originals: readonly ProgramRun[], tried: ProgramRun): readonly RunDifference[] {
  return [
    ...endDifference(originals, tried),
    ...outputDifference(originals, tried),
    ...probeDifferences(originals, tried),
  ];
}

/**
 * Returns what the original does not do, as a sentence; null where it was seen working: every probe of every run got what was expected, and a
 * program that ended by itself ended with 0.
 */
export function refusalOfOriginals(originals: readonly ProgramRun[]): string | null {
  for (const [i, { end, results }] of originals.entries()) {
    const when = originals.length === 1 ? '' : ` in run ${i + 1} of ${originals.length}`;
    const failed = results.filter(({ ok }) => !ok);
    const [first] = failed;
    if (first !== undefined) {
      const more = failed.length === 1 ? '' : `, as ${failed.length - 1} more did`;
      return `${first.name} failed${when}${more}: ${first.error ?? answerText(first)}`;
    }
    if (end.stopped === null && end.status !== 0) return `the program ${endText(end)}${when}`;
  }
  return null;
}

/** Returns what is not compared, since the runs of the original disagree: each answer, and standard output. */
export function unstable(originals: readonly ProgramRun[]): readonly Unstable[] {
  const outputs = originals.map(({ output }) => output);
  const isPrinted = outputs.some((output) => output !== null);
  const isSteady = agreed(outputs, (output) => output?.digest ?? null) !== undefined;
  const changing = [...answersOf(originals).values()].filter(
    (all) => all.some(({ digest }) => digest !== null) && !isStable(all, originals.length),
  );
  const names = new Set(changing.flatMap((all) => all.map(({ name }) => name)));
  return [
    ...(isPrinted && !isSteady ? [{ kind: 'output', name: '' } as const] : []),
    ...[...names].map((name) => ({ kind: 'probe', name }) as const),
  ];
}

/** Whether the body of a probe is compared: all originals have it, and it is the same in all. */
function isStable(all: readonly ProbeResult[], originals: number): boolean {
  return all.length === originals && agreed(all, ({ digest }) => digest) !== undefined;
}

/** Returns the value that all have in common; undefined where they differ, and where there are none. */
function agreed<T, V extends string | number | boolean | null>(
  all: readonly T[],
  of: (each: T) => V,
): V | undefined {
  const [first] = all;
  if (first === undefined) return undefined;
  const value = of(first);
  return all.every((each) => of(each) === value) ? value : undefined;
}

/** Whether a value is the one on which the originals agree, or they do not agree on one. */
function fits<V>(expected: V | undefined, found: V): boolean {
  return expected === undefined || expected === found;
}

function endDifference(originals: readonly ProgramRun[], { end }: ProgramRun): readonly RunDifference[] {
  const ends = originals.map((run) => run.end);
  const isStopped = agreed(ends, ({ stopped }) => stopped !== null);
  const status = agreed(ends, (each) => each.status);
  const signal = agreed(ends, (each) => each.signal);
  if (fits(isStopped, end.stopped !== null) && fits(status, end.status) && fits(signal, end.signal))
    return [];
  return [{ kind: 'end', name: '', expected: commonEnd({ isStopped, status, signal }), found: endText(end) }];
}

/** What all runs have in common about their ends. Undefined: they disagree. */
interface CommonEnd {
  readonly isStopped: boolean | undefined;
  readonly status: number | undefined;
  readonly signal: string | null | undefined;
}

function commonEnd({ isStopped, status, signal }: CommonEnd): string {
  const how =
    typeof signal === 'string'
      ? `was ended by ${signal}`
      : status !== undefined
        ? `ended with ${status}`
        : signal === null
          ? 'ended without a signal'
          : null;
  if (isStopped === undefined) return how ?? 'ended';
  if (isStopped) return how === null ? 'ran until it was stopped' : `ran until it was stopped, and ${how}`;
  return typeof signal === 'string' ? `was ended by ${signal}` : `${how ?? 'ended'} by itself`;
}

function endText({ status, signal, stopped }: RunEnd): string {
  return commonEnd({ isStopped: stopped !== null, status, signal });
}

function outputDifference(
  originals: readonly ProgramRun[],
  { output, end }: ProgramRun,
): readonly RunDifference[] {
  const outputs = originals.map((run) => run.output);
  const digest = agreed(outputs, (each) => each?.digest ?? null);
  const length = agreed(outputs, (each) => each?.length ?? null);
  if (digest === undefined || digest === null) return [];
  // Nothing is known of a program that was stopped. That it was is the difference.
  if (output === null && end.stopped !== null) return [];
  if (output !== null && output.digest === digest && fits(length, output.length)) return [];
  const isAsLong = output !== null && output.length === length;
  return [
    {
      kind: 'output',
      name: '',
      expected: bytesText(length ?? 0),
      found: output === null ? 'nothing' : isAsLong ? others(output.length) : bytesText(output.length),
    },
  ];
}

function bytesText(count: number): string {
  return count === 1 ? '1 byte' : `${count} bytes`;
}

/** As many bytes as expected, and not the same. */
function others(count: number): string {
  return count === 1 ? '1 other byte' : `${count} other bytes`;
}

function probeDifferences(originals: readonly ProgramRun[], tried: ProgramRun): readonly RunDifference[] {
  const found = answersOf([tried]);
  const differences: RunDifference[] = [];
  const known = answersOf(originals);
  for (const [key, all] of known) {
    const answer = found.get(key)?.[0];
    const difference = all.length === originals.length ? answerDifference(all, answer) : failure(all, answer);
    if (difference !== null) differences.push(difference);
  }
  for (const [key, [answer]] of found) {
    if (answer === undefined || known.has(key)) continue;
    const difference = failure([], answer);
    if (difference !== null) differences.push(difference);
  }
  return differences;
}

/** Returns the answers of several runs by what was asked, and by how often it was asked before in the same run. */
export function answersOf(runs: readonly ProgramRun[]): ReadonlyMap<string, readonly ProbeResult[]> {
  const answers = new Map<string, ProbeResult[]>();
  for (const { results } of runs) {
    const asked = new Map<string, number>();
    for (const result of results) {
      const question = `${result.kind} ${result.name}`;
      const times = asked.get(question) ?? 0;
      asked.set(question, times + 1);
      const key = `${times} ${question}`;
      const all = answers.get(key);
      if (all === undefined) answers.set(key, [result]);
      else all.push(result);
    }
  }
  return answers;
}

/** Compares an answer with those of the originals, all of which have one. */
function answerDifference(
  all: readonly ProbeResult[],
  answer: ProbeResult | undefined,
): RunDifference | null {
  const [first] = all;
  if (first === undefined) return null;
  const digest = agreed(all, (each) => each.digest);
  const status = agreed(all, (each) => each.status);
  // Bodies that differ may have one length by chance: it says nothing then.
  const length = digest === undefined ? undefined : agreed(all, (each) => each.length);
  const expected =
    status === undefined ? 'an answer' : answerText({ ...first, status, length: length ?? null });
  const { name } = first;
  if (answer === undefined) return { kind: 'probe', name, expected, found: 'was not asked' };
  const isSame =
    fits(
      agreed(all, ({ ok }) => ok),
      answer.ok,
    ) &&
    fits(status, answer.status) &&
    fits(digest, answer.digest) &&
    fits(length, answer.length);
  if (isSame) return null;
  return { kind: 'probe', name, expected, found: foundText(expected, answer, length === undefined) };
}

/** Says what a probe of the pruned image got, so that it differs from what was expected. */
function foundText(expected: string, answer: ProbeResult, isBodyLeftOut: boolean): string {
  const text = answerText(isBodyLeftOut ? { ...answer, length: null } : answer);
  if (text !== expected) return text;
  return answer.ok
    ? `${text} with other contents`
    : `${text}: ${answer.error ?? 'it is not the expected answer'}`;
}

/** Returns a failure of a probe that not all originals were asked; null where it did not fail, or failed in an original too. */
function failure(all: readonly ProbeResult[], answer: ProbeResult | undefined): RunDifference | null {
  if (answer === undefined || answer.ok || all.some(({ ok }) => !ok)) return null;
  const found = answer.error ?? answerText(answer);
  const expected = all.length === 0 ? 'was not asked' : 'the expected answer';
  return { kind: 'probe', name: answer.name, expected, found };
}

/** The status of gRPC's health (grpc.health.v1, ServingStatus). */
const servingStatus = ['unknown', 'serving', 'not serving', 'service unknown'];

/** Says what a probe got. A length of null is left out. */
function answerText({ kind, status, length, error, ok }: ProbeResult): string {
  if (status === null) return error ?? (ok ? 'takes connections' : 'no answer');
  switch (kind) {
    case 'grpc':
      return servingStatus[status] ?? `status ${status}`;
    case 'exec':
      return length === null
        ? `ended with ${status}`
        : `ended with ${status}, ${bytesText(length)} of output`;
    case 'http':
    case 'tcp':
      return length === null ? String(status) : `${status}, ${bytesText(length)}`;
  }
}
