import { describe, expect, test } from 'vitest';
import type { Savings } from '../../../src/analyze/analysis.ts';
import { analyzed, imageOfSteps } from '../../support/analyze.ts';
import { buildImage } from '../../support/image-builder.ts';
import { tar } from '../../support/model/shorthand.ts';
import { openScene } from '../../support/scene.ts';
import { designedImage } from '../../support/small-image.ts';

/** Text that packs, different for each seed. */
function text(length: number, seed: number): string {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 'aeinrst \n'.charAt((state >>> 24) % 9);
  }).join('');
}

const images = {
  small: designedImage(),
  repeated: buildImage({
    layers: [
      tar('app/', `app/a=${text(200_000, 1)}`, `var/lib/apt/lists/x=${text(100_000, 2)}`),
      tar('app/', `app/a=${text(200_000, 3)}`),
      tar('app/', `app/b=${text(50_000, 4)}`),
    ],
  }),
  plain: imageOfSteps([
    { row: 'ADD', entries: [`a=${text(100_000, 5)}`] },
    { row: 'ADD', entries: [`a=${text(90_000, 6)}`] },
  ]),
};
type Name = keyof typeof images;

const scene = openScene(() => images);

/** Bytes by which small blobs may be off in addition: what a file of gzip begins and ends with. */
const slack = 64;

describe('what each command would save is what it saves', () => {
  test.each(Object.keys(images) as Name[])('of the image %s', async (name) => {
    const { analysis } = await analyzed(images[name], { samples: true });
    const savings = analysis.savings as Savings;
    for (const key of ['squash', 'prune', 'recompress'] as const) {
      const { command, transferBytes, error, unpackedBytes } = savings[key];
      const [verb = '', ...options] = command;
      const report = await scene.report(verb, scene.at(name), scene.at(`${name}-${key}`, 'out'), ...options);
      const layers = report.platforms[0]?.layers ?? [];
      const sum = (of: (layer: (typeof layers)[number]) => number) =>
        layers.reduce((total, layer) => total + of(layer), 0);
      const before = sum((layer) => layer.before.reduce((total, { size }) => total + size, 0));
      const after = sum((layer) => layer.after?.size ?? 0);
      expect(Math.abs(before - after - transferBytes), key).toBeLessThanOrEqual(
        error + slack * layers.length,
      );
      const tars = analysis.layers.reduce((total, { tarBytes }) => total + tarBytes, 0);
      const unpacked = sum((layer) => layer.after?.uncompressedSize ?? 0);
      if (layers.every((each) => typeof each.after?.uncompressedSize === 'number'))
        expect(tars - unpacked, key).toBe(unpackedBytes);
    }
  });
});

test('a command that would save nothing says so', async () => {
  const { analysis } = await analyzed(buildImage({ layers: [tar('a=1')] }), { samples: true });
  expect(analysis.savings).toMatchObject({
    squash: { transferBytes: 0, error: 0, unpackedBytes: 0 },
    prune: { transferBytes: 0, unpackedBytes: 0 },
  });
});

test('a quick analysis takes no samples', async () => {
  const { analysis } = await analyzed(images.small, { samples: true, quick: true });
  expect(analysis.savings).toBeNull();
});
