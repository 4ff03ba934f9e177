/** The stages that each command makes of its settings. Callers: the commands, of the command line and of the library. */
import { OcislimError } from '../errors.ts';
import { asksNoHistory } from './history.ts';
import type { Options } from './option.ts';
import {
  rangeSelection,
  type SelectionSetting,
  selectingOptions,
  squashSelectionOf,
  squashSettingOf,
} from './selection.ts';
import {
  arrangement,
  noStages,
  packBetter,
  packingOf,
  type Packing,
  pruneStage,
  relayerStage,
  type RelayerStage,
  removesNothing,
  type PackStage,
  type PackingSettings,
  type Stages,
} from './stages.ts';
import {
  type PruneSettings,
  type RecompressSettings,
  type RelayerSettings,
  slimming,
  type SlimSettings,
  type SquashSettings,
} from './tables/commands.ts';
import { relayering } from './tables/relayering.ts';
import { nameOf } from './option.ts';
import { parseSize } from './sizes.ts';

const all: SelectionSetting = { kind: 'all' };

/** Makes all stages, with safe defaults; or takes those of the plan. @throws USAGE for a plan with options beside it */
export async function slimStages(settings: SlimSettings): Promise<Stages> {
  if (settings.plan !== null) {
    await refuseOptionsBesidePlan(settings);
    return settings.plan;
  }
  const { safePresets } = await import('../slim/presets.ts');
  const relayer = relayerOf(settings);
  const prune = await pruneStage(all, { ...settings, shadowed: true }, [...safePresets, ...settings.preset]);
  const isSquashed = relayer === null && selectingOptions(settings).length > 0;
  const squash = isSquashed ? squashSelectionOf(settings) : null;
  const layout = arrangement(settings);
  const packing = packingOf(settings);
  return {
    ...noStages,
    prune,
    squash,
    relayer,
    arrange:
      layout === null
        ? []
        : [
            { selection: all, ...layout, always: false },
            ...(squash === null ? [] : [{ selection: squash, ...layout, always: true }]),
          ],
    pack: packingOfSlim(settings, packing, relayer),
    variant: variantOf(settings),
    dropEmpty: settings.emptyLayers === 'drop',
  };
}

/** Compresses better by default; layers that later versions are to share in the usual way, which does not depend on what is in them. */
function packingOfSlim(
  { minSavings }: SlimSettings,
  packing: Packing | null,
  relayer: RelayerStage | null,
): readonly PackStage[] {
  if (relayer !== null && packing === null) return [];
  return [{ selection: all, packing: packing ?? packBetter, minSavings, isAsked: packing !== null }];
}

/** Reads how `slim` relayers the result. @throws USAGE for options that do not go together */
function relayerOf(settings: SlimSettings): RelayerStage | null {
  if (!settings.relayer) {
    const { maxLayers, maxLayer, by, noise } = relayering;
    const idle = {
      '--max-layers': settings.maxLayers !== maxLayers.default,
      '--max-layer': settings.maxLayer !== parseSize(String(maxLayer.default), '--max-layer'),
      '--by': settings.by !== by.default,
      '--noise': settings.noise !== noise.default,
      '--group': settings.group.length > 0,
      '--previous': settings.previous.length > 0,
      '--history': !asksNoHistory(settings.history),
    };
    const [option] = Object.entries(idle).find(([, isGiven]) => isGiven) ?? [];
    if (option === '--max-layers')
      throw new OcislimError('USAGE', '--max-layers goes with --relayer', {
        advice:
          'To merge layers until few are left: ocislim squash --max-layers N, or squash: { maxLayers: N } in a plan.',
      });
    if (option !== undefined) throw new OcislimError('USAGE', `${option} goes with --relayer`);
    return null;
  }
  const others = [
    ...selectingOptions(settings).filter((option) => option !== '--base'),
    ...(settings.order === 'similar' ? ['--order similar'] : []),
    ...(settings.dedupeHardlink ? ['--dedupe-hardlink'] : []),
    ...(settings.tune === null ? [] : ['--tune']),
    ...(settings.budget === null ? [] : ['--budget']),
  ];
  const [other] = others;
  if (other !== undefined)
    throw new OcislimError('USAGE', `--relayer and ${other} do not go together`, {
      advice: 'Later versions are to share layers, so that these depend on nothing but what is in them.',
    });
  return relayerStage(rangeSelection({ layers: null, base: settings.base }), settings);
}

/** Relayers an image. @throws USAGE */
export function relayerStages(settings: RelayerSettings): Stages {
  const selection = rangeSelection({ layers: null, base: settings.base });
  const packing = { ...settings, tune: null, budget: null, minSavings: null };
  return {
    ...noStages,
    relayer: relayerStage(selection, settings),
    pack: packStages(selection, packing),
    variant: variantOf(packing),
  };
}

/** Compares with the defaults, so that options from the environment count too. @throws USAGE */
async function refuseOptionsBesidePlan(settings: SlimSettings): Promise<void> {
  const { defaultSettings } = await import('./command-line.ts');
  const defaults: Readonly<Record<string, unknown>> = await defaultSettings(slimming);
  const given: Readonly<Record<string, unknown>> = settings;
  const other = Object.keys(defaults).find(
    (key) => JSON.stringify(given[key]) !== JSON.stringify(defaults[key]),
  );
  if (other === undefined) return;
  const name = nameOf(other, (slimming as Options)[other]);
  throw new OcislimError('USAGE', `--file and --${name} do not go together: the plan says it all`);
}

/** Makes one layer of the selected ones, or merges some of them until few enough are left. @throws USAGE */
export function squashStages(settings: SquashSettings): Stages {
  const squash = squashSettingOf(settings);
  const isFewer = squash.kind === 'fewer';
  const selection = isFewer ? (squash.within ?? all) : squash;
  const layout = arrangement(settings);
  return {
    ...noStages,
    squash,
    // Of layers that may be merged, those that are not keep their blobs.
    arrange: layout === null ? [] : [{ selection, ...layout, always: !isFewer }],
    pack: packStages(selection, settings),
    variant: variantOf(settings),
  };
}

/** Removes what rules, presets and traces name from the selected layers. @throws USAGE where nothing says what to remove */
export async function pruneStages(settings: PruneSettings): Promise<Stages> {
  const selection = rangeSelection(settings);
  const prune = await pruneStage(selection, settings);
  if (removesNothing(prune)) {
    throw new OcislimError('USAGE', 'prune needs to know what to remove', {
      advice: 'Give --rule, --rules, --preset, --trace, --shadowed or --package-db sync.',
    });
  }
  const layout = arrangement(settings);
  // Layers that the caller names are rewritten in any case, others only where something is removed.
  const always = selection.kind !== 'all';
  return {
    ...noStages,
    prune,
    squash: settings.squash ? selection : null,
    arrange: layout === null ? [] : [{ selection, ...layout, always }],
    pack: packStages(selection, settings),
    variant: variantOf(settings),
    dropEmpty: settings.emptyLayers === 'drop',
  };
}

/** Puts the selected layers into another encoding, or compresses them better in their own. @throws USAGE */
export function recompressStages(settings: RecompressSettings): Stages {
  const selection = rangeSelection(settings);
  const variant = variantOf(settings);
  // What is asked for is the variant: the image beside it stays as it is.
  const packing = packingOf(settings) ?? (variant === null ? packBetter : null);
  const { minSavings } = settings;
  const pack = packing === null ? [] : [{ selection, packing, minSavings, isAsked: true }];
  return { ...noStages, pack, variant };
}

/** Reads the second packing. @throws USAGE where the first one is in zstd, too */
function variantOf({ addVariant, compression }: PackingSettings): Stages['variant'] {
  if (addVariant !== null && compression === 'zstd')
    throw new OcislimError('USAGE', '--add-variant and --compression zstd do not go together', {
      advice: 'The variant is in zstd, and the image beside it in gzip.',
    });
  return addVariant;
}

/** Packs the layers of a selection; nothing where the settings name neither format nor goal. */
function packStages(selection: SelectionSetting, settings: PackingSettings): readonly PackStage[] {
  const packing = packingOf(settings);
  return packing === null ? [] : [{ selection, packing, minSavings: settings.minSavings, isAsked: true }];
}
