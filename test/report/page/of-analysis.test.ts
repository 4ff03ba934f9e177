import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CollectedFiles } from '../../../src/report/page/collect-files.ts';
import { imageFilesSteps } from '../../../src/report/page/files-of-image.ts';
import { pageOfAnalysis } from '../../../src/report/page/of-analysis.ts';
import type { FateGroup } from '../../../src/report/page/page.ts';
import { atOnce } from '../../../src/steps.ts';
import { analyzed } from '../../support/analyze.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { expectHarmless } from '../../support/hostile-text.ts';
import { buildImage } from '../../support/image-builder.ts';
import { lawRuns, levelled } from '../../laws/rig.ts';
import { hostile, sample } from '../analyze/sample.ts';
import { textsIn } from './texts.ts';

const tool = { name: 'ocislim', version: '0.1.0' };

/** Adds up the bytes of the rows of some groups. */
function bytesOf({ table, fates }: CollectedFiles, groups: readonly FateGroup[]): number {
  return table.sizes.reduce((sum, size, row) => {
    const group = fates[table.fates[row] as number]?.group;
    return sum + (group !== undefined && groups.includes(group) ? size : 0);
  }, 0);
}

describe('the page of an analysis', () => {
  const page = pageOfAnalysis(sample, null, tool);
  const [image] = page.images;

  test('begins with sizes, the time of a pull, and the waste', () => {
    const figures = Object.fromEntries((image?.figures ?? []).map(({ label, before }) => [label, before]));
    expect(figures).toEqual({
      'Transfer size': 3_000_000,
      'Pull at 100 Mbit/s': 0.24,
      Visible: 5_800_000,
      Files: 8,
      Layers: 2,
      Reclaimable: 2_900_000,
      "dive's efficiency": 0.666_666,
    });
  });

  test('says what to do with the instruction, the fix and the command', () => {
    expect(image?.actions).toEqual([
      {
        bytes: 2_900_000,
        what: 'Copied by a change of owner or mode: RUN chown -R 1000 /app carries 8 files of layer 1 again, whose contents it does not change.',
        places: ['/app/data (2.9 MB)'],
        instruction: 'COPY . /app',
        dockerfile: 'COPY --chown=1000:1000 . /app',
        command: 'ocislim prune registry.example/team/app:1 registry.example/team/app:1-slim --shadowed',
      },
    ]);
  });

  test('has tables of savings, packages, the attack surface and what dive counts', () => {
    expect(image?.tables.map(({ title, rows }) => [title, rows.length])).toEqual([
      ['What each command would save, by itself', 3],
      ['Packages', 2],
      ['Attack surface', 4],
      ['Wasted, as dive counts', 1],
    ]);
  });

  test('lists at most 200 paths that dive calls inefficient, and says how many are left out', () => {
    const [one] = sample.dive.inefficient;
    const inefficient = Array.from({ length: 1200 }, () => one as NonNullable<typeof one>);
    const many = { ...sample, dive: { ...sample.dive, inefficient } };
    const table = pageOfAnalysis(many, null, tool).images[0]?.tables.at(-1);
    expect(table?.rows).toHaveLength(200);
    expect(table?.note).toMatch(/1,000 paths of fewer bytes are left out/);
  });

  test('has no text that acts on a terminal or a CI log, whatever the image holds', () => {
    const texts = [...textsIn(pageOfAnalysis(hostile, null, tool))];
    for (const text of texts) expectHarmless(text, text);
    expect(texts.filter((text) => text.includes('mark')).length).toBeGreaterThan(10);
  });
});

test('the files of an analysis add up to its bytes: all, hidden and duplicate ones', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), fc.boolean(), async (stack, isLevelled) => {
      const layers = isLevelled ? levelled(stack) : stack.layers.map(({ tar }) => tar);
      const { analysis, scanned } = await analyzed(buildImage({ layers, compress: 'none' }));
      const files = atOnce(imageFilesSteps(scanned));
      const { totals } = analysis;
      expect(bytesOf(files, ['kept', 'duplicate', 'hidden'])).toBe(totals.contentBytes);
      expect(bytesOf(files, ['hidden'])).toBe(totals.reclaimableBytes);
      expect(bytesOf(files, ['duplicate'])).toBe(totals.duplicateBytes);
    }),
    { numRuns: lawRuns({ share: 0.15 }) },
  );
});
