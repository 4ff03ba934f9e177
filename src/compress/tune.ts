/**
 * Plans packings for a goal: a fixed level where the goal is an effort, a wish that the layer's bytes decide otherwise. Commands and
 * plans call it for `--tune` and `--budget`.
 */
import { defaultEngine, type GzipEngine, isPackedFormat, type PackedFormat } from '../codec/encoding.ts';
import { OcislimError } from '../errors.ts';
import {
  type Encoding,
  type Image,
  layerOf,
  type MinSavings,
  type Transform,
  type Tuned,
  type TuningGoal,
  withEncodings,
  withPlan,
} from '../image/image.ts';
import { type Selection, selectLayers, selectsNothing } from '../image/selection.ts';
import { type Compression, layerKind } from '../oci/media-type.ts';
import { encodingFor } from './effort.ts';

export interface TuneOptions {
  readonly goal: TuningGoal;
  /** Seconds of encoding; null for no limit. Default: null. */
  readonly budget?: number | null;
  /** The format; null keeps the format of each packed layer, or for the goal `pull` takes the better one. Default: null. */
  readonly format?: PackedFormat | null;
  /** The engine for layers that become gzip. Default: that of the table of formats. */
  readonly engine?: GzipEngine;
  /** The blob stays unless the new one is smaller by this much. Default: null, for any saving. */
  readonly minSavings?: MinSavings | null;
}

/** The format of plain layers where none is given: every client reads it. */
const usualFormat: PackedFormat = 'gzip';

/**
 * Packs the selected layers for a goal. Without a format, plain layers become gzip, unless the goal is `pull`.
 * @throws USAGE for a bandwidth or a budget of 0 or less
 */
export function tune(selection: Selection, options: TuneOptions): Transform {
  const { goal, budget = null } = options;
  if (goal.kind === 'pull') checkAmount(goal.bytesPerSecond, 'a bandwidth');
  if (budget !== null) checkAmount(budget, 'a budget');
  return (image: Image) => {
    if (selectsNothing(image, selection)) return image;
    const selected = selectLayers(image, selection);
    const layers = image.plan.layers.map((layer) =>
      withEncodings(layer, selected, (number, before) => wishFor(image, number, options) ?? before),
    );
    return withPlan(image, { layers });
  };
}

/** Returns the encoding or the wish for one layer; null to leave it alone. */
function wishFor(image: Image, number: number, options: TuneOptions): Encoding | Tuned | null {
  const kind = layerKind(layerOf(image, number).descriptor.mediaType);
  return kind.kind === 'layer' ? encodingForGoal(options, kind.compression) : null;
}

/** Returns the encoding or the wish for a layer that is packed in this way now. */
export function encodingForGoal(
  { goal, budget = null, format = null, engine = defaultEngine('gzip'), minSavings = null }: TuneOptions,
  compression: Compression,
): Encoding | Tuned {
  if (goal.kind === 'pull') return { kind: 'tuned', goal, budget, format, engine, minSavings };
  const own = format ?? (isPackedFormat(compression) ? compression : usualFormat);
  if (budget !== null) return { kind: 'tuned', goal, budget, format: own, engine, minSavings };
  return { ...encodingFor(own, { gzip: engine }, goal.effort), minSavings };
}

function checkAmount(amount: number, what: string): void {
  if (Number.isFinite(amount) && amount > 0) return;
  throw new OcislimError('USAGE', `${what} must be above 0, not ${amount}`);
}
