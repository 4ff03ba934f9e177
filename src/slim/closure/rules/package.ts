import type { Path } from '../../../changeset/path.ts';
import { isDocumentation } from '../../packages/documentation.ts';
import { isInventory } from '../../packages/inventory-paths.ts';
import type { Package } from '../../packages/package.ts';
import { packageProbe, packagesOf } from '../../packages/package-index.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { isConverter } from './gconv.ts';
import { isLocale } from './locale.ts';
import { PerClosure, spreads } from './spreading.ts';

/** Packages that stay whole by now. */
const whole = new PerClosure<Package>();
/** Needed files that several packages of one kind have. */
const shared = new PerClosure<Path>();

/**
 * One file used, the package stays; of packages within packages, the inner one. What several packages share (the `__init__.py` of
 * a namespace) does not tell which of them was used: others of their files do, and only if none does, the smallest stays.
 */
export const packageRule: ClosureRule = {
  name: 'package',
  describe:
    'With granularity `package`: a package of which one file is needed stays whole, less its documentation, converters of character sets and locales.',
  reads: packageProbe,
  *follow(path, context) {
    if (context.granularity !== 'package' || !spreads(path, context)) return;
    const [owner, other] = packagesOf(context).ownersOf(path);
    if (owner === undefined) return;
    if (other?.kind === owner.kind) shared.of(context).add(path);
    else yield* expand(owner, context);
  },
  *settle(context) {
    const undecided = shared.of(context);
    for (const path of undecided) {
      const owners = packagesOf(context).ownersOf(path);
      const [smallest] = owners;
      const isDecided = owners.some((owner) => owner.kind === smallest?.kind && whole.of(context).has(owner));
      if (smallest !== undefined && !isDecided) yield* expand(smallest, context);
    }
    undecided.clear();
  },
};

function* expand(owner: Package, context: ClosureContext): Generator<Need> {
  const done = whole.of(context);
  if (done.has(owner)) return;
  done.add(owner);
  const detail = `belongs to the ${owner.kind} package ${owner.name}`;
  for (const path of owner.files)
    if (!isInventory(path) && !isDocumentation(owner, path) && !isConverter(path) && !isLocale(path))
      yield { path, detail, strength: 'whole' };
}
