/**
 * Modules of an application that are for another version of their interpreter than the new base has: no header of a file says it, but the
 * directories do. The check calls it with the files of the application.
 */
import { ascii, type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import type { Path } from '../../bytes/path.ts';
import type { Filesystem } from '../../rootfs/filesystem.ts';
import type { View } from './view.ts';

/** A language whose directories of modules state a version. */
interface Language {
  readonly name: string;
  /** Paths of modules that were installed; the group is the version. */
  readonly modules: RegExp;
  /** Paths of the standard library, of which the interpreter of that version has one; the group is the version. */
  readonly library: RegExp;
  /** Whether only a base shows its version: modules of an application lie in the same directory. Default: no. */
  readonly ofBase?: true;
}

const languages: readonly Language[] = [
  {
    name: 'Python',
    modules: /(?:^|\/)lib(?:64)?\/(python\d+\.\d+t?)\/(?:site|dist)-packages\//,
    library: /(?:^|\/)lib(?:64)?\/(python\d+\.\d+t?)\/os\.pyc?$/,
  },
  {
    name: 'Ruby',
    modules: /(?:^|\/)(?:gems|ruby)\/(\d+\.\d+)\.\d+\/(?:gems|extensions|specifications)\//,
    library: /(?:^|\/)lib\/(?:[^/]+\/)?ruby\/(\d+\.\d+)(?:\.\d+)?\/(?:set|json|uri)\.rb$/,
  },
  {
    name: 'Perl',
    modules:
      /(?:^|\/)(?:lib|share)\/(?:[^/]+-linux-[^/]+\/)?(?:perl|perl5|site_perl)\/(?:site_perl\/)?(5\.\d+)(?:\.\d+)?\/.*\.(?:pm|so)$/,
    library:
      /(?:^|\/)(?:perl|perl5)\/(5\.\d+)(?:\.\d+)?\/(?:[^/]+-linux-[^/]+\/)?(?:Config|Exporter|perl5db)\.p[lm]$/,
  },
  {
    name: 'PHP',
    modules: /(?:^|\/)php\/(?:extensions\/[\w-]*-)?(20\d{6})\/.*\.so$/,
    library: /(?:^|\/)php\/(?:extensions\/[\w-]*-)?(20\d{6})\/.*\.so$/,
    ofBase: true,
  },
];

/** Modules for a version of which the new base has no interpreter. */
export interface LanguageLack {
  readonly missing: ByteString;
  readonly neededBy: readonly Path[];
  readonly name: string;
  readonly wanted: ByteString;
  /** The versions that the new base has; empty for none. */
  readonly has: readonly ByteString[];
}

/** Which files are of the application, and which of the bases. */
export interface LanguageInput {
  readonly source: View;
  readonly result: View;
  /** The files of the application in the result. */
  readonly own: readonly Path[];
  /** Whether a file of the source is of the application. */
  readonly isOwn: (path: Path) => boolean;
}

/** Finds modules whose interpreter was part of the old base, and of whose version the result has none. */
export function languageLacks({ source, result, own, isOwn }: LanguageInput): readonly LanguageLack[] {
  const ours = new Set(own);
  return languages.flatMap((language) => {
    const modules = Map.groupBy(
      own.flatMap((path) => {
        const version = groupOf(language.modules, path);
        return version === null ? [] : [{ version, path }];
      }),
      ({ version }) => version,
    );
    if (modules.size === 0) return [];
    const before = versionsIn(source.fs, language, (path) => !isOwn(path));
    const after = versionsIn(result.fs, language, (path) => language.ofBase !== true || !ours.has(path));
    return [...modules].flatMap(([version, files]): readonly LanguageLack[] => {
      if (!before.has(version) || after.has(version)) return [];
      const wanted = version;
      return [
        {
          missing: ascii`${utf8Bytes(language.name)} ${wanted.replace(/^python/, '')}`,
          neededBy: files.map(({ path }) => path),
          name: language.name,
          wanted,
          has: [...after].toSorted(),
        },
      ];
    });
  });
}

function versionsIn(
  fs: Filesystem,
  { library }: Language,
  counts: (path: Path) => boolean,
): ReadonlySet<ByteString> {
  const found = new Set<ByteString>();
  for (const path of fs.all()) {
    const version = groupOf(library, path);
    if (version !== null && counts(path)) found.add(version);
  }
  return found;
}

function groupOf(pattern: RegExp, path: Path): ByteString | null {
  return path.match(pattern)?.[1] ?? null;
}
