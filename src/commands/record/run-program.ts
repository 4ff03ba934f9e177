/**
 * One run of the program of an image: unpacked, started in its sandbox below strace, asked, ended, and removed. `proof.ts` makes several, of the
 * original and of pruned images.
 */
import { OcislimError } from '../../errors.ts';
import { CommandOutput, type OutputSink } from '../../jobs/record/command-output.ts';
import type { Launch } from '../../jobs/record/launch.ts';
import {
  healthcheckOf,
  type ProbedOptions,
  type ProbedRecording,
  recordProbed,
  stopSignalOf,
  tcpPortsOf,
} from '../../jobs/record/probed.ts';
import { hasProbes } from '../../jobs/record/probes/run-probes.ts';
import type { OpenedRootfs } from '../../jobs/export.ts';
import { type ImageSandbox, openImageSandbox } from '../../jobs/record/sandbox/image-sandbox.ts';
import { filterForTrial, requireFiltering } from '../../jobs/record/sandbox/trial-filter.ts';
import type { RootNames } from '../../jobs/record/root-names.ts';
import type { ProgramRun } from '../../jobs/record/trial/trial.ts';
import type { ProbePlan } from '../../probe/probe.ts';
import type { RunEnd, Trace } from '../../trace/trace.ts';
import type { Workspace } from '../workspace.ts';
import { imageRunOf, nothing, planOf, type ProgramSettings, publishedPorts } from './program.ts';
import type { RecordedImage } from './recorded-image.ts';

/** Milliseconds from the signal that ends the program to SIGKILL, as with `docker stop`. */
const grace = 10_000;

/** Milliseconds that a program may run of which nothing is asked. */
const patience = 180_000;

/** The most lines of the program's output that are shown where something failed. */
const shownLines = 20;

/** A run to make. */
export interface RunWish {
  readonly image: RecordedImage;
  /** Its root filesystem. */
  readonly rootfs: OpenedRootfs;
  readonly settings: ProgramSettings;
  readonly command: readonly string[];
  /** The arguments of strace. */
  readonly strace: readonly string[];
  /** The seccomp filter under which it runs where it can; null for that of --run-seccomp, if there is one. */
  readonly profile: Uint8Array | null;
  /** Whether a person may use the program meanwhile (--continue-after, published ports). */
  readonly isOpen: boolean;
  /** The name of its trace in messages. */
  readonly name: string;
}

/** What a run needs of its surroundings. */
export interface RunMeans {
  readonly workspace: Workspace;
  readonly wait: ProbedOptions['wait'];
  readonly onPublished: ProbedOptions['onPublished'];
  /** Gets what the program prints; null for nothing. */
  readonly programOutput: OutputSink | null;
}

/** What was seen of a run. */
export interface SeenRun extends Pick<ProbedRecording, 'absent' | 'refusal'> {
  readonly run: ProgramRun;
  /** Its end is in it; platform and image are not. */
  readonly trace: Trace;
  readonly launch: Launch;
  /** The names that the image has. */
  readonly names: RootNames;
  readonly losses: readonly string[];
  readonly filtering: ImageSandbox['filtering'];
  /** The last lines that the program printed. */
  readonly lines: readonly string[];
}

/** Runs the program once. @throws GATE where it runs on and nothing is asked of it, and what unpacking and recording throw */
export async function runProgram(wish: RunWish, means: RunMeans): Promise<SeenRun> {
  const { image, settings, command, rootfs, profile } = wish;
  const { workspace } = means;
  const given = settings.runSeccomp === null ? null : filterForTrial(settings.runSeccomp);
  const seccomp = profile ?? given?.program ?? null;
  const run = { ...imageRunOf(settings, image.runtime, command), seccomp };
  const { limits, signal } = workspace;
  const open = () => Promise.resolve(rootfs.tar());
  await using sandbox = await openImageSandbox({ run, open, limits, signal });
  if (profile === null && given !== null) await requireFiltering(sandbox);
  const output = new CommandOutput({
    stdin: 'ignore',
    stdout: means.programOutput,
    stderr: means.programOutput,
  });
  using ending = new Ending(stopSignalOf(image.runtime.stopSignal));
  const asked = questionsOf(wish);
  if (!hasProbes(asked) && asked.plan.continueAfter === null) ending.expect(patience);
  const recording = await recordProbed({
    ...asked,
    ...means,
    launch: sandbox.launch,
    strace: wish.strace,
    name: wish.name,
    stop: ending.signal,
    kill: workspace.signal,
    grace,
    endsAfterwards: true,
    output,
    finish: () => ending.finish(),
  });
  workspace.signal.throwIfAborted();
  ending.check();
  const end: RunEnd = {
    ...(ending.isFinished && recording.wasKilled ? killed : recording.end),
    stopped: ending.isFinished ? 'for' : null,
    seconds: recording.seconds,
  };
  return {
    run: { end, output: end.stopped === null ? output.measured() : null, results: recording.results },
    trace: { ...recording.trace, ends: [end] },
    absent: recording.absent,
    refusal: recording.refusal,
    launch: sandbox.launch,
    names: sandbox.names,
    losses: [...sandbox.losses, ...(given?.losses ?? [])],
    filtering: sandbox.filtering,
    lines: output.lastLines(shownLines),
  };
}

/**
 * How a program ends that ignores its stop signal. With SIGKILL strace and the sandbox end, too, and which end is seen first is a matter of
 * chance.
 */
const killed = { status: 137, signal: 'SIGKILL' } as const;

/** What is asked of the program, and which ports lead to it. */
type Questions = Pick<ProbedOptions, 'plan' | 'ports' | 'healthcheck' | 'knocks' | 'publish'>;

function questionsOf({ image: { runtime }, settings, isOpen }: RunWish): Questions {
  const plan: ProbePlan = planOf(settings) ?? { ...nothing, after: settings.runFor };
  const ports = tcpPortsOf(runtime.ports);
  return {
    plan: isOpen ? plan : withoutPerson(plan),
    ports,
    healthcheck: healthcheckOf(runtime),
    knocks: true,
    publish: isOpen ? publishedPorts(settings, ports) : [],
  };
}

/** Returns a plan that waits for no person: the program runs for the usual time instead. */
function withoutPerson(plan: ProbePlan): ProbePlan {
  const { continueAfter, after } = plan;
  if (continueAfter?.kind !== 'enter' && continueAfter?.kind !== 'signal') return plan;
  return { ...plan, continueAfter: { kind: 'seconds', seconds: after } };
}

/** What ends a program that does not end by itself. */
class Ending implements Disposable {
  readonly #stop = new AbortController();
  readonly #stopSignal: NodeJS.Signals;
  #timer: NodeJS.Timeout | undefined;
  #isFinished = false;
  #isOver = false;

  constructor(stopSignal: NodeJS.Signals) {
    this.#stopSignal = stopSignal;
  }

  /** Fires when the program must end. The reason is the signal to send. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether it was told to end. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Ends the program: everything was asked. */
  finish(): void {
    this.#isFinished = true;
    this.#stop.abort(this.#stopSignal);
  }

  /** Ends the program after a time, by which it should have ended itself. */
  expect(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.finish();
    }, milliseconds);
  }

  /** @throws GATE where the program did not end itself */
  check(): void {
    if (!this.#isOver) return;
    throw new OcislimError(
      'GATE',
      `the program still runs after ${patience / 1000} s, and nothing is asked of it; nothing was published`,
      {
        advice:
          'Ask it something: --http-probe, --exec-probe. Or say how long it takes: --continue-after 20.',
      },
    );
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
