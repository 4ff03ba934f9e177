/**
 * The commands for programs: `import { slim } from 'ocislim/commands'`. Settings in, outcome out, both plain data that
 * survives JSON; secrets, signals and listeners come beside them and stay in the process.
 *
 *     const outcome = await slim('registry.example/app:1', 'registry.example/app:1-slim', { compression: 'zstd' });
 *     outcome.name; // registry.example/app@sha256:…
 *
 *     const analysis = await analyze('registry.example/app:1');
 *     analysis.totals.reclaimableBytes; // 12345678
 *
 * Settings that are left out have the defaults of the command line. Nothing is printed, and files are written only at the
 * destination: what --report and the like ask for is the command line's work.
 */
import type { Analysis } from '../analyze/analysis.ts';
import type { ImageDiff } from '../analyze/diff/image-diff.ts';
import { OcislimError } from '../errors.ts';
import { isNoEdit } from '../image/config-edit.ts';
import type { Reference } from '../oci/reference.ts';
import { readSource } from '../jobs/read-reference.ts';
import { configEditOf } from '../settings/config-edit.ts';
import {
  pruneStages,
  recompressStages,
  relayerStages,
  slimStages,
  squashStages,
} from '../settings/command-stages.ts';
import type { Options } from '../settings/option.ts';
import { defaultSettings } from '../settings/command-line.ts';
import { selectingOptions } from '../settings/selection.ts';
import {
  configOptions,
  type ConfigCommandSettings,
  appendOptions,
  type AppendSettings,
  buildOptions,
  type BuildSettings,
  copyOptions,
  type CopySettings,
  pruneOptions,
  type PruneSettings,
  rebaseOptions,
  type RebaseSettings,
  recompressOptions,
  type RecompressSettings,
  relayerOptions,
  type RelayerSettings,
  restoreOptions,
  type RestoreSettings,
  slimOptions,
  type SlimSettings,
  squashOptions,
  type SquashSettings,
  verifyOptions,
  type VerifySettings,
} from '../settings/tables/commands.ts';
import {
  extractOptions,
  type ExtractSettings,
  historyOptions,
  type HistorySettings,
  inspectOptions,
  type InspectSettings,
  lsOptions,
  type LsSettings,
} from '../settings/tables/looking.ts';
import type { Extraction } from '../jobs/look/extract-files.ts';
import type { Listing } from '../jobs/look/list-files.ts';
import { sbomOptions, type SbomSettings } from '../settings/tables/sbom.ts';
import type { DescribedImage } from '../jobs/look/documents.ts';
import type { HistoryOutcome, Look, LookSettings } from './look.ts';
import { type AnalyzeSettings, analyzeOptions } from '../settings/tables/analyze.ts';
import { checkOptions, type CheckSettings } from '../settings/tables/check.ts';
import type { Judgement } from '../report/verdict/judgement.ts';
import { diffOptions, type DiffSettings } from '../settings/tables/diff.ts';
import { fleetOptions, type FleetSettings } from '../settings/tables/fleet.ts';
import type { PlannedImage } from '../jobs/fleet/plan-fleet.ts';
import type { Outcome, VerifyOutcome } from './outcome.ts';
import type { SbomOutcome } from './sbom.ts';
import type { Work } from './planned-work.ts';
import { type JobSettings, rewrite } from './rewrite.ts';
import { type Surroundings, surroundingsOf } from './surroundings.ts';

export type { Failure, Outcome, VerifyOutcome } from './outcome.ts';
export type { Surroundings } from './surroundings.ts';
export { Secrets } from '../settings/secrets.ts';
export type { HistoryOutcome } from './look.ts';
export type { Analysis } from '../analyze/analysis.ts';
export type { ImageDiff } from '../analyze/diff/image-diff.ts';
export type { SbomOutcome } from './sbom.ts';
export type { PlannedImage } from '../jobs/fleet/plan-fleet.ts';
export type { Judgement } from '../report/verdict/judgement.ts';
export type {
  AnalyzeSettings,
  AppendSettings,
  BuildSettings,
  CheckSettings,
  ConfigCommandSettings,
  CopySettings,
  DiffSettings,
  ExtractSettings,
  FleetSettings,
  HistorySettings,
  InspectSettings,
  LsSettings,
  PruneSettings,
  RebaseSettings,
  RecompressSettings,
  RelayerSettings,
  RestoreSettings,
  SbomSettings,
  SlimSettings,
  SquashSettings,
  VerifySettings,
};

/** A command that reads one image and writes another. A destination of null goes with `tag`, `inPlace` or `dryRun`. */
export type RewritingCommand<Settings> = (
  source: string,
  destination: string | null,
  settings?: Partial<Settings>,
  surroundings?: Partial<Surroundings>,
) => Promise<Outcome>;

/** Removes what is safe to remove and compresses better, or does what a plan says. @throws OcislimError */
export const slim = rewriting<SlimSettings>('slim', slimOptions, async (settings) => {
  const { checkRecordingOptions } = await import('./record/recording-options.ts');
  await checkRecordingOptions(settings);
  const made = await slimStages(settings);
  return settings.record ? { kind: 'recorded', stages: made, settings } : stages(made);
});

/** Merges a range of layers into one. @throws OcislimError */
export const squash = rewriting<SquashSettings>(
  'squash',
  squashOptions,
  async (settings) => stages(squashStages(settings)),
  (settings) => (settings.maxLayers === null ? selectingOptions(settings)[0] : '--max-layers'),
);

/** Removes files by rule, preset or trace. @throws OcislimError */
export const prune = rewriting<PruneSettings>('prune', pruneOptions, async (settings) =>
  stages(await pruneStages(settings)),
);

/** Changes how layers are compressed, and nothing else. @throws OcislimError */
export const recompress = rewriting<RecompressSettings>('recompress', recompressOptions, async (settings) =>
  stages(recompressStages(settings)),
);

/** Lays an image out as layers of which an update changes few. @throws OcislimError */
export const relayer = rewriting<RelayerSettings>(
  'relayer',
  relayerOptions,
  async (settings) => stages(relayerStages(settings)),
  () => 'relayer',
);

/** Copies an image or index without changing a byte, but for the layers that docker-archives hold unpacked. @throws OcislimError */
export const copy = rewriting<CopySettings>('copy', copyOptions, async ({ compression }) => ({
  kind: 'copy',
  compression,
}));

/** Changes what the config and the manifest say, and no layer. @throws OcislimError */
export const config = rewriting<ConfigCommandSettings>('config', configOptions, async (settings) => {
  if (isNoEdit(configEditOf(settings)) && Object.keys(settings.annotation).length === 0)
    throw new OcislimError('USAGE', 'config needs to know what to change', {
      advice:
        'Give --env, --entrypoint, --user or another option; "ocislim inspect IMAGE --config" shows a config.',
    });
  return { kind: 'copy', compression: null };
});

/** Adds layers of files of this machine to an image. @throws OcislimError */
export const append = rewriting<AppendSettings>('append', appendOptions, async (settings) => {
  if (settings.layer.length === 0)
    throw new OcislimError('USAGE', 'append needs to know what to add', {
      advice: 'Give --layer SRC:/PATH.',
    });
  return addedLayers(settings);
});

/**
 * Builds an image of files of this machine, on a base or from nothing (null), for several platforms at once. It runs nothing.
 * @throws OcislimError
 */
export async function build(
  base: string | null,
  destination: string | null,
  given: Partial<BuildSettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<Outcome> {
  const settings = { ...(await defaultSettings(buildOptions)), ...given, inPlace: false };
  const { requireLayers, scratchFor } = await import('./build.ts');
  requireLayers(settings);
  const { ownPlatform } = await import('./record/own-platform.ts');
  const source = base ?? scratchFor(settings.platform, ownPlatform());
  const work = await addedLayers(settings);
  return rewrite(
    { command: 'build', source, destination, settings, work, squashOrigin: '' },
    surroundingsOf(surroundings),
  );
}

/** Plans new layers. Their sources are looked at first: a mistake in them shows before anything is read from a registry. */
async function addedLayers(settings: AppendSettings | BuildSettings): Promise<Work> {
  const { addingTransform } = await import('./build.ts');
  const { transform, warn } = await addingTransform(settings);
  return {
    kind: 'prepared',
    prepare: async ({ listener }, source) => {
      warn(listener);
      return { transform, source };
    },
  };
}

/** Puts pruned files back from the original. @throws OcislimError */
export const restore = rewriting<RestoreSettings>('restore', restoreOptions, async (settings, source) => {
  const { OriginalPlaces } = await import('./originals.ts');
  const { restore: transform } = await import('../slim/restore.ts');
  const paths = settings.path.length === 0 ? null : settings.path;
  return {
    kind: 'prepared',
    prepare: async (workspace, opened) => {
      const places = new OriginalPlaces(workspace, source);
      const found = await places.find(opened, settings.original, settings.platform);
      return { source: found.source, transform: transform({ originalOf: found.originalOf, paths }) };
    },
  };
});

/** Puts an image on another base, where what it has would still run. @throws OcislimError */
export const rebase = rewriting<RebaseSettings>('rebase', rebaseOptions, async (settings, reference) => {
  if (settings.newBase === null)
    throw new OcislimError('USAGE', 'rebase needs to know the new base', {
      advice: 'Give --new-base REF, and --old-base REF unless the image says what it was built on.',
    });
  return {
    kind: 'prepared',
    prepare: async (workspace, source) => {
      const { planRebase } = await import('./rebase.ts');
      return planRebase({ reference, source, settings }, workspace);
    },
  };
});

/** Proves that image B is image A, or A less what the settings allow to be missing. @throws OcislimError */
export async function verify(
  a: string,
  b: string,
  given: Partial<VerifySettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<VerifyOutcome> {
  const { verifyTwo } = await import('./verify.ts');
  const settings = { ...(await defaultSettings(verifyOptions)), ...given };
  const pair = { a: await readSource(a), b: await readSource(b), settings };
  return verifyTwo(pair, surroundingsOf(surroundings));
}

/**
 * Lists everything that differs between two images, and what a client that has A downloads for B. Paths in the result are byte strings:
 * one character a byte. @throws OcislimError
 */
export async function diff(
  a: string,
  b: string,
  given: Partial<DiffSettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<ImageDiff> {
  const { diffTwo } = await import('./diff.ts');
  const settings = { ...(await defaultSettings(diffOptions)), ...given };
  return diffTwo({ a: await readSource(a), b: await readSource(b), settings }, surroundingsOf(surroundings));
}

/** Reads the history of one image, the newest step first, and no layer. @throws OcislimError */
export async function history(
  source: string,
  given: Partial<HistorySettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<HistoryOutcome> {
  const { lookAtHistory } = await import('./look.ts');
  return lookAtHistory(await lookOf(source, historyOptions, given, surroundings));
}

/** Reads what the documents of an image say: manifests, configs, the rows of an index. No layer is read. @throws OcislimError */
export async function inspect(
  source: string,
  given: Partial<InspectSettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<DescribedImage> {
  const { lookAtDocuments } = await import('./look.ts');
  const look = await lookOf(source, inspectOptions, given, surroundings);
  return lookAtDocuments(look, { referrers: given.referrers ?? false });
}

/** Reads the exact bytes of the manifest or index of a reference, or of the config of one image. @throws OcislimError */
export async function readDocument(
  source: string,
  which: 'manifest' | 'config',
  given: Partial<InspectSettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<Uint8Array> {
  const look = await import('./look.ts');
  return look.readDocument(await lookOf(source, inspectOptions, given, surroundings), which);
}

/**
 * Lists files of one image at a path: what a container sees, or what layers hold. It reads headers only. Paths in the result are
 * byte strings: one character a byte. @throws OcislimError
 */
export async function list(
  source: string,
  path = '/',
  given: Partial<LsSettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<Listing> {
  const { lookAtFiles } = await import('./look.ts');
  const settings = { ...(await defaultSettings(lsOptions)), ...given };
  return lookAtFiles({ source, settings, surroundings: surroundingsOf(surroundings) }, path, settings);
}

/** Makes the bill of materials of one image, in CycloneDX or SPDX. @throws OcislimError */
export async function sbom(
  source: string,
  given: Partial<SbomSettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<SbomOutcome> {
  const { sbomOf } = await import('./sbom.ts');
  const settings = { ...(await defaultSettings(sbomOptions)), ...given };
  return sbomOf(source, settings, surroundingsOf(surroundings));
}

/**
 * Plans a fleet: yields each image below some names of registries, and what could not be planned. Names are written as for the command line. @throws OcislimError
 */
export async function* fleetPlan(
  sources: readonly string[],
  given: Partial<FleetSettings> = {},
  surroundings: Partial<Surroundings> = {},
): AsyncGenerator<PlannedImage> {
  const { planFleetOf } = await import('./fleet.ts');
  const settings = { ...(await defaultSettings(fleetOptions)), ...given };
  yield* planFleetOf(sources, settings, surroundingsOf(surroundings));
}

/**
 * Copies a file or directory of one image into a folder of this machine; its digest and DiffID are checked before anything has its final
 * name. Paths in the result are byte strings: one character a byte. @throws OcislimError
 */
export async function extract(
  source: string,
  path: string,
  into: string,
  given: Partial<ExtractSettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<Extraction> {
  const { extractFrom } = await import('./look.ts');
  const settings = { ...(await defaultSettings(extractOptions)), ...given };
  const look = { source, settings, surroundings: surroundingsOf(surroundings) };
  return extractFrom(look, { path, into }, settings);
}

/** Fills in the settings of a command that looks into one image. */
async function lookOf(
  source: string,
  options: Options,
  given: Partial<LookSettings>,
  surroundings: Partial<Surroundings>,
): Promise<Look> {
  const settings = { ...(await defaultSettings(options)), ...given } as LookSettings;
  return { source, settings, surroundings: surroundingsOf(surroundings) };
}

/** Judges an image by gates: those of settings, or the defaults. No file is looked for. @throws OcislimError */
export async function check(
  source: string,
  given: Partial<CheckSettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<Judgement> {
  const { checkOne } = await import('./check.ts');
  const settings = { ...(await defaultSettings(checkOptions)), ...given };
  return checkOne(source, settings, surroundingsOf(surroundings));
}

/** Says what an image holds, what it wastes, and how to get that back. Paths are byte strings: one character a byte. @throws OcislimError */
export async function analyze(
  source: string,
  given: Partial<AnalyzeSettings> = {},
  surroundings: Partial<Surroundings> = {},
): Promise<Analysis> {
  const { analyzeOne } = await import('./analyze.ts');
  const settings = { ...(await defaultSettings(analyzeOptions)), ...given };
  return (await analyzeOne(source, settings, surroundingsOf(surroundings))).analysis;
}

function stages(made: Extract<Work, { kind: 'stages' }>['stages']): Work {
  return { kind: 'stages', stages: made };
}

/** Makes a command of its table of options and of what turns its settings into work. */
function rewriting<Settings extends JobSettings>(
  command: string,
  options: Options,
  workOf: (settings: Settings, source: Reference) => Promise<Work>,
  originOf: (settings: Settings) => string | undefined = () => undefined,
): RewritingCommand<Settings> {
  return async (source, destination, given = {}, surroundings = {}) => {
    const asked = { ...(await defaultSettings(options)), ...given } as Settings;
    const settings = asked.planOnly === true ? { ...asked, dryRun: true } : asked;
    const work = await workOf(settings, await readSource(source));
    const squashOrigin = originOf(settings) ?? '--squash';
    return rewrite(
      { command, source, destination, settings, work, squashOrigin },
      surroundingsOf(surroundings),
    );
  };
}
