/**
 * Reads a glob as a pattern: a list of tokens. `rules.ts` parses every rule with it, and `pattern-set.ts` matches patterns.
 */
import { type ByteString, utf8Bytes } from '../bytes/bytes.ts';
import { OcislimError } from '../errors.ts';

/**
 * One step of a pattern. Characters are code points; a byte of a name that is not UTF-8 is a character of its own
 * (`invalidByte` + its value), which no literal and no range names.
 */
export type Token =
  | { readonly kind: 'literal'; readonly code: number }
  /** `?`: one character, not `/`. */
  | { readonly kind: 'any' }
  /** `[a-z]`: one character, never `/`; ranges are inclusive pairs. */
  | {
      readonly kind: 'class';
      readonly negated: boolean;
      readonly ranges: readonly (readonly [number, number])[];
    }
  /** `*`: any run without `/`. */
  | { readonly kind: 'star' }
  /** `**` at the end, or next to other characters: any run. */
  | { readonly kind: 'globstar' }
  /** `**` as a component with more to come: nothing, or any run that ends in `/`. */
  | { readonly kind: 'directories' };

/** The name that a pattern without wildcards stands for, or the tokens of one with some. */
export type Pattern = ByteString | readonly Token[];

export const slash = 0x2f;
/** The character that stands for the byte `b` (0x80–0xff) where a name is not UTF-8 is `invalidByte + b`. */
export const invalidByte = 0x110000;

/** Linux refuses longer paths (PATH_MAX), and real globs are shorter. */
export const longestPattern = 4096;

/**
 * Reads a glob with the semantics of `.dockerignore`: anchored at the root, and cleaned as a path (`/a//./b/` is
 * `a/b`). Stricter than Docker where Docker ignores the trouble: `..` and the root itself are refused.
 * @throws RULES_INVALID with `origin` ("--rule", "rules.txt:12") before the sentence.
 */
export function parsePattern(text: string, origin: string): Pattern {
  const fail = (why: string, advice?: string): OcislimError =>
    new OcislimError('RULES_INVALID', `${origin}: ${why}`, advice === undefined ? {} : { advice });
  if (text.length > longestPattern) throw fail(`the rule is longer than ${longestPattern} characters`);
  if (text.includes('\0')) throw fail('the rule holds a NUL byte, which no file name can');
  if (!text.isWellFormed()) throw fail(`${JSON.stringify(text)} is not well-formed Unicode text`);

  if (!/[*?[\\]/.test(text))
    return joinNames(
      text.split('/').filter((name) => name !== '' && name !== '.'),
      text,
      fail,
    );
  const components: Token[][] = [[]];
  const characters = Array.from(text);
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    const component = components.at(-1) as Token[];
    switch (character) {
      case '/':
        components.push([]);
        break;
      case '?':
        component.push({ kind: 'any' });
        break;
      case '*': {
        let stars = 1;
        while (characters[i + 1] === '*') {
          stars++;
          i++;
        }
        component.push({ kind: stars === 1 ? 'star' : 'globstar' });
        break;
      }
      case '[': {
        const { token, end } = parseClass(characters, i, text, fail);
        component.push(token);
        i = end;
        break;
      }
      case '\\': {
        i++;
        const escaped = characters[i];
        if (escaped === undefined)
          throw fail(`${JSON.stringify(text)} ends in a lone backslash`, 'Write \\\\ for a backslash.');
        if (escaped === '/') components.push([]);
        else component.push(literal(escaped));
        break;
      }
      default:
        component.push(literal(character));
    }
  }

  const clean = components.filter((component) => component.length > 0 && spelling(component) !== '.');
  const names = clean.map(spelling);
  if (names.every((name) => name !== null)) return joinNames(names, text, fail);
  if (names.includes('..')) throw climbs(text, fail);
  return join(clean);
}

/** @throws RULES_INVALID for names that are no path below the root */
function joinNames(names: readonly string[], text: string, fail: Fail): ByteString {
  if (names.includes('..')) throw climbs(text, fail);
  if (names.length === 0)
    throw fail(`${JSON.stringify(text)} names no path below the root`, 'Write ** to match everything.');
  return utf8Bytes(names.join('/'));
}

function climbs(text: string, fail: Fail): OcislimError {
  return fail(`${JSON.stringify(text)} climbs with ".."`, 'Rules start at the root of the image.');
}

type Fail = (why: string, advice?: string) => OcislimError;

/** Parses a class as Go's path.Match does, with `!` beside `^`, and with a hyphen at an end standing for itself. */
function parseClass(
  characters: readonly string[],
  start: number,
  text: string,
  fail: Fail,
): { token: Token; end: number } {
  const quoted = JSON.stringify(text);
  let i = start + 1;
  const negated = characters[i] === '^' || characters[i] === '!';
  if (negated) i++;
  const ranges: [number, number][] = [];
  const next = (): number => {
    let character = characters[i++];
    if (character === '\\') character = characters[i++];
    if (character === undefined) throw fail(`a "[" in ${quoted} is never closed`, 'Write \\[ for a bracket.');
    if (character === '/') throw fail(`a class in ${quoted} holds "/", which no class can match`);
    return character.codePointAt(0) as number;
  };
  while (characters[i] !== ']') {
    if (characters[i] === '[' && characters[i + 1] === ':')
      throw fail(`${quoted} uses a named class ([:…:]), which is not known here`);
    const low = next();
    let high = low;
    if (characters[i] === '-' && characters[i + 1] !== ']') {
      i++;
      high = next();
    }
    if (high < low) throw fail(`a range in ${quoted} runs backwards`);
    ranges.push([low, high]);
  }
  if (ranges.length === 0)
    throw fail(`${quoted} has an empty class`, 'Write [\\]] for a class that holds "]".');
  return { token: { kind: 'class', negated, ranges }, end: i };
}

function literal(character: string): Token {
  const code = character.codePointAt(0) as number;
  return asciiLiterals[code] ?? { kind: 'literal', code };
}

/** One token for all that are alike: rule files may have a million lines. */
const asciiLiterals: readonly Token[] = Array.from({ length: 128 }, (_, code) => ({ kind: 'literal', code }));

function join(components: readonly Token[][]): readonly Token[] {
  const tokens: Token[] = [];
  const last = components.length - 1;
  for (const [index, component] of components.entries()) {
    if (component.length === 1 && component[0]?.kind === 'globstar') {
      // "**/**/x" is "**/x", and "**/**" is "**".
      if (tokens.at(-1)?.kind === 'directories') tokens.pop();
      tokens.push({ kind: index === last ? 'globstar' : 'directories' });
      continue;
    }
    for (const token of component) tokens.push(token);
    if (index < last) tokens.push({ kind: 'literal', code: slash });
  }
  return tokens;
}

/** Returns the text that tokens of literals alone stand for; null for other tokens. */
function spelling(tokens: readonly Token[]): string | null {
  let text = '';
  for (const token of tokens) {
    if (token.kind !== 'literal') return null;
    text += String.fromCodePoint(token.code);
  }
  return text;
}
