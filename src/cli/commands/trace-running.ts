/**
 * What `trace record` runs: the command, by the settings of its image and of the command line, and how it is started. The action `record` calls
 * it before it records.
 */
import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { commandOfImage, imageRunOf, recordedPlatform } from '../../commands/record/program.ts';
import { ownPlatform } from '../../commands/record/own-platform.ts';
import { OcislimError } from '../../errors.ts';
import type { Launch } from '../../jobs/record/launch.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Runtime } from '../../oci/runtime.ts';
import { openWorkspace } from '../open-workspace.ts';
import { Screen } from '../screen.ts';
import type { TraceCall } from './trace-call.ts';

/** What the trace says of its image, and what the command inherits from it. */
export interface TracedImage {
  readonly platform: string;
  readonly digest: Digest | null;
  readonly runtime: Runtime | null;
}

/** Reads the image that --image names. Default: no image, and this machine's platform. @throws UNSUPPORTED for one that this machine does not run, and what reading images throws */
export async function imageOf(call: TraceCall): Promise<TracedImage> {
  const { settings } = call;
  const platform = recordedPlatform(settings.platform);
  if (settings.image === null) return { platform: formatPlatform(platform), digest: null, runtime: null };
  const { readSource } = await import('../../jobs/read-reference.ts');
  const { readRecordedImage } = await import('../../commands/record/recorded-image.ts');
  const { requireArchitecture } = await import('../../jobs/record/sandbox/architecture.ts');
  using screen = new Screen(settings, call.console);
  await using workspace = await openWorkspace(call, screen);
  const source = await workspace.openSource(await readSource(settings.image));
  const image = await readRecordedImage(source, platform, workspace);
  if (isSandboxed(settings)) await requireArchitecture(image.platform);
  return image;
}

/** Returns the command to record: as given, else that of the image. @throws USAGE if neither names one */
export function commandOf({ line, settings }: TraceCall, { runtime }: TracedImage): readonly string[] {
  const given = line.argumentsOf('--');
  if (runtime !== null && isSandboxed(settings)) return commandOfImage(runtime, settings, given);
  const { runEntrypoint } = settings;
  // Elsewhere than in a sandbox, the words are all that runs.
  const entrypoint = runEntrypoint ?? (given.length > 0 ? [] : (runtime?.entrypoint ?? []));
  const rest = given.length > 0 || runEntrypoint !== null ? given : (runtime?.command ?? []);
  const command = [...entrypoint, ...rest];
  if (command.length > 0) return command;
  throw new OcislimError(
    'USAGE',
    runtime === null
      ? 'trace record needs a command'
      : 'the image names no command, so that trace record needs one',
    { advice: 'Write it after "--": ocislim trace record -o app.trace -- /app/server --port 80' },
  );
}

/** Returns whether the image is unpacked and run in a sandbox. */
export function isSandboxed({ root, image, sandbox }: TraceCall['settings']): boolean {
  return root === null && image !== null && sandbox !== 'none';
}

/** Options that say how a command runs in a root filesystem, with whether they were given. */
function runOptions({ settings }: TraceCall): readonly (readonly [option: string, isGiven: boolean])[] {
  return [
    ['--user', settings.user !== null],
    ['--env', Object.keys(settings.env).length > 0],
    ['--run-user', settings.runUser !== null],
    ['--run-env', Object.keys(settings.runEnv).length > 0],
    ['--run-env-file', Object.keys(settings.runEnvFile).length > 0],
    ['--run-workdir', settings.runWorkdir !== null],
    ['--run-publish', settings.runPublish.length > 0],
  ];
}

/** Options of the sandbox of an image, with whether they were given. */
function sandboxOptions({ settings }: TraceCall): readonly (readonly [option: string, isGiven: boolean])[] {
  return [
    ['--run-mount', settings.runMount.length > 0],
    ['--run-tmpfs', settings.runTmpfs.length > 0],
    ['--run-hosts', Object.keys(settings.runHosts).length > 0],
    ['--run-memory', settings.runMemory !== null],
    ['--run-seccomp', settings.runSeccomp !== null],
  ];
}

/** @throws USAGE for options that have no effect where the command runs */
function checkOptions(call: TraceCall): void {
  const { root } = call.settings;
  if (isSandboxed(call.settings)) return;
  const wrong = sandboxOptions(call).find(([, isGiven]) => isGiven);
  if (wrong !== undefined) throw new OcislimError('USAGE', `${wrong[0]} goes with --image, without --root`);
  const other = runOptions(call).find(([, isGiven]) => isGiven);
  if (root === null && other !== undefined)
    throw new OcislimError('USAGE', `${other[0]} goes with --root or --image`);
}

/** A command that is ready to be launched. Disposing of it removes what was unpacked for it. */
export interface Prepared extends AsyncDisposable {
  readonly launch: Launch;
  /** Tells whether the image has a path; null where that is not known. */
  readonly has: ((path: ByteString) => boolean) | null;
  /** What is not as the image says, as rests of sentences. */
  readonly losses: readonly string[];
}

/** Prepares to start the command: here, in --root as the image would, or in a sandbox of the image. @throws USAGE, UNSUPPORTED, and what unpacking throws */
export async function prepare(
  call: TraceCall,
  command: readonly string[],
  { runtime, hasCompany }: { readonly runtime: Runtime | null; readonly hasCompany: boolean },
): Promise<Prepared> {
  checkOptions(call);
  const { settings, console } = call;
  if (isSandboxed(settings) && runtime !== null) return sandboxOf(call, command, runtime);
  const { launchHere } = await import('../../jobs/record/launch.ts');
  const { enterRoot } = await import('../../jobs/record/root-entry.ts');
  const { root, user, env, runUser, runEnv, runEnvFile, runWorkdir, runNetwork } = settings;
  const entry = {
    user: runUser ?? user ?? runtime?.user ?? '',
    cwd: runWorkdir ?? (runtime?.workingDirectory || '/'),
    env: { ...Object.fromEntries(runtime?.environment ?? []), ...runEnvFile, ...env, ...runEnv },
    network: runNetwork,
    hasCompany,
  };
  const nothing = { losses: [], [Symbol.asyncDispose]: () => Promise.resolve() };
  const launch =
    root === null
      ? launchHere(command, process.cwd(), console.env)
      : await enterRoot({ ...entry, root }, command, console.signal);
  return { launch, has: await namesOf(call), ...nothing };
}

/** Unpacks the image into a sandbox. */
async function sandboxOf(call: TraceCall, command: readonly string[], runtime: Runtime): Promise<Prepared> {
  const { openImageSandbox } = await import('../../jobs/record/sandbox/image-sandbox.ts');
  const { filterForTrial, requireFiltering } = await import('../../jobs/record/sandbox/trial-filter.ts');
  const { openProgram } = await import('../../commands/record/open-program.ts');
  const { readSource } = await import('../../jobs/read-reference.ts');
  const { settings } = call;
  using screen = new Screen(settings, call.console);
  await using workspace = await openWorkspace(call, screen);
  const { user, env, runUser, runEnv } = settings;
  const plain = { ...settings, runUser: runUser ?? user, runEnv: { ...env, ...runEnv } };
  await using stack = new AsyncDisposableStack();
  const open = async () => {
    const program = {
      cache: await workspace.openCache(),
      source: await workspace.openSource(await readSource(settings.image ?? '')),
      platform: recordedPlatform(settings.platform),
    };
    return stack.use(await openProgram(program, workspace)).tar();
  };
  const { limits, signal } = workspace;
  const filter = settings.runSeccomp === null ? null : filterForTrial(settings.runSeccomp);
  const run = { ...imageRunOf(plain, runtime, command), seccomp: filter?.program ?? null };
  const opened = await openImageSandbox({ run, open, limits, signal });
  if (filter !== null) await requireFiltering(opened);
  const { launch, names } = opened;
  return {
    launch,
    losses: [...opened.losses, ...(filter?.losses ?? [])],
    has: (path) => names.has(path),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

/**
 * Returns what tells whether the image has a path: by the names that --root has before the recording, or by the layers of --image. Null
 * without either. @throws what reading an image throws
 */
async function namesOf(call: TraceCall): Promise<Prepared['has']> {
  const { settings, console } = call;
  const { root, image } = settings;
  if (root !== null) {
    const { readRootNames } = await import('../../jobs/record/root-names.ts');
    const names = await readRootNames(root, console.signal);
    return (path) => names.has(path);
  }
  if (image === null) return null;
  const { inspectNamed } = await import('./trace-image.ts');
  const { fs } = await inspectNamed(image, ownPlatform(), () => 0, call);
  return (path) => fs.resolve(ascii`/${path}`).path !== null;
}
