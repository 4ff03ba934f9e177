import { ascii, asByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import { isDocumentation } from '../../rootfs/packages/documentation.ts';
import { isInventory } from '../../rootfs/packages/inventory-paths.ts';
import type { Package, PackageKind } from '../../rootfs/packages/package.ts';
import { packageProbe, packagesOf } from '../../rootfs/packages/package-index.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { isConverter } from './gconv.ts';
import { isLocale } from './locale.ts';
import { PerClosure, spreads } from './spreading.ts';

/** Packages that stay whole by now. */
const whole = new PerClosure<Package>();
/** Needed files that several packages of one kind have. */
const shared = new PerClosure<Path>();

/** Kinds whose files are found by nothing but their own language. */
const languages: ReadonlySet<PackageKind> = new Set(['node', 'python', 'ruby', 'composer']);

/**
 * One file used, the package stays; of packages within packages, the inner one. What several packages share (the `__init__.py` of
 * a namespace) does not tell which of them was used: others of their files do, and only if none does, the smallest stays.
 */
export const packageRule: ClosureRule = {
  name: 'package',
  describe:
    'With granularity `package` or `directory`: a package of which a program or library is needed, or any file was used, stays whole, less its documentation, and less the converters of character sets and the locales, which have rules of their own.',
  reads: packageProbe,
  *follow(path, context) {
    if (context.granularity === 'file' || !spreads(path, context)) return;
    const [owner, other] = packagesOf(context).ownersOf(path);
    if (owner === undefined || !isUse(path, owner, context)) return;
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

/**
 * Is it the use of a package? Programs and libraries are, and what the trace has seen. What stays only because something may
 * look for it is not: the zone of `/etc/localtime`, or the link to the certificates, which is in a package with scripts in Perl.
 */
function isUse(path: Path, { kind }: Package, context: ClosureContext): boolean {
  if (languages.has(kind) || context.usesOf(path) !== 0) return true;
  const { fs, facts } = context;
  const { path: target } = fs.resolve(path);
  return target !== null && (facts.elf(target) !== null || facts.script(target) !== null);
}

function* expand(owner: Package, context: ClosureContext): Generator<Need> {
  const done = whole.of(context);
  if (done.has(owner)) return;
  done.add(owner);
  const detail = ascii`belongs to the ${asByteString(owner.kind)} package ${owner.name}`;
  for (const path of owner.files)
    if (!isInventory(path) && !isDocumentation(owner, path) && !isConverter(path) && !isLocale(path))
      yield { path, detail, strength: 'whole' };
}
