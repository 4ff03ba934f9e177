import { expect } from 'vitest';

/** Texts that drive a terminal, make a line that a CI service takes for a command, or look like something else. */
export const nasty = [
  'mark',
  '\u001b[2J\u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007',
  '\r\n::set-output name=a::b\n::add-mask::x\n  - ::error::y\n',
  '##vso[task.setvariable variable=a]b ##[error]c ##teamcity[d]',
  '\u009b31m\u0085\u2028::warning::e\u2029',
  '\u202egnp.exe\u2066\u200b\u{e0041}\ufeff\u00ad',
  '\\n::debug::f\\n  - g',
  '|`x`|</details><script>alert(1)</script>![i](http://evil.example/i.png)[l](javascript:1)@someone',
].join(' ');

/** Such texts that are short enough for a file name and have no slash. */
export const nastyName = [
  'mark\u001b[2J\u001b]8;;http:\u0007\r\n::add-mask::x\n  - y\n##vso[task]##[error]',
  '\u009b31m\u0085\u2028::warning::e\u202e\u2066\u200b\u{e0041}\ufeff\\n::debug::f|`x`|<script>[l](javascript:1)@someone',
].join(' ');

/** Such texts that an HTTP header can hold. */
export const nastyHeader =
  'mark \u009b31m\u0085 ::set-output name=a::b ##vso[task.setvariable variable=a]b ##[error]c';

const dangerous =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

/**
 * Asserts that a text neither drives a terminal nor gives a command to a CI service. Tabs and line ends of our own
 * are allowed.
 */
export function expectHarmless(text: string, where: string): void {
  for (const line of text.split('\n')) {
    expect(line.replaceAll('\t', ''), where).not.toMatch(dangerous);
    expect(line, where).not.toMatch(/^\s*::/);
    expect(line, where).not.toMatch(/##(?:\w*)\[/);
  }
}

/**
 * Asserts the same of a Markdown text, and that nothing foreign in it is markup, a link, an image, a mention or an
 * element.
 */
export function expectNoMarkup(text: string, where: string): void {
  expectHarmless(text, where);
  // These elements are our own, and code spans hold no markup.
  const outside = text.replace(/`[^`\n]*`/g, '').replace(/<\/?(?:details|summary|code|br)>/g, '');
  expect(outside, where).not.toMatch(/<[a-z/!]/i);
  expect(outside, where).not.toMatch(/(?<!\\)\]\(/);
  expect(outside, where).not.toMatch(/(?<![\w\\])@\w/);
  // GitHub turns these into links.
  expect(outside, where).not.toMatch(/(?:https?|ftp):\/\/|www\./i);
  // A row of a table has as many cells as its head.
  let cells = 0;
  for (const line of text.split('\n')) {
    const pieces = line.startsWith('|') ? line.split(/(?<!\\)\|/).length : 0;
    if (cells !== 0 && pieces !== 0) expect([line, pieces], where).toEqual([line, cells]);
    cells = pieces;
  }
}
