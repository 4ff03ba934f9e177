/** The options of every command that makes or compares images, and their settings. A command's help and parser read them. */
import { count, flag, list, type SettingsOf, text } from '../option.ts';
import { readReports } from '../announced.ts';
import { readIgnoredNoise } from '../ignored-noise.ts';
import { planOption } from '../plan-option.ts';
import { checkGlobs } from '../rule-files.ts';
import { attesting } from './attesting.ts';
import { configuring } from './configuring.ts';
import { adding, builtPlatforms, packingOfNew } from './building.ts';
import { arranging, fewerLayers, layerSelection, squashAfterwards, squashSelection } from './layers.ts';
import { packing, unpacked } from './packing.ts';
import { pruning } from './pruning.ts';
import { recording } from './recording.ts';
import { planning, relayerAfterwards, relayering } from './relayering.ts';
import { registries } from './registries.ts';
import { format, output, reports } from './reports.ts';
import { checking, debugging, platform, result } from './result.ts';
import { scanning } from './scanning.ts';
import { work } from './work.ts';

/** How a command reaches images and how much of the machine it uses. */
export const reaching = { ...output, ...registries, ...work };
export type ReachingSettings = SettingsOf<typeof reaching>;

/** What every command that rewrites an image takes. */
export const rewriting = { ...result, ...reports, ...attesting, ...reaching };
export type RewritingSettings = SettingsOf<typeof rewriting>;

/** What decides about the stages of `slim`. A plan takes the place of all of them. */
export const slimming = {
  ...pruning,
  ...squashSelection,
  ...arranging,
  ...relayerAfterwards,
  ...packing,
};

export const slimOptions = {
  plan: planOption,
  ...slimming,
  ...configuring,
  ...recording,
  ...scanning,
  ...debugging,
  ...checking,
  ...rewriting,
};
export type SlimSettings = SettingsOf<typeof slimOptions>;

export const squashOptions = {
  ...squashSelection,
  ...fewerLayers,
  ...arranging,
  ...packing,
  ...configuring,
  ...checking,
  ...rewriting,
};
export type SquashSettings = SettingsOf<typeof squashOptions>;

export const pruneOptions = {
  ...pruning,
  ...layerSelection,
  squash: squashAfterwards,
  ...arranging,
  ...packing,
  ...configuring,
  ...scanning,
  ...debugging,
  ...checking,
  ...rewriting,
};
export type PruneSettings = SettingsOf<typeof pruneOptions>;

// Layers that later versions are to share have the packing that options name, whatever is in them.
const { tune: _1, budget: _2, minSavings: _3, ...fixedPacking } = packing;

export const relayerOptions = {
  base: layerSelection.base,
  ...relayering,
  ...planning,
  ...fixedPacking,
  ...configuring,
  ...checking,
  ...rewriting,
};
export type RelayerSettings = SettingsOf<typeof relayerOptions>;

export const recompressOptions = {
  ...packing,
  ...layerSelection,
  ...configuring,
  ...checking,
  ...rewriting,
};
export type RecompressSettings = SettingsOf<typeof recompressOptions>;

export const copyOptions = { ...rewriting, compression: unpacked };
export type CopySettings = SettingsOf<typeof copyOptions>;

// What changes no layer saves nothing.
const { requireSavings: _, ...ownResult } = result;

export const configOptions = {
  ...configuring,
  ...checking,
  ...ownResult,
  ...reports,
  ...attesting,
  ...reaching,
};
export type ConfigCommandSettings = SettingsOf<typeof configOptions>;

export const restoreOptions = {
  path: list(checkGlobs, {
    value: 'GLOB',
    describe: 'put back only what this matches, as --keep of prune does (repeatable)',
    group: 'What to restore',
  }),
  original: text({
    value: 'REF',
    describe: 'name the original, if it is not where the image says',
    group: 'What to restore',
  }),
  ...configuring,
  ...ownResult,
  ...reports,
  ...attesting,
  ...reaching,
};
export type RestoreSettings = SettingsOf<typeof restoreOptions>;

export const rebaseOptions = {
  newBase: text({
    value: 'REF',
    describe: 'name the base image to put the application on',
    group: 'Bases',
  }),
  oldBase: text({
    value: 'REF',
    describe: 'name the base that the image was built on, if it does not say so',
    details:
      'Its layers must be the lowest ones of the image, by their DiffIDs. Default: what annotations of the manifest, of its row in the index and of the index state, then labels; a host that is neither that of the image nor of the new base is not asked on their word.',
    group: 'Bases',
  }),
  oldBaseLayers: count(1, {
    value: 'N',
    describe: 'say that the N lowest layers are the old base, whose image is gone',
    details:
      'Nothing is looked for then: the config of that base is not known, so that all values of the image stay. With `--old-base` the number of its layers must be this one.',
    group: 'Bases',
  }),
  force: flag({
    describe: 'rebase even where something is missing on the new base',
    group: 'Bases',
  }),
  ...configOptions,
};
export type RebaseSettings = SettingsOf<typeof rebaseOptions>;

export const verifyOptions = {
  except: list(checkGlobs, {
    value: 'GLOB',
    describe: 'allow what this matches to be missing in B (repeatable)',
    group: 'What to remove',
  }),
  removedBy: list(readReports, {
    value: 'FILE',
    describe: 'allow what this JSON report of a squash or prune names (repeatable)',
    details:
      'What the report names may be missing in B, have lost setuid bits, have the contents that it states, or be one file with another.',
    group: 'What to remove',
  }),
  ignore: list(readIgnoredNoise, {
    value: 'noise',
    describe: 'do not compare what every build makes different: times',
    details:
      'With them the names of owners, whose numbers are compared, and the time of its source in a compiled module of Python. It proves what `relayer --noise adopt` took over.',
    suggest: async () => ['noise'],
    group: 'Comparison',
  }),
  platform,
  format,
  ...reaching,
};
export type VerifySettings = SettingsOf<typeof verifyOptions>;

export const presetListOptions = { format };

export const exportOptions = { platform, ...reaching };

// What is built saves nothing, and no name is there to write over.
const { inPlace: _4, platform: _5, ...builtResult } = ownResult;

export const buildOptions = {
  ...adding,
  ...packingOfNew,
  ...configuring,
  ...checking,
  ...builtResult,
  platform: builtPlatforms,
  ...reports,
  ...attesting,
  ...reaching,
};
export type BuildSettings = SettingsOf<typeof buildOptions>;

export const appendOptions = {
  ...adding,
  ...packingOfNew,
  ...configuring,
  ...checking,
  ...ownResult,
  ...reports,
  ...attesting,
  ...reaching,
};
export type AppendSettings = SettingsOf<typeof appendOptions>;
