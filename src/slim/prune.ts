/**
 * The transform of `prune`. It only changes the plan: `resolve` finds out what rules and traces remove, after the headers have
 * been read.
 */
import {
  type Image,
  type LayerRange,
  nameOfImage,
  type PackageDb,
  type Pruning,
  overlaps,
  rewritten,
  type Transform,
  withPlan,
} from '../image/image.ts';
import { OcislimError } from '../errors.ts';
import type { Rule } from '../rules/rule.ts';
import type { TracePruning } from '../image/trace-pruning.ts';
import { matchesPlatform, parsePlatform } from '../oci/platform.ts';
import { type Selection, selectLayers, selectsNothing } from '../image/selection.ts';

export interface PruneOptions {
  /** The rules of presets and of the user, in this order: the last match wins. */
  readonly rules?: readonly Rule[];
  /** Globs of paths that stay even if a rule or trace would remove them. */
  readonly keep?: readonly string[];
  /** Whether to remove what upper layers hide. Default: only with traces. */
  readonly shadowed?: boolean;
  /** Globs of files whose setuid and setgid bits are cleared. */
  readonly clearSetuid?: readonly string[];
  /** Whether packages of which no file is left go from the package databases. Default: `keep`. */
  readonly packageDb?: PackageDb;
  /** Whether to prune even where the result would not run. */
  readonly force?: boolean;
  /** The traces, one for each platform. A trace without a platform applies to every image. */
  readonly traces?: readonly TracePruning[];
}

/** Removes from the selected layers what the options say. @throws SELECTION_INVALID, BASE_MISMATCH, UNSAFE */
export function prune(selection: Selection, options: PruneOptions): Transform {
  return (image: Image) => {
    if (selectsNothing(image, selection)) return image;
    const layers: LayerRange = selectLayers(image, selection);
    const trace = chooseTrace(options.traces ?? [], image);
    const pruning: Pruning = {
      layers,
      rules: options.rules ?? [],
      keep: options.keep ?? [],
      // A program cannot have used a hidden file.
      shadowed: trace !== null || options.shadowed === true,
      clearSetuid: options.clearSetuid ?? [],
      packageDb: options.packageDb ?? 'keep',
      force: options.force === true,
      trace,
    };
    return withPlan(image, {
      prunings: [...image.plan.prunings, pruning],
      layers: image.plan.layers.map((layer) => (overlaps(layer.content, layers) ? rewritten(layer) : layer)),
    });
  };
}

/** Returns the trace for this image; null where there are no traces. @throws UNSAFE where all traces are of other platforms */
function chooseTrace(traces: readonly TracePruning[], image: Image): TracePruning | null {
  const chosen = traces.find((one) => isOf(one, image)) ?? null;
  if (chosen !== null || traces.length === 0) return chosen;
  const others = traces.flatMap(({ trace }) => trace.platform ?? []);
  throw new OcislimError('UNSAFE', `no trace is of ${nameOfImage(image)}: they are of ${others.join(', ')}`, {
    advice: 'Record one on that platform, or select another by --platform.',
  });
}

/** Tells whether a trace may be of this image. An image without a platform may be of any; the closure checks its loader. */
function isOf({ trace }: TracePruning, { config: { platform } }: Image): boolean {
  return (
    trace.platform === null || platform === null || matchesPlatform(parsePlatform(trace.platform), platform)
  );
}
