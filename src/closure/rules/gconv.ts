/**
 * The rule for glibc's converters of character sets (iconv(3)). `families.ts` lists it; `package.ts` asks it which files are converters.
 */
import { ascii, asciiList, type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf } from '../../bytes/path.ts';
import { uses } from '../../trace/trace.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { presentIn } from './present.ts';
import { linesOf } from './configuration.ts';
import { inLibraryDirectories } from '../libraries/directories.ts';
import { localesOf } from './locale.ts';
import { MiB } from '../../units.ts';

/**
 * glibc's converters of character sets have eight megabytes in 250 files. Every program in a UTF-8 locale opens
 * gconv-modules.cache and no converter, so that this file alone keeps none.
 */
export const gconvRule: ClosureRule = {
  name: 'gconv',
  describe:
    'The lists of converters, if a converter of character sets stays; the converters for the character sets in LANG and LC_*. Unless the granularity is `file`: all converters, if one was used, or if a needed program or library converts (iconv).',
  reads: (path) => (/\/gconv\/(?:gconv-modules|gconv-modules\.d\/[^/]*\.conf)$/.test(path) ? MiB : 0),
  *roots(context): Generator<Need> {
    for (const { variable, name, codeset, modifier } of localesOf(context)) {
      if (name.startsWith('C.') || /^utf-?8$/i.test(codeset ?? '')) continue;
      const detail = ascii`a converter of character sets: ${utf8Bytes(variable)} is ${utf8Bytes(name)}`;
      for (const home of inLibraryDirectories(context.fs, ascii`gconv`)) {
        const modules =
          codeset === null ? wholeFamily(home, modifier, context) : modulesOf(codeset, home, context);
        for (const module of modules) yield { path: join(home, module), detail };
      }
    }
  },
  *follow(path, context): Generator<Need> {
    const { fs, granularity } = context;
    if (!isConverter(path)) {
      const converts = context.facts.elf(path)?.imports.has('iconv_open') === true;
      if (granularity === 'file' || !converts || context.strengthOf(path) !== 'needed') return;
      for (const home of inLibraryDirectories(fs, ascii`gconv`))
        yield {
          path: home,
          detail: ascii`the converters, since /${path} converts`,
          below: true,
          strength: 'whole',
        };
      return;
    }
    const home = parentOf(path);
    const why = ascii`with the converter /${path}`;
    const lists = asciiList('gconv-modules.cache', 'gconv-modules', 'gconv-modules.d');
    for (const list of presentIn(fs, home, lists))
      yield { path: list, detail: ascii`the list of converters, ${why}`, below: true };
    if (granularity === 'file' || (context.usesOf(path) & (uses.open | uses.exec)) === 0) return;
    yield { path: home, detail: ascii`the converters, since /${path} was used`, below: true };
  },
};

/** Returns whether a file is a converter. The package of the C library stays whole without them. */
export function isConverter(path: Path): boolean {
  return path.endsWith('.so') && baseOf(parentOf(path)) === 'gconv';
}

/** Returns the converters for a locale without a codeset. Its codeset, mostly of ISO 8859, is named only in its data. */
function wholeFamily(home: Path, modifier: string | null, { fs }: ClosureContext): readonly ByteString[] {
  if (modifier === 'euro') return asciiList('ISO8859-15.so');
  return [...fs.children(home)].map(baseOf).filter((name) => /^ISO8859-\d+\.so$/.test(name));
}

/** Returns the converters for a codeset, by the lines `module FROM// TO// FILE COST` and `alias NAME// NAME//` of gconv-modules. */
function modulesOf(codeset: string, home: Path, context: ClosureContext): ReadonlySet<ByteString> {
  const aliases = new Map<string, string>();
  const files = new Map<string, Set<ByteString>>();
  const lists = [join(home, ascii`gconv-modules`), ...context.fs.below(join(home, ascii`gconv-modules.d`))];
  for (const line of lists.flatMap((list) => linesOf(list, context))) {
    const [kind, from, to, file] = line.split(/\s+/);
    if (kind === 'alias' && from !== undefined && to !== undefined) aliases.set(plain(from), plain(to));
    if (kind !== 'module' || from === undefined || to === undefined || file === undefined) continue;
    for (const set of [from, to]) {
      const known = files.get(plain(set)) ?? new Set();
      files.set(plain(set), known.add(file.endsWith('.so') ? file : ascii`${file}.so`));
    }
  }
  const name = plain(codeset);
  return files.get(aliases.get(name) ?? name) ?? new Set();
}

/** Removes the punctuation of a name: locales write "iso88591" for "ISO-8859-1//". */
function plain(set: string): string {
  return set
    .toUpperCase()
    .replace(/\/.*$/, '')
    .replace(/[^A-Z0-9]/g, '');
}
