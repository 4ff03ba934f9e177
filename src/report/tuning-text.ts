/**
 * Renders how packings were chosen, in words, and as the stages of a plan that repeats the choice. The
 * summary and Markdown call it.
 */
import { defaultEngine, packedFormats } from '../codec/encoding.ts';
import { formatSeconds, formatSize } from './figures.ts';
import { layerNumbers } from './layer-table.ts';
import type { LayerReport, Report, TuningReport } from './report.ts';

type Option = TuningReport['chosen'];

/**
 * Renders the choice for a layer beside the options that it beat: `layer 3: zstd 19 (2.1 s; gzip 10 2.6 s; as it is 3.0 s)`. Returns
 * null for a layer without a choice.
 */
export function tuningLine(layer: LayerReport): string | null {
  const { tuning } = layer;
  if (tuning === undefined) return null;
  const { chosen, options } = tuning;
  const number = layer.before.length === 0 ? 'restored layer' : `layer ${layerNumbers(layer)}`;
  if (options.length === 1) return `${number}: ${nameOf(chosen)} (${figure(chosen)})`;
  const work = chosen.encodeSeconds;
  const time = work === null || work === 0 ? '' : ` after ${formatSeconds(work)} of processor time`;
  const others = rivals(tuning).map((option) => `${nameOf(option)} ${figure(option)}`);
  return `${number}: ${nameOf(chosen)} (${[`${figure(chosen)}${time}`, ...others].join('; ')})`;
}

/** Renders the name of an option: `zstd 19`, `gzip 10 by zlib`, `as it is`. */
function nameOf({ compression, engine, level, asItIs }: Option): string {
  if (asItIs) return 'as it is';
  const by = isDefault(engine) ? '' : ` by ${engine}`;
  return level === null ? compression : `${compression} ${level}${by}`;
}

function isDefault(engine: Option['engine']): boolean {
  return engine === undefined || engine === defaultEngine('gzip');
}

/** Renders the figure by which options are compared: seconds of a pull, or bytes. */
function figure({ pullSeconds, size }: Option): string {
  return pullSeconds === null ? formatSize(size) : formatSeconds(pullSeconds);
}

/** Returns for each format the best option that was not chosen, and the blob as it is. */
function rivals({ chosen, options }: TuningReport): Option[] {
  const same = (option: Option) =>
    option.asItIs === chosen.asItIs &&
    option.level === chosen.level &&
    option.compression === chosen.compression;
  const cost = ({ pullSeconds, size }: Option) => pullSeconds ?? size;
  const tried = options.filter((option) => !option.asItIs && !same(option));
  // Formats that pack better come later in the table.
  const best = packedFormats.toReversed().flatMap((format) => {
    const [first] = tried
      .filter(({ compression }) => compression === format)
      .toSorted((a, b) => cost(a) - cost(b));
    return first === undefined ? [] : [first];
  });
  return [...best, ...options.filter((option) => option.asItIs && !same(option))];
}

/** Renders what the budgets were spent on: `budget of 60.0 s: 4.1 s of trials, then an estimated 51.0 s of encoding`. */
export function budgetLines({ budgets = [] }: Report): string[] {
  return budgets.map(({ seconds, trialSeconds, estimatedSeconds }) => {
    const [budget, trials, encoding] = [seconds, trialSeconds, estimatedSeconds].map(formatSeconds);
    const excess = trialSeconds + estimatedSeconds > seconds ? ', the least possible' : '';
    return `budget of ${budget}: ${trials} of trials, then an estimated ${encoding} of encoding${excess}`;
  });
}

/** Renders the stages of a plan that choose the same levels again on any machine; empty if nothing was tuned. */
export function planLines(layers: readonly LayerReport[]): string[] {
  const lines = layers.flatMap(({ before, tuning }) => {
    const number = before.at(-1)?.number;
    if (number === undefined || tuning === undefined || tuning.chosen.level === null) return [];
    const { compression, level, engine } = tuning.chosen;
    const by = isDefault(engine) ? '' : `, gzipEngine: ${engine}`;
    return [`  - { layers: '${number}', compression: ${compression}, level: ${level}${by} }`];
  });
  return lines.length === 0 ? [] : ['recompress:', ...lines];
}
