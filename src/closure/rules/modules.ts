/**
 * The rule for modules that sources name: those of the application, and of what these name in turn. `families.ts` lists it; the table
 * of languages is in `../modules`.
 */
import { ascii, type ByteString } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import { languageOfPath, type SourceLanguage } from '../../rootfs/facts/named-modules.ts';
import { MiB } from '../../units.ts';
import type { PackageKind } from '../../rootfs/packages/package.ts';
import { packageProbe, packagesOf } from '../../rootfs/packages/package-index.ts';
import { oncePer } from '../../rootfs/once-per.ts';
import { shown } from '../modules/languages.ts';
import { declaredIn, manifestBytes, manifestsFor } from '../modules/manifests.ts';
import { directoryOf, placesOf } from '../modules/search.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { packageNeeds } from './package.ts';
import { isDistribution } from './python-distributions.ts';
import { PerClosure } from './spreading.ts';
import { treeNeeds } from './unpackaged.ts';

/**
 * The most bytes of a package that a used package or the application declares, and that neither the trace nor a source shows in use:
 * larger ones are compilers, browsers and other tools of developers.
 */
const largestUnused = 8 * MiB;

/** Names between two pauses. */
const namesPerStep = 64;

/** Needed files that were not looked at yet. */
const waiting = new PerClosure<Path>();
/** Sources and manifests that were read, with `\0all` where not only the statements at the top counted. */
const read = new PerClosure<string>();
/** Modules that were found, with their packages. */
const brought = new PerClosure<ByteString>();

/** Package managers of systems. Their sources are no application's, and what they load was loaded in the trace. */
const systems: ReadonlySet<PackageKind> = new Set(['apk', 'dpkg', 'rpm', 'conda']);

/** A source whose modules stay, or a manifest. */
interface Source {
  readonly path: Path;
  /** Whether it is needed; else another source named it. */
  readonly isUsed: boolean;
  /** Whether all its statements count; else those that run when it is loaded. */
  readonly isOwn: boolean;
}

/**
 * A request that no trace saw may load a module inside of a function. The application names it in its sources, and its packages declare
 * what they depend on. Of the sources of packages that were only named, what loading them loads must stay too.
 */
export const modulesRule: ClosureRule = {
  name: 'modules',
  describe:
    "Unless the granularity is `file`: the modules that the application's own sources name, wherever in them (import, require, use, library and the like with a literal name, in Python, Node, Ruby, Perl, PHP, R, Lua, Erlang and Elixir; the Class-Path of a jar), with their packages, and what these load or declare in turn (package.json, Requires-Dist, gemspec, Gemfile.lock, composer.json, composer.lock, DESCRIPTION, cpanfile, mix.lock; packages of more than 8 MiB that only the manifest of something used declares go). Own sources are those that are needed and that no package of the system owns.",
  reads: (path) => Math.max(manifestBytes(path), packageProbe(path)),
  follow(path, context) {
    const { fs, granularity } = context;
    const isNeeded = granularity !== 'file' && context.strengthOf(path) === 'needed';
    if (isNeeded && fs.kind(path) === 'file') waiting.of(context).add(path);
    return [];
  },
  *settle(context) {
    const ahead: Source[] = [];
    const add = (source: Source): void => {
      if (read.isNew(source.isOwn ? `${source.path}\0all` : source.path, context)) ahead.push(source);
    };
    for (const path of waiting.of(context))
      if (isOfApplication(path, context)) add({ path, isUsed: true, isOwn: true });
    waiting.of(context).clear();
    let seen = 0;
    for (const source of ahead) {
      for (const { name, from, language, isDeclared } of namesOf(source, context)) {
        if (++seen % namesPerStep === 0) yield;
        for (const place of yield* placesOf(name, language, from, context)) {
          const found = context.fs.resolve(place).path;
          if (found === null || (isDeclared && isLarge(found, context))) continue;
          yield* bring(place, found, ascii`/${from} names ${shown(name)}`, context);
          add({ path: found, isUsed: false, isOwn: isOwn(found, language, context) });
        }
      }
    }
  },
};

/** Returns whether a needed file is a source of the application, or of a package that was installed for it. */
function isOfApplication(path: Path, context: ClosureContext): boolean {
  const language = languageOf(path, context);
  if (language === null) return false;
  // A class path says what an archive is linked with, whatever it belongs to.
  if (language === 'java') return true;
  const owners = packagesOf(context).ownersOf(path);
  // A standard library that was built from source has no owner.
  if (owners.length === 0) return directoryOf(path, language) === null;
  return !owners.some(({ kind }) => systems.has(kind));
}

/** Returns whether all statements of a source that was named count, as those of the application do. */
function isOwn(path: Path, language: SourceLanguage, context: ClosureContext): boolean {
  return packagesOf(context).ownersOf(path).length === 0 && directoryOf(path, language) === null;
}

/** Returns the language of a source; null for other files, and for scripts that only browsers run. */
function languageOf(path: Path, context: ClosureContext): SourceLanguage | null {
  // A look for plug-ins opens the metadata of all distributions, and may load each.
  if (isDistribution(path)) return 'python';
  const isModule = /\.(?:[cm]?js|node)$/.test(path);
  const isInPackage = isModule && `/${path}`.includes('/node_modules/');
  const language = isInPackage ? 'node' : (context.facts.modules(path)?.language ?? languageOfPath(path));
  return language === 'node' && !runsNode(context) ? null : language;
}

/** Tells whether the trace used Node, or a program like it. */
const runsNode = oncePer(({ trace, keepCommands }: ClosureContext): boolean => {
  for (const path of trace.paths.keys())
    if (/(?:^|\/)(?:node(?:js)?|bun|deno|libnode\.so[\d.]*)$/.test(path)) return true;
  return keepCommands.flat().some((word) => /(?:^|\/)(?:node|bun|deno)$/.test(word));
});

/** A name, and the source or manifest that has it. */
interface Named {
  readonly name: ByteString;
  readonly from: Path;
  readonly language: SourceLanguage;
  /** Whether only the manifest of something used has it. */
  readonly isDeclared: boolean;
}

/** Returns whether the package of a module is larger than one that stays without a use. */
function isLarge(path: Path, context: ClosureContext): boolean {
  const [owner] = packagesOf(context).ownersOf(path);
  let bytes = 0;
  for (const file of owner?.files ?? []) {
    bytes += context.fs.size(file);
    if (bytes > largestUnused) return true;
  }
  return false;
}

/** Yields what a source names, and what the manifests that speak for it declare. Each manifest is read once. */
function* namesOf({ path, isUsed, isOwn: isAll }: Source, context: ClosureContext): Generator<Named> {
  const modules = context.facts.modules(path);
  for (const { name, isAtTop } of modules?.named ?? [])
    if (isAll || isAtTop)
      yield { name, from: path, language: modules?.language ?? 'java', isDeclared: false };
  const language = languageOf(path, context);
  const manifests = language === null ? [] : manifestsFor(path, language, context);
  for (const from of [path, ...manifests]) {
    const found = declaredIn(from, isUsed, context);
    if (found === null || !read.isNew(`${from}\0declared`, context)) continue;
    for (const name of found.names) yield { name, from, language: found.language, isDeclared: isUsed };
  }
}

/** Yields a module with its package, or with the tree that it was copied with. */
function* bring(
  place: ByteString,
  found: Path,
  detail: ByteString,
  context: ClosureContext,
): Generator<Need> {
  if (!brought.isNew(place, context)) return;
  yield { path: place, detail, strength: 'whole' };
  for (const need of packageNeeds(found, context))
    yield { ...need, detail: ascii`${need.detail}, since ${detail}` };
  yield* treeNeeds(found, detail, context);
}
