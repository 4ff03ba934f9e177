/**
 * How the program of an image is to run in a sandbox, and what is asked of it, by settings and by what the image says. `trace record` and
 * `slim --record` make the same of the same options.
 */
import { OcislimError } from '../../errors.ts';
import type { ImageRun } from '../../jobs/record/sandbox/image-sandbox.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { Runtime } from '../../oci/runtime.ts';
import type { PublishSetting } from '../../probe/mounts.ts';
import type { ProbePlan } from '../../probe/probe.ts';
import type { SettingsOf } from '../../settings/option.ts';
import type { probing } from '../../settings/tables/probing.ts';
import type { running } from '../../settings/tables/running.ts';
import { ownPlatform } from './own-platform.ts';

/** The options of a run and of its probes. */
export type ProgramSettings = SettingsOf<typeof running> & SettingsOf<typeof probing>;

/**
 * Returns the command that runs in the sandbox: words that were given replace the command of the image, as with `docker run`.
 * @throws USAGE if neither names one
 */
export function commandOfImage(
  runtime: Pick<Runtime, 'entrypoint' | 'command'>,
  { runEntrypoint }: Pick<ProgramSettings, 'runEntrypoint'>,
  given: readonly string[],
): readonly string[] {
  const entrypoint = runEntrypoint ?? runtime.entrypoint;
  const rest = given.length > 0 || runEntrypoint !== null ? given : runtime.command;
  const command = [...entrypoint, ...rest];
  if (command.length > 0) return command;
  throw new OcislimError('USAGE', 'the image names no command that could run', {
    advice: 'Name one: --run-entrypoint "/app/server --port 80".',
  });
}

/** Returns how the program runs. */
export function imageRunOf(
  settings: ProgramSettings,
  runtime: Runtime,
  command: readonly string[],
): Omit<ImageRun, 'seccomp'> {
  const { sandbox, runUser, runWorkdir, runEnvFile, runEnv, runNetwork } = settings;
  return {
    sandbox: sandbox === 'none' ? 'auto' : sandbox,
    command,
    user: runUser ?? runtime.user,
    cwd: runWorkdir ?? (runtime.workingDirectory || '/'),
    env: { ...Object.fromEntries(runtime.environment), ...runEnvFile, ...runEnv },
    network: runNetwork,
    volumes: runtime.volumes,
    mounts: settings.runMount,
    tmpfs: settings.runTmpfs,
    hosts: settings.runHosts,
    memory: settings.runMemory,
  };
}

/** What settings ask where they ask nothing. */
export const nothing: ProbePlan = {
  probes: [],
  crawl: false,
  apis: [],
  ready: null,
  continueAfter: null,
  after: 0,
};

/** Returns everything that options ask of the program; null for nothing. @throws USAGE for options that need others */
export function planOf(settings: SettingsOf<typeof probing>): ProbePlan | null {
  const { httpProbe, httpProbeFile, execProbe, httpCrawl, openapi, ready, continueAfter, runFor } = settings;
  const probes = [...httpProbe, ...httpProbeFile, ...execProbe];
  const plan = { probes, crawl: httpCrawl, apis: openapi, ready, continueAfter, after: runFor };
  if (probes.length > 0 || httpCrawl || openapi.length > 0 || continueAfter !== null) return plan;
  if (ready !== null)
    throw new OcislimError('USAGE', '--ready goes with something to ask', {
      advice: 'Add --http-probe, --http-crawl, --openapi or --exec-probe.',
    });
  return null;
}

/** Returns the ports that can be reached from outside: those that were asked for; for a person who clicks around, all that the image exposes. */
export function publishedPorts(
  { runPublish, continueAfter }: Pick<ProgramSettings, 'runPublish' | 'continueAfter'>,
  ports: readonly number[],
): readonly PublishSetting[] {
  const isByHand = continueAfter?.kind === 'enter' || continueAfter?.kind === 'signal';
  if (runPublish.length > 0 || !isByHand) return runPublish;
  return ports.map((to) => ({ host: '127.0.0.1', from: 0, to }));
}

/** Returns the one platform that is recorded. @throws USAGE for several */
export function recordedPlatform(platforms: readonly Platform[]): Platform {
  const [platform = ownPlatform(), ...more] = platforms;
  if (more.length === 0) return platform;
  throw new OcislimError(
    'USAGE',
    `a recording is of one --platform, not of ${platforms.map(formatPlatform).join(' and ')}`,
    { advice: 'Name the one that this machine runs.' },
  );
}
