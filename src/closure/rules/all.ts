import type { ContentProbe } from '../../rootfs/facts/facts.ts';
import type { ClosureRule } from '../rule.ts';
import { directoryRule } from './directory.ts';
import { familyRules } from './families.ts';
import { inventoryRule } from './inventory.ts';
import { keepRule } from './keep.ts';
import { packageRule } from './package.ts';
import { programRules } from './program.ts';
import { unpackagedRule } from './unpackaged.ts';

const fixed: readonly ClosureRule[] = [
  ...programRules,
  ...familyRules,
  packageRule,
  unpackagedRule,
  directoryRule,
  inventoryRule,
];

/** In the order in which they are asked: of two that name one file, the first is its reason. */
export function closureRules({ keep }: { readonly keep: readonly string[] }): readonly ClosureRule[] {
  return [keepRule(keep), ...fixed];
}

/** What the rules must see of the contents of files. */
export const contentProbes: readonly ContentProbe[] = fixed.flatMap(({ reads }) => reads ?? []);
