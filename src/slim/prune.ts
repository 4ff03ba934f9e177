import {
  type Image,
  type LayerRange,
  nameOfImage,
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
import { type Selection, selectLayers } from '../image/selection.ts';

export interface PruneOptions {
  readonly rules?: readonly Rule[];
  readonly keep?: readonly string[];
  readonly shadowed?: boolean;
  readonly clearSetuid?: readonly string[];
  /** One for each platform that was traced; one that names no platform is for every image. */
  readonly traces?: readonly TracePruning[];
}

/** Takes out of the selected layers what the options say. What that is shows when their headers have been read. */
export function prune(selection: Selection, options: PruneOptions): Transform {
  return (image: Image) => {
    const layers: LayerRange = selectLayers(image, selection);
    const trace = chooseTrace(options.traces ?? [], image);
    const pruning: Pruning = {
      layers,
      rules: options.rules ?? [],
      keep: options.keep ?? [],
      // What nobody can see was not used either.
      shadowed: trace !== null || options.shadowed === true,
      clearSetuid: options.clearSetuid ?? [],
      trace,
    };
    return withPlan(image, {
      prunings: [...image.plan.prunings, pruning],
      layers: image.plan.layers.map((layer) => (overlaps(layer.content, layers) ? rewritten(layer) : layer)),
    });
  };
}

/** @throws UNSAFE where there are traces, but none of this platform */
function chooseTrace(traces: readonly TracePruning[], image: Image): TracePruning | null {
  const chosen = traces.find((one) => isOf(one, image)) ?? null;
  if (chosen !== null || traces.length === 0) return chosen;
  const others = traces.flatMap(({ trace }) => trace.platform ?? []);
  throw new OcislimError('UNSAFE', `no trace is of ${nameOfImage(image)}: they are of ${others.join(', ')}`, {
    advice: 'Record one on that platform, or select another by --platform.',
  });
}

/** An image that names no platform could be of any: whether it is, the closure tells by its loader. */
function isOf({ trace }: TracePruning, { config: { platform } }: Image): boolean {
  return (
    trace.platform === null || platform === null || matchesPlatform(parsePlatform(trace.platform), platform)
  );
}
