/**
 * Rules for files as AppArmor profiles write them (apparmor.d(5)): a pattern of paths, and what may be done with them. The other
 * files of this folder make, group and sort them; `apparmor.ts` writes them into a profile.
 */

/** Rights to a file. Values are bits. */
export const rights = {
  read: 1,
  write: 2,
  /** File locks. */
  lock: 4,
  /** To be the new name of a hard link. */
  link: 8,
  /** To be mapped as code. */
  map: 16,
  /** To be executed, within the same profile. */
  execute: 32,
} as const;

/** A set of the bits of `rights`. */
export type Rights = number;

/** The letters of rights in the order in which a rule writes them. */
const letters = [
  [rights.map, 'm'],
  [rights.read, 'r'],
  [rights.write, 'w'],
  [rights.lock, 'k'],
  [rights.link, 'l'],
  [rights.execute, 'ix'],
] as const;

/** Whether a pattern stands for files, directories, or both. AppArmor writes a slash behind the path of a directory. */
export type Ending = '' | '/' | '{,/}';

export interface FileRule {
  /**
   * The names of the path from the root on, each written as a pattern: what is special in it is escaped, unless it is meant. The first may be
   * `@{PROC}`, or begin with `anywhere`.
   */
  readonly parts: readonly string[];
  readonly ending: Ending;
  readonly rights: Rights;
}

/** The directory of processes, as tunables of AppArmor call it. Their value ends with a slash. */
export const procDirectory = '@{PROC}';

/** Before a name: in any directory, or in none. */
export const anywhere = '{,**/}';

/** Returns the pattern of a rule. The root is a directory. */
export function patternOf({ parts, ending }: Pick<FileRule, 'parts' | 'ending'>): string {
  if (parts.length === 0) return '/';
  return `${parts[0] === procDirectory ? '' : '/'}${parts.join('/')}${ending}`;
}

/** Characters that need no quotes around a pattern. */
const bare = /^[A-Za-z0-9_./@{}*,-]+$/;

/** Writes a rule as a line without its indentation: `/usr/bin/env mrix,`. */
export function ruleText(rule: FileRule): string {
  const pattern = patternOf(rule);
  const may = letters.filter(([bit]) => (rule.rights & bit) !== 0).map(([, letter]) => letter);
  return `${bare.test(pattern) ? pattern : `"${pattern}"`} ${may.join('')},`;
}

/** Characters of a name that do not stand for themselves in a pattern. */
const special = /[^ !#$%&'()+\-./:;<=>@A-Z_`a-z|~0-9]/g;

/**
 * Writes a name as a pattern that stands for it alone, in ASCII. Whatever means something to the parser, or is not printable, is written as
 * `\ooo`: a backslash before the character does not do at the end of a name in quotes, where `\\"` counts as a quote.
 */
export function literally(name: string): string {
  return name.replace(special, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
