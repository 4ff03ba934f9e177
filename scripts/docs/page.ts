/** The parts of Markdown that all generated pages are made of. */

const note = '<!-- Written by "npm run docs". Edit the source, not this page. -->';

/** Joins the parts of a page, below the note that it is generated. Empty parts are left out. */
export function page(parts: readonly string[]): string {
  return `${[note, ...parts.filter((part) => part !== '')].join('\n\n')}\n`;
}

/** Renders a table; without rows nothing. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Renders a fenced block of this language. */
export function fenced(language: 'sh' | 'text', lines: string): string {
  return `\`\`\`${language}\n${lines}\n\`\`\``;
}

/** Escapes prose for a table: pipes would end the cell, and angle brackets would be HTML. */
export function text(line: string): string {
  return line.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** Makes a sentence of a line of help: a capital at its beginning, and a full stop. */
export function sentence(line: string): string {
  return `${line.charAt(0).toUpperCase()}${line.slice(1)}${/[.:]$/.test(line) ? '' : '.'}`;
}

/** Makes Markdown of a text of the help: links to pages (`docs/limits.md`) from this folder of docs/, options and variables as code. */
export function markdownOf(line: string, folder: '' | 'commands'): string {
  const up = folder === '' ? '' : '../';
  const parts = line.split('`');
  return parts
    .map((part, i) =>
      i % 2 === 1 ? part : asCode(part).replaceAll(/\bdocs\/([\w-]+)\.md\b/g, `[$1](${up}$1.md)`),
    )
    .join('`');
}

/** Marks options, variables of the environment and commands in quotation marks as code. */
function asCode(prose: string): string {
  return prose.replaceAll(
    /"((?:ocislim|prune|slim|strace|trace) [^"]+)"|(?<![\w-])--[a-z][\w-]*|\$[A-Z]\w*/g,
    (whole, line?: string) => `\`${line ?? whole}\``,
  );
}

/** Returns the anchor of a heading, as GitHub makes it of plain words. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- ]/gu, '')
    .replaceAll(' ', '-');
}
