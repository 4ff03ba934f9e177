import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../../src/analyze/analysis.ts';
import { renderAnalysisText } from '../../../src/report/analyze/text.ts';
import { colorStyle, plainStyle } from '../../../src/report/style.ts';
import { widthOf } from '../../../src/report/table.ts';
import { expectHarmless } from '../../support/hostile-text.ts';
import { hostile, sample } from './sample.ts';

const render = (analysis: Analysis, width = 100, top = 10): string =>
  renderAnalysisText(analysis, { style: plainStyle, width, top });

describe('the text of an analysis', () => {
  const text = render(sample);

  it('begins with sizes, and says what is reclaimable beside what dive counts', () => {
    expect(text).toMatch(/^registry\.example\/team\/app:1 {2}linux\/amd64\n/);
    expect(text).toMatch(/^reclaimable +2\.9 MB {2}33\.3 % of all contents: files that layers carry/m);
    expect(text).toMatch(/^dive +66\.7 % {2}efficiency as dive counts it: 5\.8 MB wasted, 100\.0 % of/m);
  });

  it('says what to do before anything else, with the fix of the Dockerfile and the command', () => {
    const [, advice = ''] = text.split('\n\nwhat to do\n');
    expect(advice).toMatch(
      /^2\.9 MB {2}copied by a change of owner or mode: RUN chown -R 1000 \/app carries/,
    );
    expect(advice).toContain('        in /app/data\n        Dockerfile: COPY --chown=1000:1000 . /app\n');
    expect(advice).toContain(
      '        ocislim prune registry.example/team/app:1 registry.example/team/app:1-slim --shadowed\n',
    );
    expect(text.indexOf('what to do')).toBeLessThan(text.indexOf('\nlayers\n'));
  });

  it('joins the commands of several findings into one below them', () => {
    const docs = sample.findings.map((one) => ({ ...one, command: ['prune', '--preset', 'docs'] }));
    const both = render({ ...sample, findings: [...sample.findings, ...docs] }, 160);
    expect(both).toMatch(
      /\nAll of these removals in one command:\n {2}ocislim prune \S+:1 \S+:1-slim --shadowed --preset docs\n\n/,
    );
    expect(text).not.toContain('in one command');
  });

  it('tells kept, shadowed and duplicate bytes of each layer apart, with the instruction', () => {
    expect(text).toMatch(/^ +1 +1\.0 MB +3\.0 MB +– +2\.9 MB +– +COPY \. \/app$/m);
    expect(text).toMatch(/^ +2 +2\.0 MB +6\.0 MB +5\.7 MB +– +120\.0 kB +RUN chown -R 1000 \/app$/m);
  });

  it('shows each saving with its error and its command, and a loss as a loss', () => {
    const wide = render(sample, 160);
    expect(wide).toMatch(/^squash +-900\.0 kB ± 40\.0 kB +-2\.9 MB\n {2}ocislim squash \S+ \S+ --all$/m);
    expect(wide).toMatch(/^recompress +\+1\.0 kB +0 B\n {2}ocislim recompress .+ --compression zstd$/m);
  });

  it('names secrets of hidden files, the layer that still has them, and the user that is root', () => {
    expect(text).toContain('/root/.ssh/id_rsa (layer 1, shadowed, and still in the layer)');
    expect(text).toMatch(/^user +root: the config sets no user$/m);
  });

  it('lists at most as many rows as are asked for, and says how many more there are', () => {
    const one = render(sample, 100, 1);
    expect(one).toContain('packages (2)\n');
    expect(one).toMatch(/^ +900 B +1 more$/m);
    expect(one).not.toContain('left-pad');
  });

  it('of a quick analysis has sizes and layers, and says what is missing', () => {
    const quick = render({ ...sample, findings: [], packages: [], surface: null, savings: null });
    expect(quick).toContain('A quick analysis: without --quick there are findings');
    expect(quick).not.toContain('what to do');
    expect(quick).not.toContain('duplicates');
  });

  it('without estimates names the option that asks for them', () => {
    expect(render({ ...sample, savings: null })).toContain('--estimate tells');
    expect(render(sample)).not.toContain('--estimate');
  });

  it('of an image without waste says so, and of one layer shows no share for dive', () => {
    const clean = render({
      ...sample,
      findings: [],
      dive: { ...sample.dive, wastedUserPercent: Number.NaN, inefficient: [] },
    });
    expect(clean).toContain('what to do\nNothing: no waste worth a line was found.');
    expect(clean).not.toContain('NaN');
  });

  it('fits terminals of every width, but for words of commands, and loses no path', () => {
    const property = fc.property(fc.integer({ min: 48, max: 200 }), (width) => {
      const lines = render(sample, width).split('\n');
      const words = ['ocislim', 'registry.example/team/app:1', 'registry.example/team/app:1-slim'];
      for (const line of lines) {
        if (line.split(' ').some((word) => words.includes(word))) continue;
        expect(widthOf(line), line).toBeLessThanOrEqual(width);
      }
      expect(lines.join('').replaceAll(/\s/g, '')).toContain('/app/data');
    });
    fc.assert(property, { numRuns: 40 });
  });

  it('cuts a command between words, with a backslash, so that a shell reads it whole', () => {
    const narrow = render(sample, 60);
    expect(narrow).toContain(
      [
        '        ocislim prune registry.example/team/app:1 \\',
        '          registry.example/team/app:1-slim --shadowed',
      ].join('\n'),
    );
  });

  it.each([40, 80, 160])('gives no name of an image a say over the terminal, in %i columns', (width) => {
    const text = render(hostile, width);
    expect(text).toContain('mark');
    expectHarmless(text, `${width} columns`);
  });

  it('has the same words with colour', () => {
    const painted = renderAnalysisText(sample, { style: colorStyle, width: 100, top: 10 });
    // oxlint-disable-next-line no-control-regex
    expect(painted.replaceAll(/\u001b\[\d+m/g, '')).toBe(text);
    expect(painted).not.toBe(text);
  });
});
