/**
 * Answers `--explain` for people: why paths stay, or that they go. The lines name rules and strengths, and explain these words behind
 * the last path.
 */
import { ascii, type ByteString, utf8Bytes } from '../bytes/bytes.ts';
import type { Path } from '../bytes/path.ts';
import type { CheckedClosure } from '../closure/close-image.ts';
import { explain } from '../closure/explain.ts';
import type { Strength } from '../closure/rule.ts';
import { OcislimError } from '../errors.ts';
import { createKeepMatcher } from '../rules/rules.ts';
import { displayPath, escapeText } from './escape.ts';

/** The most paths that one pattern explains. */
const mostPaths = 1000;

/** What the words behind a path mean, as docs/closure.md says at more length. */
const strengths: Readonly<Record<Exclude<Strength, 'needed'>, string>> = {
  whole:
    'it belongs to a package, tree or directory of which something is needed; a rule that names it removes it',
  courtesy: 'nothing needs it at run time; a rule that names it removes it',
};

/**
 * Explains in lines for a person why paths stay, or that they go, and then the words of these lines. Each pattern is a path as the user
 * typed it, or a glob.
 */
export function explainPaths(closure: CheckedClosure, patterns: readonly string[]): readonly string[] {
  const words = new Map<string, string>();
  const lines = patterns.flatMap((pattern) => {
    const path = utf8Bytes(pattern);
    // A name may hold the signs of a glob.
    const isName = closure.input.fs.resolve(ascii`/${path}`, { follow: false }).path !== null;
    const matches = isName || !/[*?[]/.test(pattern) ? null : matcherOf(pattern);
    return matches === null
      ? explainPath(closure, path, words)
      : explainGlob(closure, pattern, { matches, words });
  });
  return [...lines, ...[...words].map(([word, meaning]) => `# ${word}: ${escapeText(meaning)}`)];
}

type KeepMatcher = ReturnType<typeof createKeepMatcher>;

/** Returns the matcher of a glob; null for another text. */
function matcherOf(glob: string): KeepMatcher | null {
  try {
    return createKeepMatcher([glob]);
  } catch (error) {
    if (error instanceof OcislimError && error.code === 'RULES_INVALID') return null;
    throw error;
  }
}

function explainGlob(
  closure: CheckedClosure,
  glob: string,
  { matches, words }: { readonly matches: KeepMatcher; readonly words: Map<string, string> },
): readonly string[] {
  const lines: string[] = [];
  let count = 0;
  for (const path of closure.input.fs.all())
    if (matches(path) !== null && ++count <= mostPaths)
      for (const line of explainPath(closure, path, words)) lines.push(line);
  if (count === 0) return [`${escapeText(glob)}: matches nothing in the image`];
  return count > mostPaths ? [...lines, `${escapeText(glob)}: matches ${count - mostPaths} more`] : lines;
}

function explainPath(
  { input, closure, pruning }: CheckedClosure,
  path: ByteString,
  words: Map<string, string>,
): readonly string[] {
  const itself = input.fs.resolve(ascii`/${path}`, { follow: false }).path;
  const shown = displayPath(path);
  if (itself === null) return [`${shown}: not in the image`];
  const lines = explain(closure, itself);
  note(itself, closure, words);
  // A line may quote the config, whose text has more characters than bytes: `escapeText` takes those.
  if (lines.length > 0) return lines.map((line) => escapeText(displayPath(line)));
  return [`${shown}: removed, since nothing that ${escapeText(pruning.trace.name)} saw needs it`];
}

/** Notes the words with which a path is explained. */
function note(path: Path, closure: CheckedClosure['closure'], words: Map<string, string>): void {
  for (const { rule, strength } of closure.chain(path)) {
    const meaning = closure.describe(rule);
    if (meaning !== null) words.set(rule, meaning);
    if (strength !== 'needed') words.set(strength, strengths[strength]);
  }
}
