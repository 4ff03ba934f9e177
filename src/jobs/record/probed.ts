/**
 * Records a command while it is probed: the recording, what the probes got, and the traces of what ran beside the command, as one. The action
 * `record` of `trace` calls it, with or without anything to probe.
 */
import { readlink } from 'node:fs/promises';
import { constants } from 'node:os';
import { inTurns } from '../../steps.ts';
import type { PublishSetting } from '../../probe/mounts.ts';
import type { Continue, ProbePlan, ProbeResult } from '../../probe/probe.ts';
import { mergeSteps } from '../../trace/merge.ts';
import type { Trace, TracedPath } from '../../trace/trace.ts';
import { CommandOutput } from './command-output.ts';
import { hasOwnNetwork, type Launch } from './launch.ts';
import { type Dial, dialHere } from './probes/dial.ts';
import { type ExecEnd } from './probes/prober.ts';
import { hasProbes, runProbes } from './probes/run-probes.ts';
import { type Live, record, type RecordOptions, type Recording } from './record.ts';
import { enterNetwork, launchBeside } from './sandbox/beside.ts';
import { Gate, Publication } from './sandbox/gate.ts';

export interface ProbedOptions extends Omit<RecordOptions, 'during' | 'output'> {
  readonly plan: ProbePlan;
  /** The TCP ports that the image exposes. */
  readonly ports: readonly number[];
  /** The health check of the image as a command; null without one. */
  readonly healthcheck: readonly string[] | null;
  /** Whether to knock on the exposed ports, and to ask for the health, where the plan asks nothing. */
  readonly knocks: boolean;
  /** Whether the command is ended when everything was asked. Else it runs on until `stop`. */
  readonly endsAfterwards: boolean;
  /** Ports of this machine that lead to those of the command. */
  readonly publish: readonly PublishSetting[];
  /** The output of the command; null for the standard streams of this process. */
  readonly output: CommandOutput | null;
  /** Is told the addresses at which published ports can be reached. */
  readonly onPublished: (publications: readonly Publication[]) => void;
  /** Resolves when a person or a program says that it is enough. Called after the probes, where the plan says so. */
  readonly wait: (after: Continue, signal: AbortSignal) => Promise<void>;
  /** Ends the command: everything was asked. */
  readonly finish: () => void;
}

export interface ProbedRecording extends Recording {
  readonly results: readonly ProbeResult[];
}

/** Runs a command below strace, probes it, and ends it afterwards. Without anything to probe, it runs until it ends. @throws what `record` and `runProbes` throw */
export async function recordProbed(options: ProbedOptions): Promise<ProbedRecording> {
  const { output, ...others } = options;
  const { plan, stop, wait, finish } = others;
  const probes = hasProbes(options);
  const acts = probes || plan.continueAfter !== null;
  const company = new Company(options);
  let results: readonly ProbeResult[] = [];
  const during = async (live: Live, gone: AbortSignal): Promise<void> => {
    const signal = AbortSignal.any([gone, stop]);
    try {
      await using reach = await reachOf(options, live);
      options.onPublished(reach.publications);
      const exec = (command: readonly string[], own: AbortSignal) => company.run(live, command, own);
      const logged = (pattern: RegExp, own: AbortSignal) =>
        output === null ? Promise.resolve() : output.logged(pattern, own);
      if (probes) results = await runProbes({ ...options, dial: reach.dial, exec, signal, logged });
      if (plan.continueAfter !== null) await wait(plan.continueAfter, signal).catch(() => {});
      if (!acts || !options.endsAfterwards) await aborted(signal);
    } finally {
      if (!signal.aborted) finish();
    }
  };
  const recording = await record({
    ...others,
    ...(output === null ? {} : { output }),
    ...(acts || options.publish.length > 0 ? { during } : {}),
  });
  const trace = await company.join(recording.trace);
  return { ...recording, trace, absent: company.withAbsent(recording.absent), results };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** The commands that ran beside the recorded one, with their traces. */
class Company {
  readonly #options: Pick<ProbedOptions, 'launch' | 'strace' | 'name' | 'grace'>;
  readonly #traces: Trace[] = [];
  readonly #absent: (readonly TracedPath[])[] = [];

  constructor(options: Pick<ProbedOptions, 'launch' | 'strace' | 'name' | 'grace'>) {
    this.#options = options;
  }

  /** Runs a command beside the recorded one, and traces it. */
  async run(live: Live, command: readonly string[], signal: AbortSignal): Promise<ExecEnd> {
    signal.throwIfAborted();
    const { launch, strace, name } = this.#options;
    const output = new CommandOutput({ stdin: 'ignore', stdout: null, stderr: null });
    const kill = new AbortController();
    const onAbort = () => kill.abort('SIGKILL');
    signal.addEventListener('abort', onAbort);
    try {
      const beside = launchBeside(launch, live, command);
      const { trace, end, absent } = await record({
        launch: beside,
        strace,
        name,
        stop: kill.signal,
        grace: 0,
        output,
      });
      this.#traces.push(trace);
      this.#absent.push(absent);
      signal.throwIfAborted();
      return { status: end.status, ...output.measured() };
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Adds the traces to that of the recorded command, whose end and command the result has. */
  async join(trace: Trace): Promise<Trace> {
    if (this.#traces.length === 0) return trace;
    const merged = await inTurns(mergeSteps([trace, ...this.#traces]), new AbortController().signal);
    return { ...merged, name: trace.name, ends: trace.ends, command: trace.command };
  }

  /** Adds what these commands did not find to what the recorded one did not find, each path once. */
  withAbsent(absent: readonly TracedPath[]): readonly TracedPath[] {
    return this.#absent.length === 0 ? absent : [...new Set([absent, ...this.#absent].flat())];
  }
}

/** How the ports of a command are reached, as long as it is not disposed of. */
async function reachOf({ launch, publish }: ProbedOptions, live: Live) {
  await using stack = new AsyncDisposableStack();
  const isPrivate = hasOwnNetwork(launch);
  const gate = isPrivate ? await gateOf(launch, live) : null;
  if (gate !== null) stack.use(gate);
  const dial = isPrivate ? (gate?.dial ?? dialNowhere) : dialHere;
  const publications: Publication[] = [];
  // A command in the network of this machine is reached at its own ports.
  if (isPrivate) for (const each of publish) publications.push(stack.use(await Publication.open(each, dial)));
  const kept = stack.move();
  return { dial, publications, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Opens the way into the network of a command; null where the command has ended meanwhile. @throws UNSUPPORTED */
async function gateOf(launch: Launch, live: Live): Promise<Gate | null> {
  try {
    return await Gate.open(enterNetwork(launch, live));
  } catch (error) {
    if ((await readlink(`/proc/${live.command}/ns/net`).catch(() => null)) === null) return null;
    throw error;
  }
}

const dialNowhere: Dial = () => Promise.reject(new Error('the program has ended'));

/** Returns the signal that an image names to end its program: "SIGQUIT", "quit" or "3". Default: SIGTERM, also for one that this system does not have. */
export function stopSignalOf(text: string): NodeJS.Signals {
  const names = Object.entries(constants.signals) as readonly (readonly [NodeJS.Signals, number])[];
  const wanted = text.toUpperCase().replace(/^(?!SIG)/, 'SIG');
  const found = names.find(([name, number]) => name === wanted || String(number) === text);
  return found?.[0] ?? 'SIGTERM';
}

/** Returns the TCP ports among those that an image exposes ("80/tcp", "8000-8002"). */
export function tcpPortsOf(exposed: readonly string[]): readonly number[] {
  const ports = exposed.flatMap((text) => {
    const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/tcp)?$/.exec(text) ?? [];
    const count = Number(to) - Number(from) + 1;
    return from === '' || count > 100 ? [] : Array.from({ length: count }, (_, i) => Number(from) + i);
  });
  return ports.filter((port) => port > 0 && port <= 65_535);
}

/** Returns the health check of an image as a command: its shell form runs in the shell that the image names. Null without one. */
export function healthcheckOf({
  healthcheck,
  shell,
}: {
  readonly healthcheck: readonly string[];
  readonly shell: readonly string[];
}): readonly string[] | null {
  const [form, ...words] = healthcheck;
  if (words.length === 0) return null;
  if (form === 'CMD') return words;
  if (form !== 'CMD-SHELL') return null;
  return [...(shell.length > 0 ? shell : ['/bin/sh', '-c']), words[0] ?? ''];
}
