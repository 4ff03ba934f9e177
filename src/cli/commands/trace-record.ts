/** The action `record` of `trace`: a command below strace, and what is asked of it. How strace is found and driven is in `jobs/record`. */
import { type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import type { ProbePlan } from '../../probe/probe.ts';
import { escapeText, safeJsonText } from '../../report/escape.ts';
import { inTurns } from '../../steps.ts';
import type { Trace } from '../../trace/trace.ts';
import { RecordingEnd } from './recording-end.ts';
import { nothing, planOf, publishedPorts } from '../../commands/record/program.ts';
import { isEnough } from './recording-wait.ts';
import { defaultTrace, type TraceCall } from './trace-call.ts';
import { commandOf, imageOf, isSandboxed, prepare } from './trace-running.ts';

/** Milliseconds from the signal that ends the command to SIGKILL, as with `docker stop`. */
const grace = 10_000;

/**
 * Runs `trace record -- COMMAND`: starts the command below strace, probes it, and writes what it used as a trace file. Returns the exit status
 * of the command; of one that was ended after its probes, whether they got what was expected.
 * @throws USAGE, UNSUPPORTED without strace or where it may not trace, IO where the command does not start, LIMIT
 */
export async function recordTrace(call: TraceCall): Promise<number> {
  const { settings, console } = call;
  const output = settings.output ?? defaultTrace;
  const { limitsOf } = await import('../../settings/limits.ts');
  const { straceArguments } = await import('../../jobs/record/strace.ts');
  const { healthcheckOf, recordProbed, stopSignalOf, tcpPortsOf } = await import(
    '../../jobs/record/probed.ts'
  );
  const { recordingJson, recordingText, statusOf } = await import('./recording-text.ts');
  const plan = planOf(settings);
  const traced = await imageOf(call);
  const command = commandOf(call, traced);
  const strace = await straceArguments(settings.allSyscalls, console.signal);
  const { runtime } = traced;
  const ports = tcpPortsOf(runtime?.ports ?? []);
  const isSandbox = isSandboxed(settings);
  await using prepared = await prepare(call, command, { runtime, hasCompany: plan !== null });
  const { launch, has, losses } = prepared;
  for (const loss of losses) console.stderr.write(`ocislim: ${loss}\n`);

  using ending = new RecordingEnd({
    seconds: settings.for,
    limits: limitsOf(settings.limit),
    hasTerminal: process.stdin.isTTY && !isSandbox,
    stopSignal: stopSignalOf(runtime?.stopSignal ?? ''),
  });
  const recording = await recordProbed({
    launch,
    strace,
    name: output,
    stop: ending.signal,
    grace,
    plan: plan ?? (isSandbox ? { ...nothing, after: settings.runFor } : nothing),
    ports,
    healthcheck: runtime === null ? null : healthcheckOf(runtime),
    knocks: isSandbox,
    endsAfterwards: settings.for === null,
    publish: publishedPorts(settings, ports),
    output: await outputOf(call, plan),
    onPublished: (all) => {
      for (const { address, to } of all)
        console.stderr.write(`ocislim: port ${to} of the program is at http://${escapeText(address)}\n`);
    },
    wait: (after, signal) => isEnough(after, console.stderr, signal),
    finish: () => ending.finish(),
  });
  ending.check();
  // A signal may have been sent to the command itself.
  const stopped = ending.stopped ?? recording.trace.ends[0]?.stopped ?? null;
  const end = { ...recording.end, stopped, seconds: recording.seconds };
  const named = {
    ...recording.trace,
    ends: [end],
    platform: traced.platform,
    image: traced.digest,
    command: command.map(utf8Bytes),
  };
  const { notInImage } = await writeTrace(output, named, has);
  const written = { ...recording, end, file: output, launch, notInImage };
  console.stderr.write(recordingText(written));
  if (settings.format === 'json')
    console.stdout.write(`${safeJsonText(JSON.stringify(recordingJson(written), null, 2))}\n`);
  return statusOf(written);
}

/** What is written at the end is written also if a signal comes meanwhile. */
const unending = new AbortController().signal;

/** Writes the trace, with what the image does not have. */
async function writeTrace(
  file: string,
  trace: Trace,
  has: ((path: ByteString) => boolean) | null,
): Promise<Trace> {
  const { streamTrace } = await import('../../trace/trace-file.ts');
  const { writeWhole } = await import('../../files/whole-file.ts');
  const { countLost } = await import('../../trace/lost-paths.ts');
  const whole = {
    ...trace,
    notInImage: has === null ? null : await inTurns(countLost(trace, has), unending),
  };
  await writeWhole(file, encoded(streamTrace(whole, unending)), unending);
  return whole;
}

/** The output of the command, if something looks at it, or standard output is taken; null for the streams of this process. */
async function outputOf({ settings, console }: TraceCall, plan: ProbePlan | null) {
  const isJson = settings.format === 'json';
  const isSandbox = isSandboxed(settings);
  if (!isJson && !isSandbox && plan?.ready?.kind !== 'log') return null;
  const { CommandOutput } = await import('../../jobs/record/command-output.ts');
  const raw = (stream: { write(text: string): unknown }) => ({
    write: (chunk: Uint8Array) => stream.write(Buffer.from(chunk).toString('utf8')),
  });
  const stderr = raw(console.stderr);
  return new CommandOutput({
    // A program of an image has no terminal: it could write to it as if a person did.
    stdin: isSandbox ? 'ignore' : 'inherit',
    stdout: isJson ? stderr : raw(console.stdout),
    stderr,
  });
}

async function* encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const each of texts) yield Buffer.from(safeJsonText(each));
}
