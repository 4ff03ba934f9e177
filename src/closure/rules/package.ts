/**
 * The rule for packages: with the granularity `package` or `directory`, one used file keeps its package. `all.ts` lists it behind
 * the rules that find needed files.
 */
import { ascii, asByteString, type ByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import { isDocumentation } from '../../rootfs/packages/documentation.ts';
import { isInventory } from '../../rootfs/packages/inventory-paths.ts';
import type { Package, PackageKind } from '../../rootfs/packages/package.ts';
import { packageProbe, packagesOf } from '../../rootfs/packages/package-index.ts';
import { oncePer } from '../../rootfs/once-per.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { isConverter } from './gconv.ts';
import { isLocale } from './locale.ts';
import { interpretersOf, isRun, lent } from './script.ts';
import { PerClosure, spreads } from './spreading.ts';
import { standardLibraryOf } from './standard-library.ts';

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
    'With the granularity `package` or `directory`: the whole package of a needed program or library, and of any file that was used. Left out are its documentation, and its converters of character sets and locales, which have their own rules, and scripts whose interpreter does not stay. An interpreter that stays only for a script beside used files brings its package and its standard library.',
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
    yield* lentNeeds(context);
    // A script goes unless what runs it stays.
    for (const [path, detail] of waiting(context)) {
      if (!isIdle(path, context)) {
        waiting(context).delete(path);
        yield { path, detail, strength: 'whole' };
      }
    }
  },
};

/** Yields the packages and standard libraries of interpreters that stay for scripts beside used files. */
function* lentNeeds(context: ClosureContext): Generator<Need> {
  if (context.granularity === 'file') return;
  const interpreters = lent.of(context);
  for (const path of interpreters) {
    yield* packageNeeds(path, context);
    yield* standardLibraryOf(path, context);
  }
  interpreters.clear();
}

/** Yields the files of the package that a path belongs to, if it belongs to one. */
export function* packageNeeds(path: Path, context: ClosureContext): Generator<Need> {
  const [owner] = packagesOf(context).ownersOf(path);
  if (owner !== undefined) yield* expand(owner, context);
}

/** Scripts of packages that stay whole whose interpreter does not stay so far, each with the reason that it would have. */
const waiting = oncePer<ClosureContext, Map<Path, ByteString>>(() => new Map());

/** Returns whether a path leads to a script whose interpreter is in the image and does not stay. */
function isIdle(path: Path, context: ClosureContext): boolean {
  const target = context.fs.resolve(path).path;
  const line = target === null ? null : context.facts.script(target);
  if (target === null || line === null || !isRun(target, context) || context.isKept(target)) return false;
  return interpretersOf(line, context).some((interpreter) => !context.isKept(interpreter));
}

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
  for (const path of owner.files) {
    if (isInventory(path) || isDocumentation(owner, path) || isConverter(path) || isLocale(path)) continue;
    if (isIdle(path, context)) waiting(context).set(path, detail);
    else yield { path, detail, strength: 'whole' };
  }
}
