/**
 * The order of Alpine's versions: apk-package(5), "Package version". `versions.ts` asks for it.
 */
import { compareDigits, compareTexts } from './digits.ts';

/** The suffixes below a version without one, and those above it. */
const suffixes = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];

interface Version {
  readonly numbers: readonly string[];
  readonly letter: string;
  readonly suffixes: readonly { readonly name: string; readonly number: string }[];
  readonly revision: string;
}

const grammar = /^([0-9]+(?:\.[0-9]+)*)([a-z]?)((?:_[a-z]+[0-9]*)*)(?:~[0-9a-f]+)?(?:-r([0-9]+))?$/;

/** Compares two versions `1.2.3a_rc1-r4`; null where one has another form. */
export function compareApk(a: string, b: string): number | null {
  const [left, right] = [parse(a), parse(b)];
  if (left === null || right === null) return null;
  return (
    compareNumbers(left.numbers, right.numbers) ||
    compareTexts(left.letter, right.letter) ||
    compareSuffixes(left.suffixes, right.suffixes) ||
    compareDigits(left.revision, right.revision)
  );
}

function parse(text: string): Version | null {
  const match = grammar.exec(text);
  if (match === null) return null;
  const [, numbers = '', letter = '', rest = '', revision = ''] = match;
  const named = [...rest.matchAll(/_([a-z]+)([0-9]*)/g)].map(([, name = '', number = '']) => ({
    name,
    number,
  }));
  if (named.some(({ name }) => !suffixes.includes(name))) return null;
  return { numbers: numbers.split('.'), letter, suffixes: named, revision };
}

/** Compares the first numbers by value; later ones with a leading zero are fractions. */
function compareNumbers(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [was, is] = [a[i], b[i]];
    if (was === undefined || is === undefined) return was === undefined ? -1 : 1;
    const isFraction = i > 0 && (was.startsWith('0') || is.startsWith('0'));
    const order = isFraction ? compareTexts(was, is) : compareDigits(was, is);
    if (order !== 0) return order;
  }
  return 0;
}

function compareSuffixes(a: Version['suffixes'], b: Version['suffixes']): number {
  const none = { name: '', number: '' };
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [was, is] = [a[i] ?? none, b[i] ?? none];
    const order =
      suffixes.indexOf(was.name) - suffixes.indexOf(is.name) || compareDigits(was.number, is.number);
    if (order !== 0) return order;
  }
  return 0;
}
