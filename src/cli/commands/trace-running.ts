/**
 * What `trace record` runs: the command, by the settings of its image and of the command line, and how it is started. The action `record` calls
 * it before it records.
 */
import { OcislimError } from '../../errors.ts';
import type { Launch } from '../../jobs/record/launch.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
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

/** Reads the image that --image names. Default: no image, and this machine's platform. @throws what reading images throws */
export async function imageOf(call: TraceCall): Promise<TracedImage> {
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

/** Returns the platform of this machine, as images name it. */
export function machine(): Platform {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
  const { platform, arch } = process;
  return { os: platform, architecture: names[arch] ?? arch };
}

/** Returns the command to record: as given, else that of the image. @throws USAGE if neither names one */
export function commandOf(given: readonly string[], { runtime }: TracedImage): readonly string[] {
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

/** Options that say how a command runs in a root filesystem, with whether they were given. */
function givenOptions({ settings }: TraceCall): readonly (readonly [option: string, isGiven: boolean])[] {
  return [
    ['--user', settings.user !== null],
    ['--env', Object.keys(settings.env).length > 0],
    ['--run-user', settings.runUser !== null],
    ['--run-env', Object.keys(settings.runEnv).length > 0],
    ['--run-workdir', settings.runWorkdir !== null],
    ['--run-publish', settings.runPublish.length > 0],
  ];
}

/** Returns how to start the command: here, or in --root as the image would. @throws USAGE for options that need --root */
export async function launchOf(
  call: TraceCall,
  command: readonly string[],
  { runtime, hasCompany }: { readonly runtime: Runtime | null; readonly hasCompany: boolean },
): Promise<Launch> {
  const { enterRoot, launchHere } = await import('../../jobs/record/launch.ts');
  const { settings, console } = call;
  const { root, user, env, runUser, runEnv, runWorkdir, runNetwork } = settings;
  if (root === null) {
    const wrong = givenOptions(call).find(([, isGiven]) => isGiven);
    if (wrong !== undefined) throw new OcislimError('USAGE', `${wrong[0]} goes with --root`);
    return launchHere(command, process.cwd(), console.env);
  }
  return enterRoot(
    {
      root,
      user: runUser ?? user ?? runtime?.user ?? '',
      cwd: runWorkdir ?? (runtime?.workingDirectory || '/'),
      env: { ...Object.fromEntries(runtime?.environment ?? []), ...env, ...runEnv },
      network: runNetwork,
      hasCompany,
    },
    command,
    console.signal,
  );
}
