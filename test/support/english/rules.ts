/**
 * The rules for the English of the sources, as far as a program can hold them. test/project/english.test.ts applies
 * them to every room.
 */
import { commentBefore, type Comment, type Node, type Source } from './source.ts';

/** A breach of a rule for the English of the sources. */
export interface Breach {
  readonly line: number;
  readonly rule: string;
  readonly text: string;
}

type Rule = (source: Source) => Iterable<{ readonly at: number; readonly text: string }>;

/** Returns what a text says in words: without code spans, quotations and links. */
function wordsOf(text: string): string {
  return text
    .replace(/`[^`]*`/g, '`…`')
    .replace(/"[^"\n]*"|“[^”]*”/g, '"…"')
    .replace(/https?:\S+/g, 'link');
}

/** Returns the number of sentences in a text. An unfinished last one does not count. */
function sentencesIn(text: string): number {
  return wordsOf(text).match(/[.!?]["')]*(?=\s|$)/g)?.length ?? 0;
}

const riddles =
  /\b(?:nobody|whoever|anew|besides|comes to)\b|\bis none\b|(?<!\bthere )\bis no (?!longer\b|more\b|less\b|larger\b|later\b)/i;
/** Nouns for people, which a relative clause may follow. */
const person =
  /(?:\b(?:users?|persons?|people|anyone|someone|somebody|those|one|readers?|authors?|attackers?|developers?|operators?|strangers?),? )$/i;

function riddleIn(text: string): string | null {
  const words = wordsOf(text).replace(/\s+/g, ' ');
  const riddle = riddles.exec(words)?.[0];
  if (riddle !== undefined) return riddle;
  for (const match of words.matchAll(/\bwho\b/gi))
    if (!person.test(words.slice(0, match.index)))
      return words.slice(Math.max(0, match.index - 12), match.index + 16);
  return null;
}

/** Returns the paragraphs of a Markdown text that speak in riddles, each with the riddle. Code and words in italics are not read. */
export function riddlesInMarkdown(text: string): readonly string[] {
  return text
    .replace(/^```[^]*?^```/gm, '')
    .split(/\n(?:\s*\n|(?=[|#-]|\d+\. ))/)
    .flatMap((paragraph) => {
      const riddle = riddleIn(paragraph.replace(/\*[^*\n]+\*/g, ''));
      return riddle === null ? [] : [`"${riddle}" in: ${first(paragraph.trim())}`];
    });
}

function* each<T>(items: Iterable<T>, check: (item: T) => { at: number; text: string } | null) {
  for (const item of items) {
    const found = check(item);
    if (found !== null) yield found;
  }
}

const first = (text: string, length = 70): string => text.replace(/\s+/g, ' ').slice(0, length);
const located = ({ start }: { readonly start: number }, text: string) => ({ at: start, text: first(text) });

const isQuestion = ({ text }: Comment): boolean => /[a-z)`"…]\?(?:\s|$)/i.test(wordsOf(text));

const questioning =
  /^(?:who|whoever|nobody|is|are|does|do|would|whether|what|which|where|when|how|why|can|may|must|has|the|an?|every|each|all|those|these|of|so|one)\b/i;

function isFunction({ type, declaration }: Node): boolean {
  if (!/^Export(?:Named|Default)Declaration$/.test(type)) return false;
  const declared = declaration as Node | null;
  if (declared?.type === 'FunctionDeclaration' || declared?.type === 'TSDeclareFunction') return true;
  if (declared?.type !== 'VariableDeclaration') return false;
  const { init } = (declared['declarations'] as readonly { init: Node | null }[])[0] ?? {};
  return init?.type === 'ArrowFunctionExpression' || init?.type === 'FunctionExpression';
}

function isBooleanField({ type, typeAnnotation }: Node): boolean {
  if (type !== 'TSPropertySignature' && type !== 'PropertyDefinition') return false;
  const annotation = (typeAnnotation as { typeAnnotation?: Node } | null)?.typeAnnotation;
  return annotation?.type === 'TSBooleanKeyword';
}

/** Returns the texts that a person may read: literals and templates of several words. */
function textsIn({ nodes }: Source): readonly { start: number; text: string }[] {
  return nodes.flatMap((node) => {
    const text =
      node.type === 'Literal' && typeof node['value'] === 'string'
        ? node['value']
        : node.type === 'TemplateElement'
          ? (node['value'] as { raw: string }).raw
          : '';
    return / /.test(text) ? [{ start: node.start, text }] : [];
  });
}

const inComments: Record<string, Rule> = {
  'no comment is a question': ({ comments }) =>
    each(comments, (comment) => (isQuestion(comment) ? located(comment, comment.text) : null)),
  'no comment speaks in riddles (who, nobody, is no, anew, …)': ({ comments }) =>
    each(comments, (comment) => {
      const riddle = riddleIn(comment.text);
      return riddle === null ? null : located(comment, `"${riddle}" in: ${comment.text}`);
    }),
  'the comment of an exported function begins with a verb': (source) =>
    each(source.nodes.filter(isFunction), (node) => {
      const comment = commentBefore(source, node);
      return comment !== undefined && questioning.test(comment.text) ? located(comment, comment.text) : null;
    }),
  'the comment of a boolean begins with "Whether"': (source) =>
    each(source.nodes.filter(isBooleanField), (node) => {
      const comment = commentBefore(source, node);
      return comment !== undefined && !/^(?:Whether|Default:)\b/.test(comment.text)
        ? located(comment, comment.text)
        : null;
    }),
};

const atTheTop: Record<string, Rule> = {
  'a file over 60 lines begins with a block comment of two sentences': (source) => {
    if (source.code.split('\n').length <= 61 || beginsWithTwoSentences(source)) return [];
    return [{ at: 0, text: first(source.comments[0]?.text ?? 'no comment') }];
  },
};

/** Returns whether a file begins with a block comment of two sentences or more, before its imports. */
export function beginsWithTwoSentences({ code, comments }: Source): boolean {
  const [opening] = comments;
  if (opening === undefined || !opening.isBlock) return false;
  const isFirst = /^(?:#!.*)?\s*$/.test(code.slice(0, opening.start));
  return isFirst && sentencesIn(opening.text) >= 2;
}

const inTexts: Record<string, Rule> = {
  'no message speaks in riddles (who, nobody, is no, anew, …)': (source) =>
    each(textsIn(source), ({ start, text }) => {
      const riddle = riddleIn(text);
      return riddle === null ? null : located({ start }, `"${riddle}" in: ${text}`);
    }),
};

/** Yields the titles of `it`, `test` and `describe`, with or without `.each`. */
function* titlesIn({ nodes }: Source): Generator<{ start: number; text: string }> {
  for (const { type, start, callee, arguments: args } of nodes) {
    if (type !== 'CallExpression') continue;
    if (!/^(?:it|test|describe)\b/.test(nameOf(callee as Node))) continue;
    const [title] = args as readonly Node[];
    if (title?.type === 'Literal' && typeof title['value'] === 'string')
      yield { start, text: title['value'] };
    if (title?.type === 'TemplateLiteral')
      yield {
        start,
        text: (title['quasis'] as readonly { value: { raw: string } }[])
          .map(({ value }) => value.raw)
          .join('%s'),
      };
  }
}

function nameOf(node: Node): string {
  if (node.type === 'Identifier') return node['name'] as string;
  if (node.type === 'MemberExpression') return nameOf(node['object'] as Node);
  if (node.type === 'CallExpression') return nameOf(node['callee'] as Node);
  return '';
}

const inTitles: Record<string, Rule> = {
  'no title of a test is only the name of its row': (source) =>
    each(titlesIn(source), ({ start, text }) =>
      /[a-z]{2}/i.test(text.replace(/%[sdifjo#%]|\$[\w.]+/g, '')) ? null : { at: start, text },
    ),
  'no title speaks in riddles (who, nobody, is no, anew, …)': (source) =>
    each(titlesIn(source), ({ start, text }) => {
      const riddle = riddleIn(text);
      return riddle === null ? null : located({ start }, `"${riddle}" in: ${text}`);
    }),
};

/** The rules for the program, for its tests, and for what supports them. */
export const sourceRules = { ...inComments, ...atTheTop, ...inTexts };
export const supportRules = { ...inComments, ...atTheTop };
export const testRules = { ...inComments, ...inTitles };

/** Returns what breaches these rules in a source, by line. */
export function breachesOf(source: Source, rules: Readonly<Record<string, Rule>>): readonly Breach[] {
  return Object.entries(rules)
    .flatMap(([rule, find]) =>
      [...find(source)].map(({ at, text }) => ({ line: source.lineAt(at), rule, text })),
    )
    .sort((a, b) => a.line - b.line);
}
