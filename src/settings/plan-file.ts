/**
 * Reads a plan: the stages of a job in YAML. Every mistake is reported with its file and line. Caller: the option --file of
 * `slim`.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import type { core } from 'zod';
import { defaultEngine } from '../codec/encoding.ts';
import { OcislimError } from '../errors.ts';
import { parseLayer, parseRange } from '../image/selection.ts';
import type { Rule } from '../rules/rule.ts';
import { parseRule } from '../rules/rules.ts';
import { parseCommand } from './command-words.ts';
import { parseDuration } from './duration.ts';
import { parseGoal } from './goal.ts';
import type { Door } from './option.ts';
import { PlanLines } from './plan-lines.ts';
import { type PlanFile, planSchema } from './plan-schema.ts';
import { readText } from './rule-files.ts';
import { rangeSelection, type SelectionSetting, squashSelectionOf } from './selection.ts';
import { parsePercentOrSize } from './sizes.ts';
import {
  type ArrangeStage,
  noStages,
  type PackStage,
  packingOf,
  pruneStage,
  type PruneStage,
  type Stages,
} from './stages.ts';
import { readTraceFiles } from './trace-setting.ts';

/** What reading files needs. */
type Reading = Pick<Door, 'limits' | 'signal'>;
type Part<Key extends keyof PlanFile> = NonNullable<PlanFile[Key]>;
type PackingPart = Exclude<Part<'recompress'>, readonly unknown[]>;

/**
 * Reads a plan into stages. Files of traces that it names are read too.
 * @throws PLAN_INVALID naming file and line, USAGE for a file that cannot be read
 */
export async function readPlan(file: string, { limits, signal }: Reading): Promise<Stages> {
  const lines = new LineCounter();
  const text = await readText(file, { what: 'plan', limit: 'plan-bytes', limits }, signal);
  const document = parse(text, file, lines);
  const [broken] = document.errors;
  if (broken !== undefined) throw invalid(file, lines.linePos(broken.pos[0]).line, reasonOf(broken));
  if (document.contents === null) throw invalid(file, 1, 'the plan is empty', emptyAdvice);
  const parsed = planSchema.safeParse(valueOf(document, file, lines));
  const places = new PlanLines(document, lines);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const issue = first === undefined ? undefined : innermost(first);
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])];
    // The parser's own message lists all unknown keys.
    const why = unknown === undefined ? (issue?.message ?? 'not a plan') : 'there is no such key';
    throw invalid(file, places.lineOf(path), `${path.length > 0 ? `${path.join('.')}: ` : ''}${why}`);
  }
  return new StageReader(file, places, { limits, signal }).read(parsed.data);
}

/** @throws PLAN_INVALID for nesting deeper than the parser's stack */
function parse(text: string, file: string, lineCounter: LineCounter): Document.Parsed {
  try {
    // No plan has a list for a key; told of one, the parser would warn on standard error by itself.
    return parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      stringKeys: true,
      uniqueKeys: false,
      logLevel: 'error',
    });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw invalid(file, 1, reasonOf(cause));
  }
}

/** Replaces V8's words where the parser ran out of stack. */
function reasonOf({ message }: Error): string {
  return /call stack/.test(message)
    ? 'the plan has lists or maps in each other, too deep to be read'
    : message;
}

/** @throws PLAN_INVALID for what `breachIn` finds, and for so many aliases of aliases that they would fill the memory */
function valueOf(document: Document.Parsed, file: string, lines: LineCounter): unknown {
  const breach = breachIn(document);
  if (breach !== null) throw invalid(file, lines.linePos(breach.at?.[0] ?? 0).line, breach.why);
  try {
    return document.toJS();
  } catch (cause) {
    throw invalid(file, 1, reasonOf(cause as Error));
  }
}

/** Aliases of a plan. The parser searches the whole document for each. */
const mostAliases = 1000;

interface Breach {
  readonly at: Node['range'];
  readonly why: string;
}

/**
 * Finds, in one pass, what the parser takes quadratic time for: a key that a map has twice, an alias without an anchor before it, and
 * too many aliases. Returns the first; null for none.
 */
function breachIn(document: Document.Parsed): Breach | null {
  const anchors = new Set<string>();
  let aliases = 0;
  let breach: Breach | null = null;
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        aliases++;
        if (!anchors.has(node.source))
          breach = { at: node.range, why: `unresolved alias *${node.source}: it has no anchor before it` };
        else if (aliases > mostAliases)
          breach = { at: node.range, why: `the plan has more than ${mostAliases} aliases` };
      } else {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        const key = isMap(node) ? repeatedKey(node) : null;
        if (key !== null)
          breach = { at: key.range, why: `keys must be unique, and ${String(key.value)} is given twice` };
      }
      return breach === null ? undefined : visit.BREAK;
    },
  });
  return breach;
}

function repeatedKey({ items }: YAMLMap): Scalar | null {
  const seen = new Set<unknown>();
  for (const { key } of items) {
    if (!isScalar(key)) continue;
    if (seen.has(key.value)) return key;
    seen.add(key.value);
  }
  return null;
}

/** Chooses the mistake to report where a value fits none of several forms: the deepest one, in the form that was meant. */
function innermost(issue: core.$ZodIssue): core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const [deepest] = issue.errors
    .flatMap(([first]) => first ?? [])
    .toSorted((a, b) => b.path.length - a.path.length || Number(isUnknownKey(b)) - Number(isUnknownKey(a)));
  return deepest === undefined ? issue : innermost({ ...deepest, path: [...issue.path, ...deepest.path] });
}

function isUnknownKey({ code }: core.$ZodIssue): boolean {
  return code === 'unrecognized_keys';
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
    const { prune, squash, arrange, recompress, emptyLayers } = plan;
    if ([prune, squash, arrange, recompress].every((part) => part === undefined))
      throw invalid(this.#file, 1, 'the plan has no stage', emptyAdvice);
    return {
      ...noStages,
      prune: prune === undefined ? null : await this.#prune(prune),
      squash: squash === undefined ? null : await this.#within(['squash'], () => squashOf(squash)),
      arrange: arrange === undefined ? [] : [await this.#within(['arrange'], () => arrangeOf(arrange))],
      pack: await this.#packs(recompress ?? []),
      dropEmpty: emptyLayers === 'drop',
    };
  }

  async #prune(part: Part<'prune'>): Promise<PruneStage> {
    const { presets = [], rules = [], keep = [], keepPresets = [], shadowed = false } = part;
    const { traces = [], traceRoots = [], keepCommands = [], granularity = 'package', force = false } = part;
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

function squashOf({ last, fromLayer, all, ...range }: Part<'squash'>): SelectionSetting {
  return squashSelectionOf({
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

const emptyAdvice = 'Give prune, squash, arrange or recompress.';
const errorsOfPlans: ReadonlySet<string> = new Set(['USAGE', 'SELECTION_INVALID']);

function invalid(file: string, line: number, message: string, advice?: string): OcislimError {
  return new OcislimError(
    'PLAN_INVALID',
    `${file}:${line}: ${message}`,
    advice === undefined ? {} : { advice },
  );
}
