/**
 * Reads a plan: the stages of a job in YAML. Every mistake is reported with its file and line. Caller: the option --file of
 * `slim`.
 */
import { defaultEngine } from '../codec/encoding.ts';
import { OcislimError } from '../errors.ts';
import { noEdit } from '../image/config-edit.ts';
import { parseLayer, parseRange } from '../image/selection.ts';
import type { Rule } from '../rules/rule.ts';
import { parseRule } from '../rules/rules.ts';
import { parseCommand } from './command-words.ts';
import { parseDuration } from './duration.ts';
import { parseGoal } from './goal.ts';
import { parseHistory } from './history.ts';
import type { Door } from './option.ts';
import type { PlanLines } from './plan-lines.ts';
import { editOfPlan } from './plan-config.ts';
import { type PlanFile, planSchema } from './plan-schema.ts';
import { parseGroups } from './relayer-groups.ts';
import { readText } from './rule-files.ts';
import { rangeSelection, type SelectionSetting, type SquashSetting, squashSettingOf } from './selection.ts';
import { parsePercentOrSize, parseSize } from './sizes.ts';
import {
  type ArrangeStage,
  noStages,
  type PackStage,
  packingOf,
  pruneStage,
  type PruneStage,
  relayerStage,
  type RelayerStage,
  type Stages,
} from './stages.ts';
import { readTraceFiles } from './trace-setting.ts';
import { parseVariant } from './variant.ts';
import { readYaml, yamlInvalid } from './yaml-file.ts';

/** What reading files needs. */
type Reading = Pick<Door, 'limits' | 'signal'>;
type Part<Key extends keyof PlanFile> = NonNullable<PlanFile[Key]>;
type PackingPart = Exclude<Part<'recompress'>, readonly unknown[]>;

/**
 * Reads a plan into stages. Files of traces that it names are read too.
 * @throws PLAN_INVALID naming file and line, USAGE for a file that cannot be read
 */
export async function readPlan(file: string, { limits, signal }: Reading): Promise<Stages> {
  const text = await readText(file, { what: 'plan', limit: 'plan-bytes', limits }, signal);
  const form = { what: 'plan', code: 'PLAN_INVALID', schema: planSchema, emptyAdvice } as const;
  const { data, places } = readYaml(text, file, form);
  return new StageReader(file, places, { limits, signal }).read(data);
}

/** Reads the parts of a plan whose form is right already. */
class StageReader {
  readonly #file: string;
  readonly #places: PlanLines;
  readonly #reading: Reading;

  constructor(file: string, places: PlanLines, reading: Reading) {
    this.#file = file;
    this.#places = places;
    this.#reading = reading;
  }

  async read(plan: PlanFile): Promise<Stages> {
    const { prune, squash, relayer, arrange, recompress, addVariant, config, emptyLayers } = plan;
    const parts = [prune, squash, relayer, arrange, recompress, addVariant, config];
    if (parts.every((part) => part === undefined))
      throw invalid(this.#file, 1, 'the plan has no stage', emptyAdvice);
    return {
      ...noStages,
      prune: prune === undefined ? null : await this.#prune(prune),
      squash: squash === undefined ? null : await this.#within(['squash'], () => squashOf(squash)),
      relayer: relayer === undefined ? null : await this.#relayer(plan, relayer),
      arrange: arrange === undefined ? [] : [await this.#within(['arrange'], () => arrangeOf(arrange))],
      pack: await this.#packs(recompress ?? []),
      variant: await this.#within(['addVariant'], () =>
        addVariant === undefined ? null : parseVariant(addVariant, 'addVariant'),
      ),
      dropEmpty: emptyLayers === 'drop',
      config: config === undefined ? noEdit : await this.#within(['config'], () => editOfPlan(config)),
      annotations: config?.annotations ?? {},
    };
  }

  async #prune(part: Part<'prune'>): Promise<PruneStage> {
    const { presets = [], rules = [], keep = [], keepPresets = [], shadowed = false } = part;
    const { traces = [], traceRoots = [], keepCommands = [], granularity = 'package', force = false } = part;
    const { packageDb = 'keep' } = part;
    const trace = await this.#within(['prune'], () =>
      readTraceFiles(traces, 'traces', { ...this.#reading, listOf: () => traceRoots }),
    );
    const own = rules.map((rule, i) => this.#rule(rule, ['prune', 'rules', i]));
    for (const [i, glob] of keep.entries()) this.#rule(glob, ['prune', 'keep', i]);
    const selection = await this.#within(['prune'], () => rangeOf(part));
    const keepCommand = await this.#within(['prune'], () => keepCommands.map(parseCommand));
    const settings = {
      rules: own,
      keep,
      shadowed,
      trace,
      traceRoot: traceRoots,
      granularity,
      keepCommand,
      packageDb,
      force,
    };
    const others = {
      rule: [],
      keepFile: [],
      keepPreset: keepPresets,
      preset: presets,
      explain: [],
      emptyLayers: 'keep',
    } as const;
    return this.#within(['prune'], () => pruneStage(selection, { ...settings, ...others }));
  }

  /** Reads how layers are relayered. Other stages must leave what is in a layer to that. */
  #relayer(plan: PlanFile, part: Part<'relayer'>): Promise<RelayerStage> {
    const { groups = {}, maxLayers = 64, maxLayer = '1GiB', by = 'package', noise = 'keep' } = part;
    const { previous = [], history = [], base } = part;
    return this.#within(['relayer'], async () => {
      const tuned = [plan.recompress ?? []].flat().some(({ tune, budget }) => (tune ?? budget) !== undefined);
      const other = plan.squash === undefined ? (plan.arrange === undefined ? null : 'arrange') : 'squash';
      if (tuned || other !== null)
        throw new OcislimError('USAGE', `relayer does not go together with ${other ?? 'tune and budget'}`);
      const texts = Object.entries(groups).flatMap(([name, globs]) => globs.map((glob) => `${name}=${glob}`));
      const settings = {
        maxLayers,
        maxLayer: parseSize(String(maxLayer), 'maxLayer'),
        by,
        noise,
        previous,
        history: parseHistory([history].flat().map(String), 'history'),
        group: await parseGroups(texts, 'groups'),
      };
      return relayerStage(base === undefined ? { kind: 'all' } : { kind: 'base', reference: base }, settings);
    });
  }

  #rule(text: string, path: readonly PropertyKey[]): Rule {
    return parseRule(text, `${this.#file}:${this.#places.lineOf(path)}`);
  }

  async #packs(parts: Part<'recompress'>): Promise<readonly PackStage[]> {
    if (!Array.isArray(parts)) return [await this.#pack(parts, ['recompress'])];
    const stages: PackStage[] = [];
    for (const [i, part] of parts.entries()) stages.push(await this.#pack(part, ['recompress', i]));
    return stages;
  }

  async #pack(part: PackingPart, path: readonly PropertyKey[]): Promise<PackStage> {
    const {
      minSavings: savings,
      compression = null,
      level = null,
      gzipEngine = defaultEngine('gzip'),
    } = part;
    const { tune, budget } = part;
    const minSavings =
      savings === undefined
        ? null
        : await this.#within([...path, 'minSavings'], () =>
            parsePercentOrSize(String(savings), 'minSavings'),
          );
    const selection = await this.#within(path, () => rangeOf(part));
    const packing = await this.#within(path, () =>
      packingOf({
        compression,
        level,
        gzipEngine,
        tune: tune === undefined ? null : parseGoal(tune, 'tune'),
        budget: budget === undefined ? null : parseDuration(budget, 'budget'),
      }),
    );
    if (packing === null)
      throw invalid(this.#file, this.#places.lineOf(path), 'recompress needs compression, tune or budget');
    return { selection, packing, minSavings, isAsked: true };
  }

  /** Adds file and line to the mistakes of a part of the plan. */
  async #within<T>(path: readonly PropertyKey[], work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof OcislimError && errorsOfPlans.has(error.code))
        throw invalid(this.#file, this.#places.lineOfError(path, error.message), error.message, error.advice);
      throw error;
    }
  }
}

function squashOf({ last, fromLayer, all, maxLayers, ...range }: Part<'squash'>): SquashSetting {
  return squashSettingOf({
    maxLayers: maxLayers ?? null,
    last: last ?? null,
    fromLayer: fromLayer === undefined ? null : parseLayer(String(fromLayer)),
    all: all === true,
    ...readRange(range),
  });
}

function arrangeOf({ order, dedupeHardlink = false, ...range }: Part<'arrange'>): ArrangeStage {
  return {
    selection: rangeOf(range),
    order: order === 'similar' ? order : null,
    hardlinks: dedupeHardlink,
    always: range.layers !== undefined || range.base !== undefined,
  };
}

interface RangePart {
  readonly layers?: string;
  readonly base?: string;
}

/** Selects the layers of a part by `layers` or `base`. Default: all. @throws USAGE */
function rangeOf(part: RangePart): SelectionSetting {
  return rangeSelection(readRange(part));
}

function readRange({ layers, base }: RangePart) {
  return { layers: layers === undefined ? null : parseRange(layers), base: base ?? null };
}

const emptyAdvice = 'Give prune, squash, relayer, arrange, recompress, addVariant or config.';
const errorsOfPlans: ReadonlySet<string> = new Set(['USAGE', 'SELECTION_INVALID']);

function invalid(file: string, line: number, message: string, advice?: string): OcislimError {
  return yamlInvalid('PLAN_INVALID', { file, line, message, advice });
}
