import { describe, expect, test } from 'vitest';
import { manualPages } from '../../../scripts/release/man/pages.ts';
import { type Block, escapeText, renderPage } from '../../../scripts/release/man/roff.ts';
import { commands } from '../../../src/cli/commands/all.ts';
import { listOptions } from '../../../src/settings/option.ts';

const foot = { day: '2026-11-30', source: 'ocislim 1.2.3' };
const render = (...blocks: readonly Block[]) =>
  renderPage({ name: 'ocislim-try', purpose: 'try it', blocks }, foot).split('\n').slice(4, -1);

describe('a manual page', () => {
  test('begins with its title and its name', () => {
    expect(renderPage({ name: 'ocislim-try', purpose: 'try it', blocks: [] }, foot).split('\n')).toEqual([
      expect.stringMatching(/^\.\\"/),
      '.TH "OCISLIM\\-TRY" "1" "2026-11-30" "ocislim 1.2.3" "User Commands"',
      '.SH NAME',
      'ocislim\\-try \\- try it',
      '',
    ]);
  });

  test('has sentences in lines of their own, and words between backticks in bold', () => {
    expect(render({ kind: 'paragraph', text: 'Use `--last 2`. See e.g. this: It works.' })).toEqual([
      '.PP',
      'Use \\fB\\-\\-last 2\\fR.',
      'See e.g. this:',
      'It works.',
    ]);
  });

  test('has no gap below a heading', () => {
    const text = { kind: 'paragraph', text: 'It works.' } as const;
    expect(render({ kind: 'section', title: 'Description' }, text, text)).toEqual([
      '.SH "DESCRIPTION"',
      'It works.',
      '.PP',
      'It works.',
    ]);
  });

  test('has command lines as they are typed', () => {
    expect(render({ kind: 'lines', lines: ['ocislim prune --keep "a\\b"', '.hidden'] })).toEqual([
      '.PP',
      '.RS 4',
      '.nf',
      'ocislim prune \\-\\-keep "a\\eb"',
      '\\&.hidden',
      '.fi',
      '.RE',
    ]);
  });

  test('has terms with one text or more', () => {
    expect(render({ kind: 'entry', term: '-t REF', texts: ['Names it.', 'More.'] })).toEqual([
      '.TP',
      '\\fB\\-t REF\\fR',
      'Names it.',
      '.IP',
      'More.',
    ]);
  });

  test.each([
    ['a\\b', 'a\\eb'],
    ['--tag', '\\-\\-tag'],
    ["it's `it`", 'it\\(aqs \\(gait\\(ga'],
    ['~/.zshrc ^', '\\(ti/.zshrc \\(ha'],
    ['sha256:… 😀', 'sha256:\\[u2026] \\[u1F600]'],
  ])('escapes %j', (text, escaped) => {
    expect(escapeText(text)).toBe(escaped);
  });
});

describe('the manual of ocislim', () => {
  const pages = manualPages(commands).map((page) => ({ name: page.name, text: renderPage(page, foot) }));

  test('has a page of the program and one of each command, which the first lists', () => {
    expect(pages.map(({ name }) => name)).toEqual([
      'ocislim',
      ...commands.map(({ name }) => `ocislim-${name}`),
    ]);
    for (const { name } of commands) expect(pages[0]?.text).toContain(`\\fBocislim ${name}\\fR`);
  });

  test.each(commands)('tells all options of $name, and its examples', ({ name, options, examples }) => {
    const text = pages.find((page) => page.name === `ocislim-${name}`)?.text ?? '';
    for (const option of listOptions(options)) expect(text).toContain(escapeText(`--${option.name}`));
    for (const [line] of examples) expect(text).toContain(escapeText(line));
  });

  test.each(pages)('$name holds nothing but ASCII, and requests that man(7) has', ({ text }) => {
    expect(text).toMatch(/^[\n -~]*$/);
    const requests = [...text.matchAll(/^\.(\S*)/gm)].map(([, request]) => request);
    const known = new Set(['\\"', 'TH', 'SH', 'SS', 'PP', 'RS', 'RE', 'nf', 'fi', 'TP', 'IP']);
    expect(requests.filter((request) => !known.has(request ?? ''))).toEqual([]);
    expect(text).not.toMatch(/^'/m);
  });
});
