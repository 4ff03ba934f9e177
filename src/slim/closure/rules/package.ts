import { isDocumentation } from '../../packages/documentation.ts';
import { isInventory } from '../../packages/inventory-paths.ts';
import type { Package } from '../../packages/package.ts';
import { packageProbe, packagesOf } from '../../packages/package-index.ts';
import type { ClosureRule } from '../rule.ts';
import { DoneOnce, spreads } from './spreading.ts';

const expanded = new DoneOnce<Package>();

/**
 * One file used, the package stays. Of several owners only the most particular counts: what two packages share (an
 * `__init__.py` of a namespace) is no use of both, and who is used has other files that are.
 */
export const packageRule: ClosureRule = {
  name: 'package',
  describe:
    'With granularity `package`: a package of which one file is needed stays whole, less its documentation.',
  reads: packageProbe,
  *follow(path, context) {
    if (context.granularity !== 'package' || !spreads(path, context)) return;
    const [owner] = packagesOf(context).ownersOf(path);
    if (owner === undefined || !expanded.isFirst(context, owner)) return;
    const detail = `belongs to the ${owner.kind} package ${owner.name}`;
    for (const file of owner.files)
      if (!isInventory(file) && !isDocumentation(owner, file))
        yield { path: file, detail, strength: 'whole' };
  },
};
