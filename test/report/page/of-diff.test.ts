import { describe, expect, test } from 'vitest';
import { diffFilesSteps } from '../../../src/report/page/files-of-diff.ts';
import { pageOfDiff } from '../../../src/report/page/of-diff.ts';
import { atOnce } from '../../../src/steps.ts';
import { expectHarmless } from '../../support/hostile-text.ts';
import { hostileDiff, sampleDiff } from '../diff/sample.ts';
import { textsIn } from './texts.ts';

const tool = { name: 'ocislim', version: '0.1.0' };

describe('the page of a comparison', () => {
  test('says the verdict, and compares sizes', async () => {
    const diff = await sampleDiff();
    const page = pageOfDiff(diff, [], tool);
    const [platform] = diff.platforms;
    expect(page.remark).toMatch(/ differs from .*\.$/);
    expect(page.images[0]?.figures[0]).toMatchObject({
      label: 'Transfer size',
      before: platform?.a?.transferBytes,
      after: platform?.b?.transferBytes,
    });
    expect(page.images[0]?.layers).toHaveLength(platform?.layers.length ?? -1);
  });

  test('shows each file that differs on the sides that have it', async () => {
    const { platforms } = await sampleDiff();
    for (const platform of platforms) {
      const { table, fates } = atOnce(diffFilesSteps(platform));
      const sum = (side: 'before' | 'after') =>
        table.sizes.reduce(
          (all, size, row) => all + (fates[table.fates[row] as number]?.[side] === true ? size : 0),
          0,
        );
      const own = platform.files.filter(({ change }) => change !== 'attributes');
      expect(sum('before')).toBe(own.reduce((all, { a }) => all + (a?.bytes ?? 0), 0));
      expect(sum('after')).toBe(own.reduce((all, { b }) => all + (b?.bytes ?? 0), 0));
      expect(sum('before') + sum('after')).toBeGreaterThan(0);
    }
  });

  test('has no text that acts on a terminal or a CI log, whatever the images hold', async () => {
    const diff = await hostileDiff({});
    const names = diff.platforms.flatMap((platform) => atOnce(diffFilesSteps(platform)).table.names);
    for (const text of [...textsIn(pageOfDiff(diff, [], tool)), ...names]) expectHarmless(text, text);
    expect(names.length).toBeGreaterThan(1);
  });
});
