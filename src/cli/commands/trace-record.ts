/** The action `record` of `trace`: a command below strace. How strace is found and driven is in `jobs/record`. */
import { ascii, type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { OcislimError } from '../../errors.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { Digest } from '../../oci/digest.ts';
import { safeJsonText } from '../../report/escape.ts';
import type { Runtime } from '../../oci/runtime.ts';
import { inTurns } from '../../steps.ts';
import { openWorkspace } from '../open-workspace.ts';
import { Screen } from '../screen.ts';
import { RecordingEnd } from './recording-end.ts';
import { defaultTrace, type TraceCall } from './trace-call.ts';

/** Milliseconds from SIGTERM to SIGKILL, as with `docker stop`. */
const grace = 10_000;

/**
 * Runs `trace record -- COMMAND`: starts the command below strace, and writes what it used as a trace file. Returns the
 * exit status of the command.
 * @throws USAGE, UNSUPPORTED without strace or where it may not trace, IO where the command does not start, LIMIT
 */
export async function recordTrace(call: TraceCall): Promise<number> {
  const { settings, console } = call;
  const output = settings.output ?? defaultTrace;
  const { limitsOf } = await import('../../settings/limits.ts');
  const { straceArguments } = await import('../../jobs/record/strace.ts');
  const { record } = await import('../../jobs/record/record.ts');
  const { streamTrace } = await import('../../trace/trace-file.ts');
  const { writeWhole } = await import('../../files/whole-file.ts');
  const { countLost } = await import('../../trace/lost-paths.ts');
  const { recordingText } = await import('./recording-text.ts');
  const traced = await imageOf(call);
  const command = commandOf(call.line.argumentsOf('--'), traced);
  const strace = await straceArguments(settings.allSyscalls, console.signal);
  const launch = await launchOf(call, command, traced.runtime);
  const has = await namesOf(call);

  using ending = new RecordingEnd({
    seconds: settings.for,
    limits: limitsOf(settings.limit),
    hasTerminal: process.stdin.isTTY,
  });
  const recording = await record({ launch, strace, name: output, stop: ending.signal, grace });
  const { trace, end, seconds } = recording;
  ending.check();
  // A signal may have been sent to the command itself.
  const stopped = ending.stopped ?? trace.ends[0]?.stopped ?? null;
  const named = {
    ...trace,
    ends: [{ ...end, stopped, seconds }],
    platform: traced.platform,
    image: traced.digest,
    command: command.map(utf8Bytes),
    notInImage: has === null ? null : await inTurns(countLost(trace, has), unending),
  };
  await writeWhole(output, encoded(streamTrace(named, unending)), unending);
  const { notInImage } = named;
  console.stderr.write(recordingText({ ...recording, file: output, launch, notInImage }));
  return end.status;
}

/** What is written at the end is written also if a signal comes meanwhile. */
const unending = new AbortController().signal;

/**
 * Returns what tells whether the image has a path: by the names that --root has before the recording, or by the layers of --image. Null
 * without either. @throws what reading an image throws
 */
async function namesOf(call: TraceCall): Promise<((path: ByteString) => boolean) | null> {
  const { settings, console } = call;
  const { root, image } = settings;
  if (root !== null) {
    const { readRootNames } = await import('../../jobs/record/root-names.ts');
    const names = await readRootNames(root, console.signal);
    return (path) => names.has(path);
  }
  if (image === null) return null;
  const { inspectNamed } = await import('./trace-image.ts');
  const { fs } = await inspectNamed(image, machine(), () => 0, call);
  return (path) => fs.resolve(ascii`/${path}`).path !== null;
}

/** Returns the command to record: as given, else that of the image. @throws USAGE if neither names one */
function commandOf(given: readonly string[], { runtime }: TracedImage): readonly string[] {
  const command = given.length > 0 ? given : [...(runtime?.entrypoint ?? []), ...(runtime?.command ?? [])];
  if (command.length > 0) return command;
  throw new OcislimError(
    'USAGE',
    runtime === null
      ? 'trace record needs a command'
      : 'the image names no command, so that trace record needs one',
    { advice: 'Write it after "--": ocislim trace record -o app.trace -- /app/server --port 80' },
  );
}

async function* encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const each of texts) yield Buffer.from(safeJsonText(each));
}

/** What the trace says of its image, and what the command inherits from it. */
interface TracedImage {
  readonly platform: string;
  readonly digest: Digest | null;
  readonly runtime: Runtime | null;
}

/** Reads the image that --image names. Default: no image, and this machine's platform. @throws what reading images throws */
async function imageOf(call: TraceCall): Promise<TracedImage> {
  const { settings } = call;
  const platforms = settings.platform.length > 0 ? settings.platform : [machine()];
  if (platforms.length > 1) throw new OcislimError('USAGE', 'a recording is of one --platform');
  const own = formatPlatform(platforms[0] as Platform);
  if (settings.image === null) return { platform: own, digest: null, runtime: null };
  const { readSource } = await import('../../jobs/read-reference.ts');
  const { imageMembers, readImageSet } = await import('../../jobs/image-set.ts');
  const { readRuntime } = await import('../../oci/runtime.ts');
  using screen = new Screen(settings, call.console);
  await using workspace = await openWorkspace(call, screen);
  const source = await workspace.openSource(await readSource(settings.image));
  const { limits, listener, signal } = workspace;
  const images = imageMembers(await readImageSet(source, { platforms, limits, listener, signal }));
  const image = images[0]?.image;
  if (image === undefined || images.length > 1)
    throw new OcislimError('USAGE', `--image names ${images.length} images for ${own}`, {
      advice: 'Choose one by its digest.',
    });
  const { platform } = image.config;
  return {
    platform: platform === null ? own : formatPlatform(platform),
    digest: image.descriptor.digest,
    runtime: readRuntime(image.config),
  };
}

/** The platform of this machine, as images name it. */
function machine(): Platform {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
  const { platform, arch } = process;
  return { os: platform, architecture: names[arch] ?? arch };
}

/** How to start the command: here, or in --root as the image would. @throws USAGE for options that need --root */
async function launchOf(call: TraceCall, command: readonly string[], runtime: Runtime | null) {
  const { enterRoot, launchHere } = await import('../../jobs/record/launch.ts');
  const { settings, console } = call;
  const { root, user, env } = settings;
  if (root === null) {
    if (user !== null) throw new OcislimError('USAGE', '--user goes with --root');
    if (Object.keys(env).length > 0) throw new OcislimError('USAGE', '--env goes with --root');
    return launchHere(command, process.cwd(), console.env);
  }
  return enterRoot(
    {
      root,
      user: user ?? runtime?.user ?? '',
      cwd: runtime?.workingDirectory || '/',
      env: { ...Object.fromEntries(runtime?.environment ?? []), ...env },
    },
    command,
    console.signal,
  );
}
