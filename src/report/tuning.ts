import { formatSeconds, formatSize } from './figures.ts';
import { layerNumbers } from './layer-table.ts';
import type { LayerReport, Report, TuningReport } from './report.ts';

type Option = TuningReport['chosen'];

/** `zstd 19`, `gzip 10 by zlib`, `as it is`. */
function nameOf({ compression, engine, level, asItIs }: Option): string {
  if (asItIs) return 'as it is';
  const by = engine === undefined || engine === 'libdeflate' ? '' : ` by ${engine}`;
  return level === null ? compression : `${compression} ${level}${by}`;
}

/**
 * What was chosen for a layer and what the others came to: `layer 3: zstd 19 (2.1 s; gzip 10 2.6 s; as it is 3.0 s)`. Null where
 * nothing was to choose.
 */
export function describeTuning(layer: LayerReport): string | null {
  const { tuning } = layer;
  if (tuning === undefined) return null;
  const { chosen, options } = tuning;
  const others = rivals(tuning).map((option) => `${nameOf(option)} ${figure(option)}`);
  const work = chosen.encodeSeconds;
  const time = work === null || work === 0 ? '' : ` after ${formatSeconds(work)} of one processor`;
  const why = [`${figure(chosen)}${time}`, ...others].join('; ');
  const number = layer.before.length === 0 ? 'what is restored' : `layer ${layerNumbers(layer)}`;
  return `${number}: ${nameOf(chosen)} (${options.length === 1 ? figure(chosen) : why})`;
}

/** By what the options are compared. */
function figure({ pullSeconds, size }: Option): string {
  return pullSeconds === null ? formatSize(size) : formatSeconds(pullSeconds);
}

/** Of each format the best that was not chosen, and the blob as it is. */
function rivals({ chosen, options }: TuningReport): Option[] {
  const same = (option: Option) =>
    option.asItIs === chosen.asItIs &&
    option.level === chosen.level &&
    option.compression === chosen.compression;
  const cost = ({ pullSeconds, size }: Option) => pullSeconds ?? size;
  const tried = options.filter((option) => !option.asItIs && !same(option));
  const best = (['zstd', 'gzip'] as const).flatMap((format) => {
    const [first] = tried
      .filter(({ compression }) => compression === format)
      .toSorted((a, b) => cost(a) - cost(b));
    return first === undefined ? [] : [first];
  });
  return [...best, ...options.filter((option) => option.asItIs && !same(option))];
}

/** `budget of 60.0 s: 4.1 s of trials, then 51.0 s of encoding by the estimate`. */
export function describeBudgets({ budgets = [] }: Report): string[] {
  return budgets.map(
    ({ seconds, trialSeconds, estimatedSeconds }) =>
      `budget of ${formatSeconds(seconds)}: ${formatSeconds(trialSeconds)} of trials, then ${formatSeconds(estimatedSeconds)} of encoding by the estimate${
        trialSeconds + estimatedSeconds > seconds ? ', which is the least there is' : ''
      }`,
  );
}

/** The stages of a plan that choose the same levels again, whatever the machine; empty where nothing was tuned. */
export function planLines(layers: readonly LayerReport[]): string[] {
  const lines = layers.flatMap(({ before, tuning }) => {
    const number = before.at(-1)?.number;
    if (number === undefined || tuning === undefined || tuning.chosen.level === null) return [];
    const { compression, level, engine } = tuning.chosen;
    const by = engine === undefined || engine === 'libdeflate' ? '' : `, gzipEngine: ${engine}`;
    return [`  - { layers: '${number}', compression: ${compression}, level: ${level}${by} }`];
  });
  return lines.length === 0 ? [] : ['recompress:', ...lines];
}
