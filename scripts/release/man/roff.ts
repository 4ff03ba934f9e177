/**
 * Writes manual pages in the macros of man(7), which groff and mandoc read alike. `pages.ts` says what stands in them. Texts are
 * plain sentences; a word between backticks is set in bold, and one in capitals is left as it is.
 */

/** A part of a manual page. */
export type Block =
  | { readonly kind: 'section' | 'group'; readonly title: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  /** Command lines, set as they are typed. */
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  /** A term with what it means. */
  | { readonly kind: 'entry'; readonly term: string; readonly texts: readonly string[] };

/** A manual page. */
export interface Page {
  /** The name of the file without its section: `ocislim-slim`. */
  readonly name: string;
  /** What it is about, in one line without a full stop. */
  readonly purpose: string;
  readonly blocks: readonly Block[];
}

/** What stands at the foot of every page. */
export interface Foot {
  /** The day, `2026-11-30`. */
  readonly day: string;
  /** The program and its version. */
  readonly source: string;
}

/** Renders a page of section 1. */
export function renderPage({ name, purpose, blocks }: Page, { day, source }: Foot): string {
  // mandoc reads the day only where its dashes are not escaped.
  const title = `${argument(name.toUpperCase())} "1" "${day}" ${argument(source)} "User Commands"`;
  const lines = [
    '.\\" Written by "npm run release". Edit the tables of options, not this page.',
    `.TH ${title}`,
    '.SH NAME',
    `${escapeText(name)} \\- ${escapeText(purpose)}`,
    ...blocks.flatMap((block, i) => linesOf(block, isHeading(blocks[i - 1]) ? [] : ['.PP'])),
  ];
  return `${lines.join('\n')}\n`;
}

function isHeading(block: Block | undefined): boolean {
  return block?.kind === 'section' || block?.kind === 'group';
}

/** @param gap what stands between a block and the one above it, which headings bring themselves */
function linesOf(block: Block, gap: readonly string[]): readonly string[] {
  switch (block.kind) {
    case 'section':
      return [`.SH ${argument(block.title.toUpperCase())}`];
    case 'group':
      return [`.SS ${argument(block.title)}`];
    case 'paragraph':
      return [...gap, ...prose(block.text)];
    case 'lines':
      return [
        ...gap,
        '.RS 4',
        '.nf',
        ...block.lines.map((line) => protectedLine(escapeText(line))),
        '.fi',
        '.RE',
      ];
    case 'entry':
      return ['.TP', boldLine(block.term), ...entryTexts(block.texts)];
  }
}

/** Sets the texts of an entry, each but the first as a paragraph of its own below the term. */
function entryTexts(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text, i) => (i === 0 ? prose(text) : ['.IP', ...prose(text)]));
}

/** Sets a paragraph, a sentence in each line. */
function prose(text: string): readonly string[] {
  return text
    .trim()
    .split(/(?<=[.:;]) +(?=[A-Z"])|\n+/)
    .map((sentence) => protectedLine(styled(sentence)));
}

/** Sets words between backticks in bold. */
function styled(text: string): string {
  return text
    .split(/`([^`]+)`/)
    .map((part, i) => (i % 2 === 0 ? escapeText(part) : `\\fB${escapeText(part)}\\fR`))
    .join('');
}

function boldLine(term: string): string {
  return protectedLine(`\\fB${escapeText(term)}\\fR`);
}

/** Escapes what roff would act on. Every other character than those of ASCII is named by its code point. */
export function escapeText(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll(/[^ -~]/gu, (character) => `\\[u${hex(character)}]`);
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

/** Keeps a line from being taken for a request. */
function protectedLine(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

/** Sets an argument of a macro. */
function argument(text: string): string {
  return `"${escapeText(text).replaceAll('"', '\\(dq')}"`;
}
