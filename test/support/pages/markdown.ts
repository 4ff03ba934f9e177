/**
 * Reads the Markdown pages of this repository as far as tests need it: fenced blocks with the marks above them, links, headings.
 * test/pages/examples.test.ts runs the blocks, test/project/links.test.ts follows the links.
 */

/** A fenced block of a page. */
export interface Block {
  /** The line of its first fence, from 1. */
  readonly line: number;
  /** The word after the fence. Empty: none. */
  readonly language: string;
  readonly text: string;
  /** What it needs that tests do not have, by the visible mark above it. Null: it is run. */
  readonly needs: string | null;
  /** Whether the mark above it says that it is what the block before it prints. */
  readonly isPrinted: boolean;
  /** The test that runs it, or that compares it with what is printed, where the mark above it names one. Default: null. */
  readonly heldBy: string | null;
}

/** The visible mark of a block that tests do not run. */
const notRun = /^\*Not run in the tests: needs (.+)\.\*$/;
/** The mark of a block that holds what the one before it prints. */
const printed = '<!-- prints -->';
/** The mark of a block that a test of its own holds. */
const held = /^<!-- (?:run|printed) by (\S+) -->$/;

/** Returns the fenced blocks of a page, in their order. */
export function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const opening = /^( *)```(\w*)$/.exec(lines[i] ?? '');
    if (opening === null) continue;
    const [, indent = '', language = ''] = opening;
    const end = lines.indexOf(`${indent}\`\`\``, i + 1);
    if (end < 0) throw new Error(`the block of line ${i + 1} has no end`);
    const mark = (lines.slice(0, i).findLast((line) => line.trim() !== '') ?? '').trim();
    blocks.push({
      line: i + 1,
      language,
      text: lines
        .slice(i + 1, end)
        .map((line) => line.slice(indent.length))
        .join('\n'),
      needs: notRun.exec(mark)?.[1] ?? null,
      isPrinted: mark === printed,
      heldBy: held.exec(mark)?.[1] ?? null,
    });
    i = end;
  }
  return blocks;
}

/** Returns the targets of the links and pictures of a page. Code holds no links. */
export function linksOf(markdown: string): readonly string[] {
  return [...withoutCode(markdown).matchAll(/\]\(<?([^)\s>]+)>?\)/g)].map(([, target = '']) => target);
}

/** Returns the anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutBlocks(markdown).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '').replaceAll(' ', '-');
    let number = 0;
    while (anchors.has(number === 0 ? anchor : `${anchor}-${number}`)) number++;
    anchors.add(number === 0 ? anchor : `${anchor}-${number}`);
  }
  return anchors;
}

function withoutBlocks(markdown: string): string {
  return markdown.replaceAll(/^( *)```[^]*?^\1```$/gm, '');
}

function withoutCode(markdown: string): string {
  return withoutBlocks(markdown).replaceAll(/(`+)[^`].*?\1/g, '`code`');
}
