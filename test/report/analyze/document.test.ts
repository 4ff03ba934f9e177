import { describe, expect, it } from 'vitest';
import { analysisDocument } from '../../../src/report/analyze/document.ts';
import { renderAnalysisMarkdown } from '../../../src/report/analyze/markdown.ts';
import { renderAnalysisText } from '../../../src/report/analyze/text.ts';
import { pageOfAnalysis } from '../../../src/report/page/of-analysis.ts';
import { plainStyle } from '../../../src/report/style.ts';
import { analysisSchema } from '../../../src/report/analyze/schema.ts';
import { renderJson } from '../../../src/report/json.ts';
import type { Analysis } from '../../../src/analyze/analysis.ts';
import { expectHarmless, expectNoMarkup } from '../../support/hostile-text.ts';
import { hostile, sample } from './sample.ts';

const tool = { name: 'ocislim', version: '0.1.0' };
const printed = (analysis: Analysis): string => [...renderJson(analysisDocument(analysis, tool))].join('');

describe('the JSON of an analysis', () => {
  it.each([
    ['of a whole one', sample],
    ['of a quick one', { ...sample, findings: [], surface: null, savings: null }],
    ['of a hostile one', hostile],
  ])('conforms to its schema: %s', (_, analysis) => {
    const parsed = analysisSchema.parse(JSON.parse(printed(analysis)));
    expect(parsed).toEqual(analysisDocument(analysis, tool));
  });

  it('has the command of a finding ready to copy, and its arguments', () => {
    const [finding] = analysisDocument(sample, tool).findings;
    expect(finding?.command).toBe(
      'ocislim prune registry.example/team/app:1 registry.example/team/app:1-slim --shadowed',
    );
    expect(finding?.arguments).toEqual(['prune', '--shadowed']);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('has null where a share is %s', (wastedUserPercent) => {
    const analysis = { ...sample, dive: { ...sample.dive, wastedUserPercent } };
    expect(analysisSchema.parse(JSON.parse(printed(analysis))).dive.wastedUserPercent).toBeNull();
  });

  it('has names exactly, and nothing that a terminal or a CI log acts on', () => {
    const text = printed(hostile);
    expectHarmless(text, 'JSON');
    expect(analysisSchema.parse(JSON.parse(text)).largestFiles[0]?.path).toBe(
      Buffer.from(hostile.largestFiles[0]?.path ?? '', 'latin1').toString(),
    );
  });
});

it('no report shows the secrets of instructions', () => {
  const layers = sample.layers.map((one) => ({ ...one, instruction: 'RUN API_KEY=abcdef make' }));
  const analysis = { ...sample, layers };
  const texts = [
    printed(analysis),
    renderAnalysisMarkdown(analysis, 10),
    renderAnalysisText(analysis, { style: plainStyle, width: 120, top: 10 }),
    JSON.stringify(pageOfAnalysis(analysis, null, tool)),
  ];
  for (const text of texts) {
    expect(text).toContain('RUN API_KEY=*** make');
    expect(text).not.toContain('abcdef');
  }
});

describe('the Markdown of an analysis', () => {
  const text = renderAnalysisMarkdown(sample, 10);

  it('has what to do, savings and layers', () => {
    expect(text).toContain('**2.9 MB**, copied by a change of owner or mode: RUN chown -R');
    expect(text).toContain(
      '- `ocislim prune registry.example/team/app:1 registry.example/team/app:1-slim --shadowed`\n',
    );
    expect(text).toContain('| 2 | 2.0 MB | 6.0 MB | 5.7 MB | 0 B | 120.0 kB | `RUN chown -R 1000 /app` |');
  });

  it('joins the commands of several findings into one', () => {
    const docs = sample.findings.map((one) => ({ ...one, command: ['prune', '--preset', 'docs'] }));
    const both = renderAnalysisMarkdown({ ...sample, findings: [...sample.findings, ...docs] }, 10);
    expect(both).toMatch(
      /^All of these removals in one command: `ocislim prune \S+ \S+ --shadowed --preset docs`$/m,
    );
  });

  it('has no markup of an image', () => {
    const text = renderAnalysisMarkdown(hostile, 10);
    expect(text).toContain('mark');
    expectNoMarkup(text, 'Markdown');
  });
});
