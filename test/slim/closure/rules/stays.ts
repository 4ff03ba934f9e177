import type { Granularity } from '../../../../src/image/trace-pruning.ts';
import type { ClosureRule } from '../../../../src/slim/closure/rule.ts';
import { closureOf, kept, type Setting, type Table, type UsesText, wanting } from '../rig.ts';

export interface Circumstances {
  /** What stays without the rule, besides what was traced. */
  readonly want?: readonly string[];
  readonly trace?: Readonly<Record<string, UsesText>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly granularity?: Granularity;
}

/** The files of an image that stay under one rule (or several), sorted; what was traced stays anyway. */
export async function stays(
  rules: ClosureRule | readonly ClosureRule[],
  image: Table,
  circumstances: Circumstances = {},
): Promise<string[]> {
  const [setting, all] = settingOf(rules, image, circumstances);
  return kept(setting, all);
}

/** What the rule says about one of the paths that stay. */
export async function saysOf(
  rule: ClosureRule,
  image: Table,
  path: string,
  circumstances: Circumstances = {},
): Promise<string> {
  const closure = await closureOf(...settingOf(rule, image, circumstances));
  const why = closure.why(path);
  return why === null ? 'goes' : `${why.rule}: ${why.detail}`;
}

function settingOf(
  rules: ClosureRule | readonly ClosureRule[],
  image: Table,
  { want = [], trace = {}, environment = {}, command = [], granularity = 'file' }: Circumstances,
): [Setting, readonly ClosureRule[]] {
  const own = 'name' in rules ? [rules] : rules;
  return [
    { image, trace, granularity, runtime: { environment, command } },
    [wanting(...want, ...Object.keys(trace)), ...own],
  ];
}
