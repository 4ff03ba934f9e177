/**
 * The rule for locales (locale(7)). `families.ts` lists it; `gconv.ts` asks it for the character sets of the environment.
 */
import { ascii, type ByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { baseOf, join, type Path, parentOf, rootPath, cleanPath, rootPaths } from '../../bytes/path.ts';
import type { ClosureContext, ClosureRule, Need } from '../rule.ts';
import { variable } from './configuration.ts';

/** The directories of locales: of glibc, and of musl-locales. */
const homes = rootPaths('usr/lib/locale', 'usr/share/locale', 'usr/share/i18n/locales/musl');

/** A locale as an environment names it: language[_territory][.codeset][@modifier] (POSIX XBD 8.2). */
export interface LocaleName {
  /** The variable that names it: "LC_ALL". */
  readonly variable: string;
  /** The whole name: "de_DE.ISO-8859-15@euro". */
  readonly name: string;
  readonly codeset: string | null;
  readonly modifier: string | null;
}

/** Returns the locales that the environment of an image names, without "C" and "POSIX", which need no files. */
export function localesOf({ runtime: { environment } }: ClosureContext): readonly LocaleName[] {
  const names: LocaleName[] = [];
  for (const [variable, value] of environment) {
    if (variable !== 'LANG' && variable !== 'LANGUAGE' && !/^LC_[A-Z]+$/.test(variable)) continue;
    for (const name of variable === 'LANGUAGE' ? value.split(':') : [value]) {
      if (name === '' || name === 'C' || name === 'POSIX') continue;
      const [, codeset = null] = name.match(/\.([^@]+)/) ?? [];
      const [, modifier = null] = name.match(/@(.+)$/) ?? [];
      names.push({ variable, name, codeset, modifier });
    }
  }
  return names;
}

/** Keeps the locales that the environment names, and C.UTF-8 whole if a part of it was used. */
export const localeRule: ClosureRule = {
  name: 'locale',
  describe:
    'The locales in LANG and LC_*, or the archive of locales for one without a directory; the whole locale C.UTF-8, if a file of it was used. Translated messages stay only if they were used.',
  *roots(context): Generator<Need> {
    const { fs } = context;
    for (const locale of localesOf(context)) {
      const detail = ascii`${utf8Bytes(locale.variable)} is ${utf8Bytes(locale.name)}`;
      let found = false;
      for (const home of [...homes, cleanPath(variable('LOCPATH', context))])
        for (const name of spellingsOf(locale)) {
          const path = join(home, name);
          if (home === '' || fs.resolve(path).path === null) continue;
          // A directory in share/locale without LC_CTYPE has translations only, which a locale works without.
          if (home === 'usr/share/locale' && fs.resolve(join(path, ascii`LC_CTYPE`)).path === null) continue;
          found = true;
          yield { path, detail, below: true };
        }
      if (!found) yield { path: ascii`usr/lib/locale/locale-archive`, detail };
      yield { path: ascii`usr/share/locale/locale.alias`, detail, strength: 'whole' };
    }
  },
  *follow(path, context): Generator<Need> {
    if (!path.startsWith('usr/lib/locale/') || context.usesOf(path) === 0) return;
    const directory = baseOf(parentOf(path)) === 'LC_MESSAGES' ? parentOf(parentOf(path)) : parentOf(path);
    if (!/^C\.utf-?8$/i.test(baseOf(directory))) return;
    const strength = 'whole';
    yield { path: directory, detail: ascii`one locale, of which /${path} was used`, below: true, strength };
    if (context.fs.kind(rootPath`usr/share/locale/locale.alias`) !== null)
      yield {
        path: ascii`usr/share/locale/locale.alias`,
        detail: ascii`read with a locale, and /${path} was used`,
        strength,
      };
  },
};

/** Returns whether a file is a part of a locale. Packages with many locales stay whole without them. */
export function isLocale(path: Path): boolean {
  return path.startsWith('usr/lib/locale/');
}

/**
 * Returns the names under which glibc looks for the directory of a locale (locale/findlocale.c): as written, with its codeset
 * normalized (utf8), and without it.
 */
function spellingsOf({ name, codeset, modifier }: LocaleName): ReadonlySet<ByteString> {
  const bare = name.replace(/[.@].*$/, '');
  const at = modifier === null ? '' : `@${modifier}`;
  const spellings = new Set([name]);
  if (codeset !== null) {
    const letters = codeset.toLowerCase().replace(/[^a-z0-9]/g, '');
    spellings.add(`${bare}.${/^\d+$/.test(letters) ? `iso${letters}` : letters}${at}`);
    spellings.add(`${bare}.${codeset.toUpperCase()}${at}`);
  }
  if (bare !== 'C') spellings.add(`${bare}${at}`).add(bare);
  return new Set([...spellings].filter((spelling) => !/[/\0]|^\.*$/.test(spelling)).map(utf8Bytes));
}
