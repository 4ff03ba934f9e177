import { type Alias, type Document, LineCounter, parseDocument, visit } from 'yaml';
import type { core } from 'zod';
import { OcislimError } from '../../errors.ts';
import type { Session } from '../session.ts';
import { pipe, type Transform, withPlan } from '../../image/image.ts';
import type { Selection } from '../../image/selection.ts';
import { expandPresets } from '../../slim/presets.ts';
import { arrange } from '../../slim/arrange.ts';
import { prune } from '../../slim/prune.ts';
import { parseRule } from '../../rules/rules.ts';
import { squash } from '../../slim/squash.ts';
import { type PlanFile, planSchema } from './plan-schema.ts';
import {
  type BaseReader,
  packingStage,
  rangeSelection,
  readText,
  squashSelection,
  tracePrunings,
} from '../options/selections.ts';
import { parsePercentOrSize } from '../options/sizes.ts';

/** Reads a plan and makes the transform that it describes. @throws PLAN_INVALID naming file and line */
export async function readPlan(file: string, readBase: BaseReader, session: Session): Promise<Transform> {
  const lines = new LineCounter();
  const document = parse(await readText(file, 'plan'), file, lines);
  const [broken] = document.errors;
  if (broken !== undefined) throw invalid(file, lines.linePos(broken.pos[0]).line, reasonOf(broken));
  if (document.contents === null) throw invalid(file, 1, 'the plan is empty', emptyAdvice);
  const parsed = planSchema.safeParse(valueOf(document, file, lines));
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true) as
        | { range?: [number, number, number] }
        | undefined;
      if (node?.range !== undefined) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const issue = first === undefined ? undefined : innermost(first);
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])];
    throw invalid(
      file,
      lineOf(path),
      `${path.length > 0 ? `${path.join('.')}: ` : ''}${issue?.message ?? 'not a plan'}`,
    );
  }
  return transformOf(file, parsed.data, lineOf, readBase, session);
}

/** @throws PLAN_INVALID for what is deeper than the parser's stack */
function parse(text: string, file: string, lineCounter: LineCounter): Document.Parsed {
  try {
    // No plan has a list for a key; told of one, the parser would warn on standard error by itself.
    return parseDocument(text, { lineCounter, prettyErrors: false, stringKeys: true, logLevel: 'error' });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw invalid(file, 1, reasonOf(cause));
  }
}

/** Wherever the parser runs out of stack, it says so in V8's words. */
function reasonOf({ message }: Error): string {
  return /call stack/.test(message)
    ? 'the plan has lists or maps in each other, too deep to be read'
    : message;
}

/** @throws PLAN_INVALID for aliases of nothing, and for so many that they would fill the memory */
function valueOf(document: Document.Parsed, file: string, lines: LineCounter): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    const lost = aliasesOf(document).find((alias) => alias.resolve(document) === undefined);
    const line = lines.linePos(lost?.range?.[0] ?? 0).line;
    throw invalid(file, line, reasonOf(cause as Error));
  }
}

function aliasesOf(document: Document.Parsed): readonly Alias[] {
  const found: Alias[] = [];
  visit(document, { Alias: (_, alias) => void found.push(alias) });
  return found;
}

/** Of what fits none of several forms, the mistake in the form that was meant: the one that goes deepest. */
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

async function transformOf(
  file: string,
  plan: PlanFile,
  lineOf: (path: readonly PropertyKey[]) => number,
  readBase: BaseReader,
  session: Session,
): Promise<Transform> {
  const steps: Transform[] = [];
  const within = async <T>(path: readonly PropertyKey[], work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof OcislimError && errorsOfPlans.has(error.code))
        throw invalid(file, lineOf(path), error.message, error.advice);
      throw error;
    }
  };
  const range = (stage: { layers?: string; base?: string }): Promise<Selection> =>
    rangeSelection(stage, readBase);
  if (plan.prune !== undefined) {
    const { presets = [], rules = [], keep = [], shadowed = false, ...tracing } = plan.prune;
    const expanded = await within(['prune', 'presets'], () => expandPresets(presets));
    const own = rules.map((rule, i) => parseRule(rule, `${file}:${lineOf(['prune', 'rules', i])}`));
    const traced = {
      ...(tracing.traces === undefined ? {} : { trace: tracing.traces }),
      ...(tracing.traceRoots === undefined ? {} : { 'trace-root': tracing.traceRoots }),
      ...(tracing.keepCommands === undefined ? {} : { 'keep-command': tracing.keepCommands }),
      ...(tracing.granularity === undefined ? {} : { granularity: tracing.granularity }),
      ...(tracing.force === undefined ? {} : { force: tracing.force }),
    };
    const traces = await within(['prune', 'traces'], () => tracePrunings(traced, session));
    const selection = await within(['prune'], () => range(plan.prune ?? {}));
    steps.push(
      prune(selection, {
        rules: [...expanded.remove, ...own],
        keep,
        shadowed,
        clearSetuid: expanded.clearSetuid.map(({ text }) => text),
        traces,
      }),
    );
  }
  if (plan.squash !== undefined) {
    const { fromLayer, ...rest } = plan.squash;
    const values = { ...rest, ...(fromLayer === undefined ? {} : { 'from-layer': String(fromLayer) }) };
    steps.push(squash(await within(['squash'], () => squashSelection(values, readBase))));
  }
  if (plan.arrange !== undefined) {
    const { order, dedupeHardlink = false, ...rest } = plan.arrange;
    const always = rest.layers !== undefined || rest.base !== undefined;
    const options = { order: order === 'similar' ? order : null, hardlinks: dedupeHardlink, always };
    steps.push(arrange(await within(['arrange'], () => range(rest)), options));
  }
  const packings = plan.recompress ?? [];
  for (const [i, packing] of (Array.isArray(packings) ? packings : [packings]).entries()) {
    const path = Array.isArray(packings) ? ['recompress', i] : ['recompress'];
    const { compression, level, gzipEngine, minSavings, tune, budget, ...rest } = packing;
    if (minSavings !== undefined)
      await within([...path, 'minSavings'], () => parsePercentOrSize(String(minSavings), 'minSavings'));
    const selection = await within(path, () => range(rest));
    const values = {
      compression,
      level,
      tune,
      budget,
      'gzip-engine': gzipEngine,
      'min-savings': minSavings,
    };
    const pack = await within(
      [...path, (['tune', 'budget', 'level'] as const).find((key) => packing[key] !== undefined) ?? ''],
      () => packingStage(values),
    );
    if (pack === null) throw invalid(file, lineOf(path), 'recompress needs compression, tune or budget');
    steps.push(pack(selection));
  }
  if (steps.length === 0) throw invalid(file, 1, 'the plan has no stage', emptyAdvice);
  const dropEmpty = plan.emptyLayers === 'drop';
  return pipe(...steps, (image) => (dropEmpty ? withPlan(image, { dropEmpty }) : image));
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
