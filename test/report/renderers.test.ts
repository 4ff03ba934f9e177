import { describe, expect, test } from 'vitest';
import { rendererFor, reportSuffixes } from '../../src/report/renderers.ts';
import { sample } from './sample.ts';

describe('renderers of reports', () => {
  test.each([
    ['r.json', 'JSON', '{'],
    ['a/b.md', 'Markdown', '# '],
    ['out.env', 'variables', 'image='],
  ])('%s gets a %s report', async (file, name, start) => {
    const renderer = rendererFor(file);
    expect(renderer?.name).toBe(name);
    const content = (await renderer?.render(sample, [])) ?? '';
    const text = typeof content === 'string' ? content : Array.from(content).join('');
    expect(text.startsWith(start)).toBe(true);
  });

  test.each(['r.txt', 'json', 'r.json.gz', 'r.MD'])(
    '%s gets no report, since no renderer has its suffix',
    (file) => {
      expect(rendererFor(file)).toBeNull();
    },
  );

  test('each suffix belongs to its own renderer', () => {
    expect(reportSuffixes.map((suffix) => rendererFor(`report${suffix}`)?.suffix)).toEqual(reportSuffixes);
  });
});
