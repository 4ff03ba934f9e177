/**
 * The transforms that change what the layers of an image hold, and the presets of rules for one of them. They only write the
 * plan, and read no layer: `resolve` finds out what the plan means once the headers are known.
 */
export { arrange, type ArrangeOptions } from './arrange.ts';
export { expandPresets, type Preset, presets, safePresets } from './presets.ts';
export { prune, type PruneOptions } from './prune.ts';
export { relayer, type RelayerOptions } from './relayer.ts';
export { restore, type RestoreOptions } from './restore.ts';
export { squash } from './squash.ts';
