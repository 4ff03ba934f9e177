import { isPacked } from '../../codec/encoding.ts';
import { type PackingOption, pullSeconds } from '../../compress/policy.ts';
import type { TuningGoal } from '../../image/image.ts';
import type { LayerTuning } from '../../jobs/rewrite/tune-layers.ts';
import { formatBandwidth } from '../figures.ts';
import type { TuningReport } from '../report.ts';
import { milliseconds } from './numbers.ts';

/** Reports how the packing of a layer was chosen. */
export function reportTuning({ goal, tarBytes, sampledBytes, chosen, options }: LayerTuning): TuningReport {
  const report = (option: PackingOption) => reportOption(option, tarBytes, goal);
  return {
    goal: goal.kind === 'size' ? goal.effort : `pull at ${formatBandwidth(goal.bytesPerSecond)}`,
    tarBytes,
    sampledBytes,
    chosen: report(chosen),
    options: options.map(report),
  };
}

function reportOption(option: PackingOption, tarBytes: number, goal: TuningGoal): TuningReport['chosen'] {
  const { encoding, compression, size, work } = option;
  return {
    compression,
    ...(encoding !== null && 'engine' in encoding ? { engine: encoding.engine } : {}),
    level: encoding !== null && isPacked(encoding) ? encoding.level : null,
    asItIs: encoding === null,
    size,
    pullSeconds:
      goal.kind === 'pull' ? milliseconds(pullSeconds(option, tarBytes, goal.bytesPerSecond)) : null,
    encodeSeconds: work === null ? null : milliseconds(work),
  };
}
