/**
 * Judges profiles: reads their rules for files, and says which rights a path has by them. Written from the section "Globbing" of apparmor.d(5),
 * without a look at the code that makes profiles; the end-to-end tests compare it with what apparmor_parser makes of a profile.
 */
import type { ByteString } from '../../../src/bytes/bytes.ts';

/** The values of variables in /etc/apparmor.d/tunables, as far as profiles of traces use them. */
const variables: Readonly<Record<string, string>> = {
  PROC: '/proc/',
  pid: '{[1-9],[1-9][0-9],[1-9][0-9][0-9],[1-9][0-9][0-9][0-9],[1-9][0-9][0-9][0-9][0-9],[1-9][0-9][0-9][0-9][0-9][0-9]}',
  tid: '{[1-9],[1-9][0-9],[1-9][0-9][0-9],[1-9][0-9][0-9][0-9],[1-9][0-9][0-9][0-9][0-9],[1-9][0-9][0-9][0-9][0-9][0-9]}',
};

interface Rule {
  readonly isDenial: boolean;
  readonly glob: string;
  readonly matches: RegExp;
  readonly rights: string;
}

/** Returns the rules for files of a profile. */
export function rulesIn(profile: string): readonly Rule[] {
  return profile.split('\n').flatMap((line) => {
    const found = /^ *(deny )?(?:"((?:[^"\\]|\\.)*)"|((?:\/|@\{PROC\})\S*)) ([a-z]+),(?: #.*)?$/.exec(line);
    if (found === null) return [];
    const [, denial, quoted, bare = '', rights = ''] = found;
    const glob = quoted ?? bare;
    return [
      { isDenial: denial !== undefined, glob, matches: regexOf(glob), rights: rights.replace('ix', 'x') },
    ];
  });
}

/** Returns which rights the rules of a profile give a path, "rw", sorted by letter. */
export function rightsIn(rules: readonly Rule[]): (path: ByteString) => string {
  return (path) => {
    const allowed = new Set<string>();
    for (const rule of rules)
      if (!rule.isDenial && rule.matches.test(path)) for (const letter of rule.rights) allowed.add(letter);
    for (const rule of rules)
      if (rule.isDenial && rule.matches.test(path)) for (const letter of rule.rights) allowed.delete(letter);
    return [...allowed].sort().join('');
  };
}

/** Turns a pattern into a regular expression over bytes. */
function regexOf(glob: string): RegExp {
  const text = glob
    .replace(/@\{(\w+)\}/g, (_all, name: string) => variables[name] ?? '')
    .replace(/\/+/g, '/');
  let regex = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '\\') {
      const octal = /^[0-7]{3}/.exec(text.slice(i + 1))?.[0];
      regex += exactly(
        octal === undefined ? (text[i + 1] as string) : String.fromCharCode(Number.parseInt(octal, 8)),
      );
      i += octal === undefined ? 1 : 3;
    } else if (char === '*') {
      const isDeep = text[i + 1] === '*';
      if (isDeep) i++;
      const next = text[i + 1];
      // A name that is all `*` is not empty.
      const isWhole = text[isDeep ? i - 2 : i - 1] === '/' && (next === undefined || next === '/');
      regex += isDeep ? (isWhole ? '[^/][^]*' : '[^]*') : isWhole ? '[^/]+' : '[^/]*';
    } else if (char === '?') regex += '[^/]';
    else if (char === '{') regex += '(?:';
    else if (char === '}') regex += ')';
    else if (char === ',' && isInBraces(text, i)) regex += '|';
    else if (char === '[') {
      const end = text.indexOf(']', i);
      regex += text.slice(i, end + 1);
      i = end;
    } else regex += exactly(char);
  }
  return new RegExp(`^(?:${regex})$`);
}

/** Returns whether an offset of a pattern is between braces. */
function isInBraces(text: string, at: number): boolean {
  let depth = 0;
  for (let i = 0; i < at; i++)
    if (text[i] === '\\') i++;
    else if (text[i] === '{') depth++;
    else if (text[i] === '}') depth--;
  return depth > 0;
}

function exactly(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
