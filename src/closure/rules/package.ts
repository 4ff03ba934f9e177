/**
 * The rule for packages: with the granularity `package` or `directory`, one used file keeps its package. `all.ts` lists it behind
 * the rules that find needed files.
 */
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

/** Packages whose files were kept. */
const whole = new PerClosure<Package>();
/** Needed files that belong to several packages of one kind. */
const shared = new PerClosure<Path>();

/** Kinds of packages whose files only programs of their language use. */
const languages: ReadonlySet<PackageKind> = new Set(['node', 'python', 'ruby', 'composer']);

/**
 * Of packages within packages, the inner one stays. A file that several packages share (the `__init__.py` of a namespace) does not
 * tell which of them was used: their other files do. If none of them was used, the smallest stays.
 */
export const packageRule: ClosureRule = {
  name: 'package',
  describe:
    'With the granularity `package` or `directory`: the whole package of a needed program or library, and of any file that was used. Left out are its documentation, and its converters of character sets and locales, which have their own rules.',
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
 * Returns whether a needed file means that its package is used. Programs, libraries and files of the trace do. A file that stays only since
 * something may look for it does not: the zone of `/etc/localtime`, or the link to the certificates.
 */
function isUse(path: Path, { kind }: Package, context: ClosureContext): boolean {
  if (languages.has(kind) || context.usesOf(path) !== 0) return true;
  const { fs, facts } = context;
  const { path: target } = fs.resolve(path);
  return target !== null && (facts.elf(target) !== null || facts.script(target) !== null);
}

/** Yields the files of a package, once. */
function* expand(owner: Package, context: ClosureContext): Generator<Need> {
  if (!whole.isNew(owner, context)) return;
  const detail = ascii`belongs to the ${asByteString(owner.kind)} package ${owner.name}`;
  for (const path of owner.files)
    if (!isInventory(path) && !isDocumentation(owner, path) && !isConverter(path) && !isLocale(path))
      yield { path, detail, strength: 'whole' };
}
