import type { ContentProbe } from '../../rootfs/facts/facts.ts';
import type { ClosureRule } from '../rule.ts';
import { directoryRule } from './directory.ts';
import { familyRules } from './families.ts';
import { inventoryRule } from './inventory.ts';
import { keepRule } from './keep.ts';
import { packageRule } from './package.ts';
import { programRules } from './program.ts';
import { unpackagedRule } from './unpackaged.ts';

/** All rules that do not depend on options. */
const fixed: readonly ClosureRule[] = [
  ...programRules,
  ...familyRules,
  packageRule,
  unpackagedRule,
  directoryRule,
  inventoryRule,
];

/** Returns all rules in their order: the first rule that names a file is its reason. */
export function closureRules({ keep }: { readonly keep: readonly string[] }): readonly ClosureRule[] {
  return [keepRule(keep), ...fixed];
}

/** The contents of files that the rules need. */
export const contentProbes: readonly ContentProbe[] = fixed.flatMap(({ reads }) => reads ?? []);
