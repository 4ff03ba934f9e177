import type { Granularity } from '../../../src/image/trace-pruning.ts';
import type { ClosureRule } from '../../../src/closure/rule.ts';
import { type Closure, type ClosureInput, closeOver } from '../../../src/closure/closure.ts';
import { inputOf, keptFiles, type Table, type UsesText, wanting } from '../rig.ts';
import { p } from '../../support/bytes.ts';

/** What an image is used for. Traced paths stay, whatever the rule under test does. */
export interface Circumstances {
  /** Other paths that are needed. */
  readonly want?: readonly string[];
  readonly trace?: Readonly<Record<string, UsesText>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly granularity?: Granularity;
}

/** Returns the files that stay under one rule (or several), sorted, with the traced ones. */
export async function stays(
  rules: ClosureRule | readonly ClosureRule[],
  image: Table,
  circumstances: Circumstances = {},
): Promise<string[]> {
  const [closure, input] = await closureUnder('name' in rules ? [rules] : rules, image, circumstances);
  return keptFiles(closure, input);
}

/** Returns the reason that a rule gives for a path: "NAME: DETAIL", or "goes". */
export async function saysOf(
  rule: ClosureRule,
  image: Table,
  path: string,
  circumstances: Circumstances = {},
): Promise<string> {
  const [closure] = await closureUnder([rule], image, circumstances);
  const why = closure.why(p(path));
  return why === null ? 'goes' : `${why.rule}: ${why.detail}`;
}

/** Computes a closure in which rules see only the contents that they ask for, as after a scan. */
async function closureUnder(
  rules: readonly ClosureRule[],
  image: Table,
  { want = [], trace = {}, environment = {}, command = [], granularity = 'file' }: Circumstances,
): Promise<[Closure, ClosureInput]> {
  // A trace without a file of the image is refused, so that one file is in each. It does not stay by itself.
  const something = Object.keys(trace).length === 0 ? {} : { '.traced': 'exec' };
  const input = await inputOf({
    image: { ...image, '.traced': 'x' },
    trace: { ...trace, ...something },
    granularity,
    runtime: { environment, command },
  });
  const isRead = (path: string): boolean =>
    rules.some(({ reads }) => (reads?.(p(path)) ?? 0) >= input.fs.size(p(path)));
  const scanned: ClosureInput = {
    ...input,
    facts: { ...input.facts, contents: (path) => (isRead(path) ? input.facts.contents(path) : null) },
  };
  return [closeOver(scanned, [wanting(...want, ...Object.keys(trace)), ...rules]), scanned];
}
