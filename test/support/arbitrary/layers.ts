/**
 * Random stacks of valid layers for the laws. fast-check generates the intents; the draft turns them into entries
 * and bytes.
 */
import * as fc from 'fast-check';
import { emptyRootfs, type Rootfs } from '../model/filesystem.ts';
import { type TarEnd, writeTar } from '../model/tar-bytes.ts';
import { readTar } from '../model/tar-reader.ts';
import { featuresOf } from './features.ts';
import { NAMES } from './choices.ts';
import { type Draft, type Intent, isPortable, leavesBareDirectory, tryApply } from './draft.ts';
import { type IntentName, OPERATIONS, type Operation } from './intents.ts';
import { describeStack, type GeneratedLayer, type GeneratedStack } from './stack.ts';

export { ALL_FEATURES, type Feature } from './features.ts';
export type { GeneratedStack } from './stack.ts';

export type LayerStackOptions = {
  readonly minLayers?: number;
  readonly maxLayers?: number;
  /** The largest number of intents in a layer. An intent makes up to five entries. */
  readonly maxIntents?: number;
  /** Intents that must not occur. */
  readonly without?: readonly IntentName[];
  /**
   * Whether all runtimes, umoci 0.4 included, can unpack the stack without privileges of the kernel. Left out are
   * devices, `security.*` xattrs, `user.*` except on files and directories, global headers, contiguous files, old
   * GNU sparse files, AUFS leftovers, entries for the root, entries below a lower layer's file, and directories
   * that only a marker implies.
   */
  readonly portable?: boolean;
};

/**
 * Returns random stacks of valid layers: `applyLayers` takes them, and all runtimes read them alike (see
 * `ambiguities`). They use everything that {@link ALL_FEATURES} names, and shrink to a few plain entries.
 */
export function layerStack(options: LayerStackOptions = {}): fc.Arbitrary<GeneratedStack> {
  const { minLayers = 1, maxLayers = 7, maxIntents = 12, without = [], portable = false } = options;
  const operations: readonly Operation[] = OPERATIONS.filter(({ name }) => !without.includes(name));
  const table = operations.flatMap((operation) => Array.from({ length: operation.weight }, () => operation));
  const intent: fc.Arbitrary<Intent> = fc.record({
    op: fc.nat({ max: table.length - 1 }),
    where: fc.nat({ max: 30 }),
    name: fc.oneof(
      { weight: 5, arbitrary: fc.nat({ max: 3 }) },
      { weight: 2, arbitrary: fc.nat({ max: NAMES.length - 1 }) },
    ),
    target: fc.nat({ max: 30 }),
    spelling: fc.nat({ max: 15 }),
    head: fc.nat({ max: 9 }),
    attributes: fc.oneof(
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 3, arbitrary: fc.nat({ max: 100_000 }) },
    ),
    data: fc.nat({ max: 9 }),
  });
  const layer = fc.record({
    intents: fc.array(intent, { maxLength: maxIntents, size: 'max' }),
    end: fc.nat({ max: 7 }),
    /** Above 0 the layer may be a copy of that layer instead: the same digest twice. */
    copy: fc.oneof({ weight: 15, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 3 }) }),
  });
  return fc
    .array(layer, { minLength: minLayers, maxLength: maxLayers, size: 'max' })
    .map((plans) => buildStack(plans, table, portable));
}

type LayerPlan = { readonly intents: readonly Intent[]; readonly end: number; readonly copy: number };

const ENDS: readonly TarEnd[] = [
  'blocks',
  'blocks',
  'record',
  'untidy',
  'none',
  'one-block',
  'blocks',
  'record',
];

function buildStack(
  plans: readonly LayerPlan[],
  table: readonly Operation[],
  portable: boolean,
): GeneratedStack {
  const layers: GeneratedLayer[] = [];
  let rootfs = emptyRootfs();
  const states: Rootfs[] = [rootfs];
  for (const plan of plans) {
    const copied = plan.copy > 0 ? layers.at(-plan.copy) : undefined;
    const upper = copied === undefined ? undefined : tryApply(rootfs, copied.model);
    const fits =
      !portable ||
      (upper !== undefined &&
        !leavesBareDirectory(rootfs, upper) &&
        copied?.entries.every((spec) => isPortable(rootfs, spec)));
    if (copied !== undefined && upper !== undefined && fits) {
      layers.push(copied);
      rootfs = upper;
    } else {
      const draft: Draft = {
        lower: rootfs,
        current: rootfs,
        specs: [],
        model: [],
        serial: layers.length * 100,
        portable,
      };
      for (const intent of plan.intents) table[intent.op]?.run(draft, intent);
      const end = ENDS[plan.end] ?? 'blocks';
      const tar = writeTar(draft.specs, end);
      layers.push({ entries: draft.specs, model: readTar(tar), end, tar });
      rootfs = draft.current;
    }
    states.push(rootfs);
  }
  const describe = (): string => describeStack(layers);
  const stack = { layers, features: featuresOf(layers, states), describe };
  return Object.defineProperty(stack, fc.toStringMethod, { value: describe, enumerable: false });
}
