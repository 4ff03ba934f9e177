import { escapeText } from './escape.ts';

/** Renders a table of GitHub-flavoured Markdown. `r` in `alignment` aligns a column to the right. Cells are Markdown already. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  alignment: string,
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (alignment[i] === 'r' ? '--:' : '---'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Renders items of Markdown as a list. */
export function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

/** Renders blocks that a reader can unfold. `summary` is plain text without markup. */
export function details(summary: string, blocks: readonly string[]): string[] {
  return [`<details><summary>${summary}</summary>`, ...blocks, '</details>'];
}

/**
 * Renders text as code. Backticks and `|` (where GitHub splits tables even inside code) have no escape in a code span, so text
 * with either is written with entities, which are never markup.
 */
export function code(text: string): string {
  const safe = escapeText(text);
  if (safe === '') return '';
  if (!/[`|]/.test(safe)) return /^ .* $/.test(safe) ? `\` ${safe} \`` : `\`${safe}\``;
  return `<code>${safe.replace(/[^\w /-]|_/gu, (character) => `&#${character.codePointAt(0)};`)}</code>`;
}

/** Escapes text so that no character of it is markup, a mention or an entity. */
export function escapeMarkdown(text: string): string {
  return escapeText(text)
    .replace(/[\\`*_{}[\]()#+!|~>]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('@', '&#64;')
    .replace(/:(?=\/\/)/g, '&#58;')
    .replace(/\bwww\./gi, (www) => `${www.slice(0, 3)}&#46;`);
}
