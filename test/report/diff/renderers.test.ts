import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ignorable, type ImageDiff } from '../../../src/analyze/diff/image-diff.ts';
import { renderJson } from '../../../src/report/json.ts';
import { diffDocument } from '../../../src/report/diff/document.ts';
import { renderDiffMarkdown } from '../../../src/report/diff/markdown.ts';
import {
  diffFormats,
  diffRendererFor,
  diffRendererOf,
  diffSuffixes,
} from '../../../src/report/diff/renderers.ts';
import { diffSchema } from '../../../src/report/diff/schema.ts';
import { renderDiffText } from '../../../src/report/diff/text.ts';
import { plainStyle } from '../../../src/report/style.ts';
import { expectHarmless, expectNoMarkup } from '../../support/hostile-text.ts';
import { compareTrees } from '../../support/diff-images.ts';
import { buildImage } from '../../support/image-builder.ts';
import { tar } from '../../support/model/shorthand.ts';
import { hostileDiff, sampleDiff } from './sample.ts';

const tool = { name: 'ocislim', version: '1.2.3' };

function textOf(diff: ImageDiff, options: { top?: number; summary?: boolean } = {}): string {
  return [...renderDiffText(diff, { top: 20, summary: false, style: plainStyle, ...options })].join('');
}

function jsonOf(diff: ImageDiff, summary = false): string {
  return [...renderJson(diffDocument(diff, tool, { summary }))].join('');
}

/** What the two renderers make of the sample. */
const golden = (name: string) =>
  readFileSync(new URL(`../../../fixtures/diff/${name}`, import.meta.url), 'utf8');

describe('the sample', () => {
  it('as text shows sizes, downloads and lists, and ends with the verdict', async () => {
    expect(textOf(await sampleDiff())).toBe(golden('sample.txt'));
  });

  it('as Markdown has a headline, and the rest to unfold', async () => {
    expect(renderDiffMarkdown(await sampleDiff(), { top: 20, summary: false })).toBe(golden('sample.md'));
  });
});

/** Returns a Markdown text without its fenced blocks, which end as CommonMark says (section 4.5). */
function withoutFences(text: string): string {
  const kept: string[] = [];
  let fence: string | null = null;
  for (const line of text.split('\n')) {
    const [, ticks = ''] = /^ {0,3}(`{3,})(?:diff)?\s*$/.exec(line) ?? [];
    if (fence === null && ticks !== '') fence = ticks;
    else if (fence === null) kept.push(line);
    else if (/^ {0,3}`+\s*$/.test(line) && ticks.length >= fence.length) fence = null;
  }
  expect(fence).toBe(null);
  return kept.join('\n');
}

describe.each([
  ['as it is', sampleDiff],
  ['with all entries of layers', () => sampleDiff({ layers: true })],
  ['with patches', () => sampleDiff({ patch: true })],
  ['with everything ignored', () => sampleDiff({ ignored: [...ignorable] })],
  ['of hostile images', () => hostileDiff({ layers: true, patch: true })],
])('a comparison %s', (_, make) => {
  it('is JSON by its schema, whole and as a summary', async () => {
    const diff = await make();
    const whole = diffSchema.parse(JSON.parse(jsonOf(diff)));
    expect(whole.platforms[0]?.files).toHaveLength(diff.platforms[0]?.files.length ?? -1);
    const summary = diffSchema.parse(JSON.parse(jsonOf(diff, true)));
    expect(summary.platforms[0]).not.toHaveProperty('files');
    expect(summary.verdict).toEqual(whole.verdict);
  });

  it('is harmless text, JSON and Markdown', async () => {
    const diff = await make();
    expectHarmless(textOf(diff), 'text');
    expectHarmless(jsonOf(diff), 'json');
    const markdown = renderDiffMarkdown(diff, { top: 20, summary: false });
    expectHarmless(markdown, 'markdown');
    expectNoMarkup(withoutFences(markdown), 'markdown');
  });
});

describe('patches', () => {
  it('are shown in text and in Markdown, and are no markup', async () => {
    const diff = await sampleDiff({ patch: true });
    const patch = '--- a/etc/motd\n+++ b/etc/motd\n@@ -1,2 +1,2 @@\n hello\n-world\n+there\n';
    expect(diff.platforms[0]?.files.find(({ path }) => path === 'etc/motd')?.patch).toBe(patch);
    expect(textOf(diff)).toContain(`\n${patch}`);
    expect(renderDiffMarkdown(diff, { top: 20, summary: false })).toContain(`\`\`\`diff\n${patch}\`\`\``);
  });
});

describe('patches of odd texts', () => {
  it('keep tabs and blank lines, and have escapes for the rest', async () => {
    const image = (word: string) => {
      const body = new TextEncoder().encode(`\t${word}\r\n\u001b[1m\n::x\n\n`);
      return buildImage({ layers: [tar({ name: 'f', body })] });
    };
    const { diff } = await compareTrees(image('a'), image('b'), { patch: true });
    const shown = '@@ -1,4 +1,4 @@\n-\ta\\r\n+\tb\\r\n \\x1b[1m\n \\x3a:x\n \n';
    expect(textOf(diff)).toContain(shown);
    expect(renderDiffMarkdown(diff, { top: 20, summary: false })).toContain(`${shown}\`\`\``);
  });
});

describe('lists', () => {
  it('show the largest rows in their order, and say how many more there are', async () => {
    const text = textOf(await sampleDiff(), { top: 1 });
    expect(text).toContain('/bin/app');
    expect(text).not.toContain('/etc/motd');
    expect(text).toContain('… and 3 more');
    const markdown = renderDiffMarkdown(await sampleDiff(), { top: 1, summary: false });
    expect(markdown).toContain('… and 3 more.');
  });

  it('are not as wide as one long name: it alone reaches beyond its column, whole', async () => {
    const long = `${'deep/'.repeat(40)}file`;
    const image = (body: string) => buildImage({ layers: [tar(`a=${body}`, `${long}=${body}`)] });
    const rows = textOf((await compareTrees(image('1'), image('2'))).diff).split('\n');
    expect(rows.filter((row) => row.includes(long))).toEqual([expect.stringMatching(/file  content/)]);
    expect(rows.find((row) => row.includes(' /a '))).toMatch(/^ {4}~ .{0,80}content/);
  });

  it('are left out of a summary', async () => {
    const diff = await sampleDiff();
    expect(textOf(diff, { summary: true })).not.toContain('/bin/app');
    expect(renderDiffMarkdown(diff, { top: 20, summary: true })).not.toContain('<details>');
  });
});

it('each format has a renderer, and each suffix', () => {
  expect(diffFormats.map((format) => diffRendererOf(format)?.format ?? null)).toEqual([
    null,
    ...diffFormats.slice(1),
  ]);
  expect(diffSuffixes.map((suffix) => diffRendererFor(`report${suffix}`)?.suffix)).toEqual(diffSuffixes);
  expect(diffRendererFor('report.txt')).toBe(null);
});
