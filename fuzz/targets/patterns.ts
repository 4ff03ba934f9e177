/** The target of globs and rules. The compiled patterns agree with a slow and plain matcher. */
import { createKeepMatcher, createMatcher, literalPath, parseRules } from '../../src/rules/rules.ts';
import { parsePattern } from '../../src/rules/pattern.ts';
import { PatternSet } from '../../src/rules/pattern-set.ts';
import { choiceOf, holds, outcomeNow, same, type Target } from '../target.ts';
import { b, p } from '../../test/support/bytes.ts';

/** A piece of a name in the pattern: one character, any run without a slash, or any run (`**` beside others). */
type Piece = { readonly takes: (character: string) => boolean } | 'run' | 'deep run';
type Part = readonly Piece[] | 'deep';

/** Parses a glob that has been accepted, component by component, as `.dockerignore` defines it. */
function partsOf(glob: string): Part[] {
  const parts: Part[] = [];
  const names = Array.from(glob).reduce<string[][]>(
    (all, character) => {
      const name = all.at(-1) as string[];
      // A class never holds a slash, and a backslash before a slash has no meaning.
      if (character === '/') {
        if (name.at(-1) === '\\' && !isEscaped(name, name.length - 1)) name.pop();
        all.push([]);
      } else name.push(character);
      return all;
    },
    [[]],
  );
  for (const name of names) {
    const text = name.join('').replace(/\\(.)/gsu, '$1');
    if (text === '' || text === '.') continue;
    if (/^\*\*+$/.test(name.join(''))) parts.push('deep');
    else parts.push(piecesOf(name));
  }
  return parts;
}

function isEscaped(name: readonly string[], at: number): boolean {
  let backslashes = 0;
  while (name[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

function piecesOf(name: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  for (let i = 0; i < name.length; i++) {
    const character = name[i] as string;
    if (character === '*') {
      let stars = 1;
      while (name[i + 1] === '*') {
        stars++;
        i++;
      }
      pieces.push(stars > 1 ? 'deep run' : 'run');
    } else if (character === '?') pieces.push({ takes: (other) => other !== '/' });
    else if (character === '[') {
      const negated = name[i + 1] === '^' || name[i + 1] === '!';
      if (negated) i++;
      const members: [string, string][] = [];
      const one = (): string => {
        i++;
        if (name[i] === '\\') i++;
        return name[i] as string;
      };
      while (name[i + 1] !== ']') {
        const low = one();
        let high = low;
        if (name[i + 1] === '-' && name[i + 2] !== ']') {
          i++;
          high = one();
        }
        members.push([low, high]);
      }
      i++;
      const code = (text: string): number => text.codePointAt(0) as number;
      pieces.push({
        takes: (other) =>
          other !== '/' &&
          members.some(([low, high]) => code(low) <= code(other) && code(other) <= code(high)) !== negated,
      });
    } else {
      const literal = character === '\\' ? (name[++i] as string) : character;
      pieces.push({ takes: (other) => other === literal });
    }
  }
  return pieces;
}

/** Matches by a table over both: slow and plain. */
function matches(parts: readonly Part[], path: string): boolean {
  const text = Array.from(path);
  const known = new Map<string, boolean>();
  const from = (part: number, piece: number, at: number): boolean => {
    const key = `${part} ${piece} ${at}`;
    let answer = known.get(key);
    if (answer === undefined) known.set(key, (answer = look(part, piece, at)));
    return answer;
  };
  const look = (part: number, piece: number, at: number): boolean => {
    const here = parts[part];
    if (here === undefined) return false;
    const last = part === parts.length - 1;
    if (here === 'deep') {
      if (last) return at < text.length;
      if (from(part + 1, 0, at)) return true;
      const slash = text.indexOf('/', at);
      return slash >= 0 && from(part, 0, slash + 1);
    }
    const now = here[piece];
    if (now === undefined) return last ? at === text.length : text[at] === '/' && from(part + 1, 0, at + 1);
    if (typeof now === 'string') {
      if (from(part, piece + 1, at)) return true;
      return at < text.length && (now === 'deep run' || text[at] !== '/') && from(part, piece, at + 1);
    }
    return at < text.length && now.takes(text[at] as string) && from(part, piece + 1, at + 1);
  };
  return from(0, 0, 0);
}

function ancestorsOf(path: string): string[] {
  return path.split('/').map((_, i, names) => names.slice(0, i + 1).join('/'));
}

/** Decides as Docker does: the last rule that matches the path or one of the directories above it. */
function slowly(
  rules: readonly { readonly negated: boolean; readonly parts: readonly Part[] }[],
  path: string,
): number {
  const found = rules.findLastIndex(({ parts }) => ancestorsOf(path).some((each) => matches(parts, each)));
  return found >= 0 && rules[found]?.negated === false ? found : -1;
}

export const target: Target = {
  name: 'patterns',
  invariant:
    'rules decide as a slow and plain matcher does, with any budget of states, and take time in proportion to paths and patterns',
  seeds: () =>
    [
      '# rules\n**/*.pyc\n!keep/*.pyc\n\nusr/share/doc\n/etc/[a-c]*.conf\n==\na/b.pyc\nkeep/a.pyc\nusr/share/doc/x\netc/b.conf',
      '*\n!bin\na?b\n\\*x\n[^a-z]\n[!é]b\nx**y\n==\nbin/sh\na/b\n*x\n日b\nx/a/b/y',
      '**/a/**/b\na*a*a*a*b\n**\n!**/c\n==\na/b\nx/a/y/b\naaaaaaaaaaaaaaaaaaaaaaaaac\nd/c',
      './x/./y//z/\n[\\]a-]\nspace \\ \nb[-x]\n==\nx/y/z\n]\n-\nb-',
    ].map((text) => Buffer.from(text)),
  dictionary: [
    '*',
    '**',
    '**/',
    '/**',
    '?',
    '[',
    ']',
    '[^',
    '[a-',
    '\\',
    '!',
    '#',
    '/',
    '\n==\n',
    '\n',
    '..',
    '.',
    ' ',
    'é',
    '日',
    '\xff',
    'a*a*',
    '[[:alpha:]]',
    '\u{1f600}',
  ].map((text) => (text === '\xff' ? text : Buffer.from(text).toString('latin1'))),
  maxBytes: 2048,
  run: (bytes) => {
    const [rulesText = '', pathsText = ''] = Buffer.from(bytes).toString().split('\n==\n', 2);
    const paths = pathsText
      .split('\n')
      .slice(0, 20)
      .map((path) =>
        path
          .split('/')
          .filter((name) => name !== '' && name !== '.')
          .join('/'),
      )
      .filter((path) => path !== '' && path.length < 300);
    const parsed = outcomeNow(() => parseRules(rulesText, 'it'));
    if (parsed.kind === 'refused') return;
    const rules = parsed.value.slice(0, 40);
    const match = createMatcher(rules);
    outcomeNow(() => createKeepMatcher(rules));
    const globs = rules.map(({ text, negated }) =>
      negated ? text.slice(1).replace(/^[ \t\r\n\v\f]+/, '') : text,
    );
    for (const glob of globs) literalPath(glob);
    const plain = rules.map(({ negated }, i) => ({ negated, parts: partsOf(globs[i] as string) }));
    const patterns = globs.map((glob) => parsePattern(glob, 'it'));
    const small = new PatternSet(patterns, (indices) => indices, choiceOf(bytes) % 500);
    for (const path of paths) {
      const byteString = Buffer.from(path).toString('latin1');
      const found = match(p(byteString), 'file');
      same(
        [path, rules.indexOf(found as never)],
        [path, slowly(plain, path)],
        'not the rule that a slow matcher finds',
      );
      const before = small.work;
      const hits: number[] = [];
      small.visit(b(byteString), (indices, own) => own && hits.push(...indices));
      holds(
        small.work - before <= (byteString.length + 2) * (2 * small.size + 2),
        'more work than its bound',
      );
      const expected = plain.flatMap(({ parts }, i) => (matches(parts, path) ? [i] : []));
      same(
        [path, hits.sort((a, b) => a - b)],
        [path, expected],
        'not the patterns that a slow matcher finds',
      );
    }
  },
};
