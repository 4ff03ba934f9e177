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

describe.each([
  ['as it is', sampleDiff],
  ['with all entries of layers', () => sampleDiff({ layers: true })],
  ['with everything ignored', () => sampleDiff({ ignored: [...ignorable] })],
  ['of hostile images', () => hostileDiff({ layers: true })],
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
    expectNoMarkup(renderDiffMarkdown(diff, { top: 20, summary: false }), 'markdown');
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
