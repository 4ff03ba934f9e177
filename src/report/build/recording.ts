/** Reports how an image was recorded, and its pruned form tried: the facts of the job, with a row for each probe. `build.ts` calls it. */
import { answersOf } from '../../jobs/record/trial/compare-runs.ts';
import type { ProgramRun, RecordingFacts, Trial } from '../../jobs/record/trial/trial.ts';
import type { ProbeResult } from '../../probe/probe.ts';
import { pathFields } from '../escape.ts';
import type { RecordingReport } from '../report.ts';
import { milliseconds } from './numbers.ts';

type ProbeRow = RecordingReport['probes'][number];
type Answer = NonNullable<ProbeRow['pruned']>;
type RunReport = RecordingReport['runs'][number];

/** Reports the facts of a recording. `isTimed`: with the times that runs and answers took. */
export function reportRecording(facts: RecordingFacts, isTimed: boolean): RecordingReport {
  const { originals, trials, seccomp } = facts;
  return {
    platform: facts.platform,
    sandbox: facts.sandbox,
    command: [...facts.command],
    paths: facts.paths,
    runs: originals.map((run) => reportRun(run, isTimed)),
    probes: reportProbes(originals, trials.at(-1)?.run ?? null, isTimed),
    trials: trials.map((trial) => reportTrial(trial, isTimed)),
    seccomp: seccomp === null ? null : { calls: seccomp.calls, tried: seccomp.isTried },
    alike: [...facts.alike],
    losses: [...facts.losses],
  };
}

function reportRun({ end, output }: ProgramRun, isTimed: boolean): RunReport {
  const { status, signal, stopped, seconds } = end;
  return {
    status,
    signal,
    stopped,
    seconds: timeOf(seconds, isTimed),
    output: output === null ? null : { length: output.length, digest: output.digest },
  };
}

function reportTrial(
  { run, differences, missing }: Trial,
  isTimed: boolean,
): RecordingReport['trials'][number] {
  return {
    ...reportRun(run, isTimed),
    differences: differences.map(({ kind, name, expected, found }) => ({ kind, name, expected, found })),
    missing: missing.map(pathFields),
  };
}

/** Makes a row for everything that a run was asked, in the order of the first run that was. */
function reportProbes(
  originals: readonly ProgramRun[],
  pruned: ProgramRun | null,
  isTimed: boolean,
): ProbeRow[] {
  const runs = [...originals, ...(pruned === null ? [] : [pruned])].map((run) => answersOf([run]));
  const questions = new Set(runs.flatMap((run) => [...run.keys()]));
  return [...questions].map((question): ProbeRow => {
    const answers = runs.map((run) => run.get(question)?.[0] ?? null);
    const before = answers.slice(0, originals.length);
    const { kind, origin, name } = answers.find((answer) => answer !== null) as ProbeResult;
    const [digest = null] = before.map((answer) => answer?.digest ?? null);
    return {
      kind,
      origin,
      name,
      originals: before.map((answer) => reportAnswer(answer, isTimed)),
      pruned: reportAnswer(answers[originals.length] ?? null, isTimed),
      bodyCompared: digest !== null && before.every((answer) => answer?.digest === digest),
    };
  });
}

function reportAnswer(result: ProbeResult | null, isTimed: boolean): Answer | null {
  if (result === null) return null;
  const { status, length, digest, seconds, ok, error } = result;
  return { status, length, digest, seconds: timeOf(seconds, isTimed), ok, error };
}

function timeOf(seconds: number | null, isTimed: boolean): number | null {
  return seconds === null || !isTimed ? null : milliseconds(seconds);
}
