import type { Granularity } from '../../../src/image/trace-pruning.ts';
import type { ClosureRule } from '../../../src/closure/rule.ts';
import { type Closure, type ClosureInput, closeOver } from '../../../src/closure/closure.ts';
import { inputOf, keptFiles, type Table, type UsesText, wanting } from '../rig.ts';
import { p } from '../../support/bytes.ts';

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
  const [closure, input] = await closureUnder('name' in rules ? [rules] : rules, image, circumstances);
  return keptFiles(closure, input);
}

/** What the rule says about one of the paths that stay. */
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

/** Rules see the contents of the files that they ask for, as in a scan; not of others. */
async function closureUnder(
  rules: readonly ClosureRule[],
  image: Table,
  { want = [], trace = {}, environment = {}, command = [], granularity = 'file' }: Circumstances,
): Promise<[Closure, ClosureInput]> {
  // A trace of nothing but directories is refused, so one file of every image is in it; nothing asks for that to stay.
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
