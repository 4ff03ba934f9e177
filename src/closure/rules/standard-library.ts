/**
 * The standard libraries of interpreters. Where no trace shows what a program uses of its language, all of the library stays; else the
 * interpreter starts and then finds no module. `untraced.ts` and the rule for packages ask it.
 */
import { ascii, type ByteString } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf, rootPath } from '../../bytes/path.ts';
import type { ClosureContext, Need } from '../rule.ts';

/** An interpreter, and where its library is below the prefix that it was installed to: /usr, /usr/local. */
interface Language {
  /** The file name of the interpreter, with symlinks followed. */
  readonly program: RegExp;
  /** The directories of the library, relative to the prefix. */
  readonly library: RegExp;
  /** What of them no program imports by itself: tests, documents, packages that were installed later, and compiled copies. */
  readonly without: RegExp;
}

const languages: readonly Language[] = [
  {
    program: /^python[23](?:\.\d+)?[a-z]?$/,
    library: /^lib(?:64)?\/python[23](?:\.\d+)?[a-z]?$/,
    without:
      /\/(?:site-packages|dist-packages|__pycache__|tests?|idlelib|idle_test|tkinter|turtledemo|lib2to3|ensurepip|config-[^/]*)\//,
  },
  {
    program: /^perl(?:5[\d.]*)?$/,
    library:
      /^(?:lib|lib64|share)\/(?:[^/]+-linux-[^/]+\/)?(?:perl-base|perl\/5[\d.]*|perl5\/(?:5[\d.]*|core_perl))$/,
    without: /\.pod$|\/(?:pod|t)\/|\/CORE\//,
  },
  {
    program: /^ruby(?:[\d.]+)?$/,
    library: /^lib\/(?:[^/]+-linux-[^/]+\/)?ruby\/(?:vendor_ruby|[\d.]+)$/,
    without: /\/(?:test|spec)\//,
  },
];

/** The most levels from a prefix to the library of a language. */
const depth = 4;

/** Yields the standard library of an interpreter, whole; nothing for another program. The path is literal. */
export function* standardLibraryOf(path: Path, { fs }: Pick<ClosureContext, 'fs'>): Generator<Need> {
  const language = languages.find(({ program }) => program.test(baseOf(path)));
  if (language === undefined) return;
  // On systems that were not merged, /bin/python3 has its library below /usr.
  const own = parentOf(parentOf(path));
  for (const prefix of own === '' ? [rootPath`usr`] : [own])
    for (const top of topsOf(prefix, language, fs)) {
      const detail = ascii`of the standard library of /${path}, which runs what no trace shows`;
      for (const file of fs.below(top))
        if (fs.kind(file) !== 'directory' && !language.without.test(file))
          yield { path: file, detail, strength: 'whole' };
    }
}

/** Yields the directories of the library of a language below a prefix. */
function* topsOf(prefix: Path, { library }: Language, fs: ClosureContext['fs']): Generator<Path> {
  const ahead: [Path, number][] = ['lib', 'lib64', 'share'].map((name) => [
    join(prefix, name as ByteString),
    1,
  ]);
  for (const [directory, level] of ahead) {
    if (fs.kind(directory) !== 'directory') continue;
    if (library.test(directory.slice(prefix.length + 1))) yield directory;
    else if (level < depth)
      for (const child of fs.children(directory))
        if (level > 1 || /(?:-linux-|^(?:python|perl|ruby))/.test(baseOf(child)))
          ahead.push([child, level + 1]);
  }
}
