/**
 * The stages of a rewriting job as plain data, and the way from settings to them. A plan file gives the same stages. Both
 * become a transform in one place, `transformOf`.
 */
import {
  defaultEngine,
  encodingWith,
  type GzipEngine,
  isPackedFormat,
  type PackedEncoding,
  type PackedFormat,
  packedFormats,
  validateEncoding,
} from '../codec/encoding.ts';
import type { Compression } from '../oci/media-type.ts';
import { OcislimError } from '../errors.ts';
import { type ConfigEdit, noEdit } from '../image/config-edit.ts';
import type { MinSavings, PackageDb, TuningGoal } from '../image/image.ts';
import type { Relayering } from '../image/relayering.ts';
import type { TraceData } from '../image/trace-pruning.ts';
import type { TracePruning } from '../image/trace-pruning.ts';
import type { Rule } from '../rules/rule.ts';
import type { HistorySetting } from './history.ts';
import type { SettingsOf } from './option.ts';
import type { SelectionSetting, SquashSetting } from './selection.ts';
import type { arranging } from './tables/layers.ts';
import type { packing } from './tables/packing.ts';
import type { pruning } from './tables/pruning.ts';
import type { relayering } from './tables/relayering.ts';
import type { TraceSetting } from './trace-setting.ts';

/** What is done to an image, stage by stage in this order. A stage that is absent is null or an empty list. */
export interface Stages {
  readonly prune: PruneStage | null;
  readonly squash: SquashSetting | null;
  readonly relayer: RelayerStage | null;
  readonly arrange: readonly ArrangeStage[];
  readonly pack: readonly PackStage[];
  /** How every image is packed a second time, beside one in gzip. Null: it is not. */
  readonly variant: PackedEncoding | null;
  /** Whether layers in which nothing is left are removed. */
  readonly dropEmpty: boolean;
  /** What changes in the config. */
  readonly config: ConfigEdit;
  /** Annotations that the manifest gets. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a pruning removes, and what it keeps in any case. */
export interface PruneStage {
  readonly selection: SelectionSetting;
  readonly rules: readonly Rule[];
  /** Globs of what stays, whatever the rules say. */
  readonly keep: readonly string[];
  /** Whether to remove what upper layers hide. */
  readonly shadowed: boolean;
  /** Globs of files whose setuid and setgid bits are cleared. */
  readonly clearSetuid: readonly string[];
  /** What happens to the package databases. */
  readonly packageDb: PackageDb;
  /** Whether to prune even where the result would not run. */
  readonly force: boolean;
  readonly traces: readonly TracePruning[];
  /** What to tell before the traces are used. */
  readonly notes: readonly Pick<TraceSetting, 'warnings' | 'details'>[];
}

/** How the layers of a selection become others, of which an update changes few. */
export interface RelayerStage extends Omit<Relayering, 'layers' | 'previous' | 'history'> {
  readonly selection: SelectionSetting;
  /** References to earlier versions, whose layout is kept as far as possible. */
  readonly previous: readonly string[];
  readonly history: HistorySetting;
}

/** How the rewritten layers of a selection are laid out. */
export interface ArrangeStage {
  readonly selection: SelectionSetting;
  readonly order: 'similar' | null;
  /** Whether identical files of a layer become hard links. */
  readonly hardlinks: boolean;
  /** Whether to rewrite layers that no other stage changes. */
  readonly always: boolean;
}

/** How the layers of a selection are compressed. */
export interface PackStage {
  readonly selection: SelectionSetting;
  readonly packing: Packing;
  readonly minSavings: MinSavings | null;
  /** Whether a setting or the command itself asks for it, and not a default of `slim`. */
  readonly isAsked: boolean;
}

/** One encoding for all layers, or a goal that chooses an encoding for each. */
export type Packing =
  | { readonly kind: 'encode'; readonly encoding: PackedEncoding }
  | {
      readonly kind: 'tune';
      readonly goal: TuningGoal;
      /** Seconds of compression. Null: no bound. */
      readonly budget: number | null;
      /** Null: each layer keeps its format, unless the goal decides. */
      readonly format: PackedFormat | null;
      readonly engine: GzipEngine;
    };

/** The default of `recompress` and `slim`: better compression in the format that each layer has. */
export const packBetter: Packing = {
  kind: 'tune',
  goal: { kind: 'size', effort: 'balanced' },
  budget: null,
  format: null,
  engine: defaultEngine('gzip'),
};

export const noStages: Stages = {
  prune: null,
  squash: null,
  relayer: null,
  arrange: [],
  pack: [],
  variant: null,
  dropEmpty: false,
  config: noEdit,
  annotations: {},
};

type PruningSettings = SettingsOf<typeof pruning>;

/**
 * Makes the pruning that settings ask for. Presets come first, so that the rules of a person can take back from them.
 * @throws USAGE for a preset that does not exist, and for options that need --trace
 */
export async function pruneStage(
  selection: SelectionSetting,
  settings: PruningSettings & Pick<TracingSettings, 'record'>,
  presets: readonly string[] = settings.preset,
): Promise<PruneStage> {
  const { parseRule } = await import('../rules/rules.ts');
  const { expandPresets } = await import('../slim/presets.ts');
  const { expandKeepPresets } = await import('../slim/keep-presets.ts');
  const expanded = expandPresets(presets);
  return {
    selection,
    rules: [...expanded.remove, ...settings.rules, ...settings.rule.map((rule) => parseRule(rule, '--rule'))],
    keep: [...settings.keep, ...settings.keepFile, ...expandKeepPresets(settings.keepPreset)],
    shadowed: settings.shadowed,
    clearSetuid: expanded.clearSetuid.map((rule) => rule.text),
    packageDb: settings.packageDb,
    force: settings.force,
    traces: tracePrunings(settings),
    notes: settings.trace,
  };
}

/** Tells whether a pruning removes nothing from any image. */
export function removesNothing({ rules, shadowed, clearSetuid, traces, packageDb }: PruneStage): boolean {
  return rules.length + clearSetuid.length + traces.length === 0 && !shadowed && packageDb === 'keep';
}

/** `record`: whether the image is recorded, so that there will be a trace. */
type TracingSettings = Pick<PruningSettings, 'trace' | 'traceRoot' | 'keepCommand' | 'granularity'> & {
  readonly record?: boolean;
};

/** One pruning for each platform that was traced. @throws USAGE for options that mean nothing without a trace */
function tracePrunings(settings: TracingSettings): readonly TracePruning[] {
  const { trace, keepCommand, granularity } = settings;
  if (trace.length > 0)
    return trace.map(({ data }) => ({ trace: data, granularity, keepCommands: keepCommand }));
  const isRecorded = settings.record === true;
  const idle = {
    '--trace-root': settings.traceRoot.length > 0,
    '--keep-command': !isRecorded && keepCommand.length > 0,
    '--granularity': !isRecorded && granularity !== 'package',
  };
  const [option] = Object.entries(idle).find(([, isGiven]) => isGiven) ?? [];
  if (option !== undefined) throw new OcislimError('USAGE', `${option} goes with --trace`);
  return [];
}

/** Lists the platforms that traces name. Of an index, these are rewritten where --platform asks for none. */
export function tracedPlatforms({ prune }: Stages): readonly string[] {
  return (prune?.traces ?? []).flatMap(({ trace }: { trace: TraceData }) => trace.platform ?? []);
}

/** Reads how rewritten layers are laid out. Null: as their sources are. */
export function arrangement({
  order,
  dedupeHardlink,
}: SettingsOf<typeof arranging>): Pick<ArrangeStage, 'order' | 'hardlinks'> | null {
  const similar = order === 'similar' ? order : null;
  return similar === null && !dedupeHardlink ? null : { order: similar, hardlinks: dedupeHardlink };
}

/** Reads how layers are relayered. */
export function relayerStage(
  selection: SelectionSetting,
  { maxLayers, maxLayer, by, group, noise, previous, history }: SettingsOf<typeof relayering>,
): RelayerStage {
  return { selection, maxLayers, maxLayer, by, groups: group, noise, previous, history };
}

export type PackingSettings = SettingsOf<typeof packing>;

/** Reads how to compress. Null: the settings do not say. @throws USAGE */
export function packingOf(settings: Omit<PackingSettings, 'minSavings' | 'addVariant'>): Packing | null {
  const { compression, level, tune, budget, gzipEngine } = settings;
  if (tune === null && budget === null) {
    if (compression !== null) return { kind: 'encode', encoding: encodingOf(compression, level, gzipEngine) };
    if (level !== null)
      throw new OcislimError('USAGE', `--level needs --compression ${packedFormats.join(' or ')}`);
    return null;
  }
  const given = tune === null ? '--budget' : '--tune';
  if (level !== null)
    throw new OcislimError('USAGE', `--level and ${given} do not go together: ${given} chooses the levels`);
  if (compression !== null && !isPackedFormat(compression)) {
    throw new OcislimError('USAGE', `--compression ${compression} and ${given} do not go together`, {
      advice: 'Uncompressed layers have no level to choose.',
    });
  }
  return {
    kind: 'tune',
    goal: tune ?? { kind: 'size', effort: 'small' },
    budget,
    format: compression,
    engine: gzipEngine,
  };
}

/** @throws USAGE for a level that the format or its engine does not have */
function encodingOf(format: Compression, level: number | null, engine: GzipEngine): PackedEncoding {
  if (!isPackedFormat(format)) {
    if (level !== null) throw new OcislimError('USAGE', 'uncompressed layers have no level');
    return { kind: format };
  }
  const encoding = encodingWith(format, { level: level ?? undefined, engines: { gzip: engine } });
  validateEncoding(encoding);
  return encoding;
}
