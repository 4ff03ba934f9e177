import { readFile } from 'node:fs/promises';
import { quotePath } from '../../bytes/path.ts';
import { OcislimError } from '../../errors.ts';
import type { Listener } from '../../events.ts';
import type { TuneOptions } from '../../compress/tune.ts';
import type { MinSavings, Transform } from '../../image/image.ts';
import type { Granularity, TracePruning } from '../../image/trace-pruning.ts';
import { parseLayer, parseRange, type Selection } from '../../image/selection.ts';
import type { Rule } from '../../rules/rule.ts';
import {
  defaultEngine,
  encodingWith,
  type GzipEngine,
  isPackedFormat,
  type PackedEncoding,
  packedFormats,
  type PackedFormat,
  validateEncoding,
} from '../../codec/encoding.ts';
import type { ArrangeOptions } from '../../slim/arrange.ts';
import type { PruneOptions } from '../../slim/prune.ts';
import type { Compression } from '../../oci/media-type.ts';
import { parsePlatform } from '../../oci/platform.ts';
import type { Trace } from '../../trace/trace.ts';
import { list, names, flag, text, type Values } from './option.ts';
import type { Session } from '../session.ts';

/** Turns the base image that a person names into a selection; it must be read first. */
export type BaseReader = (reference: string) => Promise<Selection>;

/** The selection of `squash`: exactly one of its options. @throws USAGE */
export async function squashSelection(values: Values, readBase: BaseReader): Promise<Selection> {
  const given = ['last', 'from-layer', 'layers', 'base', 'all'].filter(
    (name) => values[name] !== undefined && values[name] !== false,
  );
  if (given.length !== 1) {
    throw new OcislimError(
      'USAGE',
      given.length === 0
        ? 'squash needs to know which layers'
        : `--${given.join(' and --')} do not go together`,
      {
        advice: 'Give one of --last N, --from-layer N, --layers A..B, --base REF or --all.',
      },
    );
  }
  if (flag(values, 'all')) return { kind: 'all' };
  const last = values['last'];
  if (last !== undefined) return { kind: 'last', count: positive(last, '--last') };
  const from = text(values, 'from-layer');
  if (from !== null) return parseLayer(from);
  return rangeSelection(values, readBase);
}

/** The selection of `prune` and `recompress`: all layers unless told. @throws USAGE */
export async function rangeSelection(values: Values, readBase: BaseReader): Promise<Selection> {
  const layers = text(values, 'layers');
  const base = text(values, 'base');
  if (layers !== null && base !== null)
    throw new OcislimError('USAGE', '--layers and --base do not go together');
  if (layers !== null) return parseRange(layers);
  return base === null ? { kind: 'all' } : readBase(base);
}

export function positive(value: unknown, option: string): number {
  return atLeast(1, value, option);
}

/** @throws USAGE for what is no whole number, or too small */
export function atLeast(least: 0 | 1, value: unknown, option: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  const what = least === 0 ? 'of 0 or more' : 'above 0';
  throw new OcislimError('USAGE', `${option} takes a whole number ${what}, not ${String(value)}`);
}

/** How rewritten layers are laid out; null where nothing of the kind was asked for. */
export function arrangeOptions(values: Values): Omit<ArrangeOptions, 'always'> | null {
  const order = text(values, 'order') === 'similar' ? 'similar' : null;
  const hardlinks = flag(values, 'dedupe-hardlink');
  return order === null && !hardlinks ? null : { order, hardlinks };
}

/** What `prune` is to remove by rule. Presets come first, so that a rule of one's own can take back from them. */
export async function pruneOptions(values: Values): Promise<PruneOptions> {
  const { parseRule, parseRules } = await import('../../rules/rules.ts');
  const { expandPresets } = await import('../../slim/presets.ts');
  const presets = expandPresets(names(values, 'preset'));
  const rules: Rule[] = [...presets.remove];
  for (const file of list(values, 'rules'))
    rules.push(...parseRules(await readText(file, 'rule file'), file));
  for (const rule of list(values, 'rule')) rules.push(parseRule(rule, '--rule'));
  const keep = [...list(values, 'keep')];
  for (const file of list(values, 'keep-file'))
    keep.push(...parseRules(await readText(file, 'keep file'), file).map((rule) => rule.text));
  for (const glob of keep) parseRule(glob, '--keep');
  return {
    rules,
    keep,
    shadowed: flag(values, 'shadowed'),
    clearSetuid: presets.clearSetuid.map((rule) => rule.text),
  };
}

/** What the traces say, one for each platform that they name. @throws USAGE, TRACE_INVALID */
export async function tracePrunings(values: Values, session: Session): Promise<readonly TracePruning[]> {
  const files = list(values, 'trace');
  const granularity = (text(values, 'granularity') ?? 'package') as Granularity;
  if (files.length === 0) {
    const idle = ['trace-root', 'keep-command', 'explain', 'force'].find(
      (name) => values[name] !== undefined,
    );
    if (idle !== undefined || granularity !== 'package')
      throw new OcislimError('USAGE', `--${idle ?? 'granularity'} goes with --trace`);
    return [];
  }
  const { parseCommand } = await import('./command-words.ts');
  const { readTraces } = await import('../commands/trace-files.ts');
  const { toTraceData } = await import('../../trace/trace-data.ts');
  const keepCommands = list(values, 'keep-command').map(parseCommand);
  const traces = await readTraces(files, { roots: list(values, 'trace-root'), signal: session.signal });
  for (const trace of traces) warnOfUnreadable(trace, session.listener);
  session.platformsOfIndex = traces.flatMap(({ platform }) =>
    platform === null ? [] : [parsePlatform(platform)],
  );
  return traces.map((trace) => ({
    trace: toTraceData(trace),
    granularity,
    keepCommands,
    force: flag(values, 'force'),
  }));
}

function warnOfUnreadable({ name, lines, unreadable, outside }: Trace, listener: Listener): void {
  const { count, samples } = unreadable;
  const [first] = samples;
  if (outside > 0)
    listener({ type: 'detail', message: `${name}: ${outside} uses of paths outside of --trace-root` });
  if (first === undefined) return;
  listener({
    type: 'warning',
    code: 'TRACE_UNREADABLE',
    message: `${name}: ${count} of ${lines} lines make no sense, such as line ${first.line} of ${first.file}: ${quotePath(first.text)}`,
  });
}

export async function readText(file: string, what: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const why =
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
    throw new OcislimError('USAGE', `cannot read the ${what} ${JSON.stringify(file)}: ${why}`, { cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OcislimError('USAGE', `the ${what} ${JSON.stringify(file)} is not UTF-8 text`, { cause });
  }
}

/** A stage that packs the layers of a selection as the options say; null when they say nothing. @throws USAGE */
export async function packingStage(values: Values): Promise<((selection: Selection) => Transform) | null> {
  const { recompress } = await import('../../compress/recompress.ts');
  const tuning = await tuneOptions(values);
  const savings = await minSavings(values);
  if (tuning !== null) {
    const { tune } = await import('../../compress/tune.ts');
    return (selection) => tune(selection, { ...tuning, minSavings: savings });
  }
  const encoding = packedEncoding(values);
  return encoding === null ? null : (selection) => recompress(selection, encoding, savings);
}

/** What --tune and --budget ask for. @throws USAGE */
async function tuneOptions(values: Values): Promise<TuneOptions | null> {
  const goal = text(values, 'tune');
  const budget = text(values, 'budget');
  if (goal === null && budget === null) return null;
  const { parseDuration, parseGoal } = await import('./tuning.ts');
  const given = goal === null ? '--budget' : '--tune';
  if (values['level'] !== undefined) {
    throw new OcislimError('USAGE', `--level and ${given} do not go together: ${given} chooses the levels`);
  }
  const format = text(values, 'compression');
  if (format === 'none') {
    throw new OcislimError('USAGE', `--compression none and ${given} do not go together`, {
      advice: 'Uncompressed layers have no level to choose.',
    });
  }
  return {
    goal: parseGoal(goal ?? 'small', '--tune'),
    budget: budget === null ? null : parseDuration(budget, '--budget'),
    format: format as PackedFormat | null,
    engine: (text(values, 'gzip-engine') ?? defaultEngine('gzip')) as GzipEngine,
  };
}

/** The encoding asked for, or null when none was. @throws USAGE */
function packedEncoding(values: Values): PackedEncoding | null {
  const format = text(values, 'compression') as Compression | null;
  const level = values['level'] as number | undefined;
  if (format === null) {
    if (level !== undefined)
      throw new OcislimError('USAGE', `--level needs --compression ${packedFormats.join(' or ')}`);
    return null;
  }
  if (!isPackedFormat(format)) {
    if (level !== undefined) throw new OcislimError('USAGE', 'uncompressed layers have no level');
    return { kind: format };
  }
  const engine = (text(values, 'gzip-engine') ?? defaultEngine('gzip')) as GzipEngine;
  const encoding = encodingWith(format, { level, engines: { gzip: engine } });
  validateEncoding(encoding);
  return encoding;
}

export async function minSavings(values: Values): Promise<MinSavings | null> {
  const given = text(values, 'min-savings');
  if (given === null) return null;
  const { parsePercentOrSize } = await import('./sizes.ts');
  return parsePercentOrSize(given, '--min-savings');
}
