/**
 * The manifests in which packages and applications declare what they depend on. The rule for modules reads them beside sources.
 */
import { asciiList, type ByteString, noBytes, readByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { isObject, listOf, memberOf, stringOr, tryParseJson } from '../../bytes/json-value.ts';
import { join, type Path, parentOf, root, rootPath } from '../../bytes/path.ts';
import type { SourceLanguage } from '../../rootfs/facts/named-modules.ts';
import { KiB, MiB } from '../../units.ts';
import type { ClosureContext } from '../rule.ts';
import { present, presentIn } from '../rules/present.ts';
import { distributionsOf } from '../rules/python-distributions.ts';
import { distribution, gem } from './languages.ts';

interface Manifest {
  readonly language: SourceLanguage;
  readonly files: RegExp;
  /** The largest one that is read, in bytes. */
  readonly largest: number;
  /**
   * Returns the names of what it declares, as `Language.files` takes them. Of a package that the trace used (`isUsed`), what is optional
   * would have been used too.
   */
  readonly names: (bytes: Uint8Array, isUsed: boolean) => Iterable<ByteString>;
}

/** The members of package.json that hold dependencies. */
const always = ['dependencies'];
const all = [...always, 'optionalDependencies', 'peerDependencies'];

const manifests: readonly Manifest[] = [
  {
    language: 'node',
    files: /(?:^|\/)package\.json$/,
    largest: MiB,
    names: (bytes, isUsed) => membersOf(bytes, isUsed ? always : all),
  },
  {
    language: 'python',
    files: /\.dist-info\/METADATA$|\.egg-info(?:\/PKG-INFO)?$/,
    largest: MiB,
    // What only an extra needs does not count.
    names: (bytes) =>
      groupsIn(bytes, /^Requires-Dist:([^\n]*)/gm)
        .filter((line) => !/\bextra *[=!]/.test(line))
        .map((line) => distribution(line.match(/[\w.-]+/)?.[0] ?? noBytes)),
  },
  {
    language: 'python',
    files: /\.egg-info\/requires\.txt$/,
    largest: 256 * KiB,
    names: (bytes) => {
      const [always = noBytes] = readByteString(bytes).split(/^\[/m, 1);
      return [...always.matchAll(/^[ \t]*([A-Za-z0-9][\w.-]*)/gm)].map(([, name = noBytes]) =>
        distribution(name),
      );
    },
  },
  {
    language: 'ruby',
    files: /(?:^|\/)specifications\/(?:default\/)?[^/]+\.gemspec$/,
    largest: 256 * KiB,
    names: (bytes) => groupsIn(bytes, /\badd_(?:runtime_)?dependency[ (]*(?:%q<|["'])([\w.-]+)/g).map(gem),
  },
  {
    language: 'ruby',
    files: /(?:^|\/)(?:Gemfile|gems)\.lock$/,
    largest: MiB,
    names: (bytes) => groupsIn(bytes, /^ {4}([\w.-]+) \(/gm).map(gem),
  },
  {
    language: 'perl',
    files: /(?:^|\/)cpanfile$/,
    largest: 256 * KiB,
    names: (bytes) => groupsIn(bytes, /^[ \t]*(?:requires|recommends)[ \t(]*["']([\w:]+)/gm),
  },
  {
    language: 'php',
    files: /(?:^|\/)composer\.json$/,
    largest: 256 * KiB,
    names: (bytes) => membersOf(bytes, ['require']),
  },
  {
    language: 'php',
    files: /(?:^|\/)composer\.lock$/,
    largest: 8 * MiB,
    names: (bytes) =>
      listOf(memberOf(tryParseJson(bytes), 'packages')).map((each) =>
        utf8Bytes(stringOr(memberOf(each, 'name'), '')),
      ),
  },
  {
    language: 'r',
    files: /(?:^|\/)DESCRIPTION$/,
    largest: 64 * KiB,
    names: (bytes) =>
      // A field goes on in lines that begin with a space (Debian control files).
      groupsIn(bytes, /^(?:Depends|Imports):((?:[^\n]|\n[ \t])*)/gm).flatMap((list) =>
        [...list.matchAll(/(?:^|,)\s*([A-Za-z][\w.]*)/g)].map(([, name = noBytes]) => name),
      ),
  },
  {
    language: 'beam',
    files: /(?:^|\/)mix\.lock$/,
    largest: MiB,
    names: (bytes) => groupsIn(bytes, /^[ \t]*"(\w+)":[ \t]*\{/gm),
  },
];

/** The manifests of an application, by their names in the directories above its sources. */
const above: Readonly<Partial<Record<SourceLanguage, readonly ByteString[]>>> = {
  node: asciiList('package.json'),
  ruby: asciiList('Gemfile.lock', 'gems.lock'),
  perl: asciiList('cpanfile'),
  php: asciiList('composer.json', 'composer.lock'),
  r: asciiList('DESCRIPTION'),
  beam: asciiList('mix.lock', 'mix.exs'),
};

/** Returns how many bytes of a manifest are read; 0 for any other file. */
export function manifestBytes(path: Path): number {
  return manifests.find(({ files }) => files.test(path))?.largest ?? 0;
}

/** Returns what a manifest declares; null for any other file. `isUsed`: whether the trace used the package. */
export function declaredIn(
  path: Path,
  isUsed: boolean,
  { facts }: ClosureContext,
): { readonly language: SourceLanguage; readonly names: readonly ByteString[] } | null {
  const manifest = manifests.find(({ files }) => files.test(path));
  const bytes = manifest === undefined ? null : facts.contents(path);
  if (manifest === undefined || bytes === null) return null;
  return {
    language: manifest.language,
    names: [...new Set(manifest.names(bytes, isUsed))].filter((name) => name !== ''),
  };
}

/** Yields the manifests that speak for a source: those above it, and those of its distribution or gem. */
export function* manifestsFor(
  path: Path,
  language: SourceLanguage,
  context: ClosureContext,
): Generator<Path> {
  const names = above[language] ?? [];
  for (let at = parentOf(path); names.length > 0; at = parentOf(at)) {
    yield* presentIn(context.fs, at, names);
    if (at === root) break;
  }
  if (language === 'python')
    for (const home of distributionsOf(path, context)) {
      const files = asciiList('METADATA', 'PKG-INFO', 'requires.txt').map((name) => join(home, name));
      yield* present(context.fs, context.fs.kind(home) === 'directory' ? files : [home]);
    }
  const [, gems, gem] = path.match(/^((?:.*\/)?)gems\/([^/]+)\/lib\//) ?? [];
  if (language === 'ruby' && gems !== undefined && gem !== undefined)
    yield* present(context.fs, [rootPath`${gems}specifications/${gem}.gemspec`]);
}

/** Returns the names of the members of these objects in a JSON file. */
function membersOf(bytes: Uint8Array, objects: readonly string[]): readonly ByteString[] {
  const json = tryParseJson(bytes);
  return objects.flatMap((name) => {
    const object = memberOf(json, name);
    return isObject(object) ? Object.keys(object).map(utf8Bytes) : [];
  });
}

/** Returns the first group of each match. */
function groupsIn(bytes: Uint8Array, pattern: RegExp): readonly ByteString[] {
  return [...readByteString(bytes).matchAll(pattern)].map(([, group = noBytes]) => group);
}
