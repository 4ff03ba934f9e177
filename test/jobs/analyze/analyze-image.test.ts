import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lawRuns } from '../../laws/rig.ts';
import { analyzed } from '../../support/analyze.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { buildImage, type ImageRecipe } from '../../support/image-builder.ts';
import { applyLayers } from '../../support/model/filesystem.ts';
import { type Short, tar } from '../../support/model/shorthand.ts';
import { designedImage, paths } from '../../support/small-image.ts';

const imageOf = (layers: readonly (readonly Short[])[], recipe: Partial<ImageRecipe> = {}) =>
  buildImage({ layers: layers.map((entries) => tar(...entries)), compress: 'none', ...recipe });

test('law: bytes are those that the model sees, and the rest is reclaimable', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), async ({ layers }) => {
      const { analysis } = await analyzed(
        buildImage({ layers: layers.map((layer) => layer.tar), compress: 'none' }),
        {
          quick: true,
        },
      );
      const model = [...applyLayers(layers.map((layer) => layer.model))].filter(([path]) => path !== '');
      const files = new Set(model.flatMap(([, node]) => (node.kind === 'file' ? [node.inode] : [])));
      const { totals } = analysis;
      expect(totals.visibleFiles).toBe(files.size);
      expect(totals.visibleDirectories).toBe(model.filter(([, { kind }]) => kind === 'dir').length);
      expect(totals.visibleBytes + totals.reclaimableBytes).toBe(totals.contentBytes);
      expect(totals.tarBytes).toBe(layers.reduce((sum, layer) => sum + layer.tar.length, 0));
      for (const layer of analysis.layers)
        expect(layer.shadowedBytes).toBeLessThanOrEqual(layer.contentBytes);
      expect(analysis.layers.map(({ entries }) => entries)).toEqual(layers.map(({ model }) => model.length));
    }),
    { numRuns: lawRuns() },
  );
});

describe('of the small image', () => {
  test('image, layers, largest paths and surface are told', async () => {
    const { analysis, scanned } = await analyzed(designedImage());
    expect(analysis.image).toMatchObject({ name: 'a.test/app:1', platform: 'linux/amd64' });
    expect(analysis.layers.map(({ number }) => number)).toEqual([...scanned.indexes.keys()]);
    const [first] = analysis.largestFiles;
    expect(first?.bytes).toBe(Math.max(...analysis.largestFiles.map(({ bytes }) => bytes)));
    expect(analysis.surface?.files.setuid.map(({ path }) => path)).toContain(paths.setuid);
    expect(analysis.savings).toBeNull();
  });

  test('a quick analysis has the same sizes and dive numbers, and leaves out what needs contents', async () => {
    const whole = (await analyzed(designedImage())).analysis;
    const { analysis } = await analyzed(designedImage(), { quick: true });
    expect(analysis).toMatchObject({ dive: whole.dive, findings: [], packages: [], surface: null });
    expect(analysis.totals).toEqual({ ...whole.totals, duplicateBytes: 0 });
    expect(analysis.largestFiles).toEqual(whole.largestFiles);
  });
});

test('an analysis survives JSON', async () => {
  const { analysis } = await analyzed(imageOf([['a=1'], ['a=2']]));
  expect(JSON.parse(JSON.stringify(analysis))).toEqual(analysis);
});

describe('the largest directories', () => {
  test('are told without those that hold little but one directory', async () => {
    const { analysis } = await analyzed(
      imageOf([
        [`usr/lib/app/data=${'x'.repeat(900)}`, `usr/lib/app/code/a=${'x'.repeat(500)}`, 'etc/a=1234'],
      ]),
    );
    expect(analysis.largestDirectories.map(({ path, bytes, files }) => [path, bytes, files])).toEqual([
      ['usr/lib/app', 1400, 2],
      ['usr/lib/app/code', 500, 1],
      ['etc', 4, 1],
    ]);
  });

  test('count a file of several names once, and tell the layer only where it is one', async () => {
    const { analysis } = await analyzed(
      imageOf([
        ['a/x=1234', 'a/y->a/x'],
        ['a/z=1', 'b/z=1'],
      ]),
    );
    expect(analysis.largestDirectories).toEqual([
      { path: 'a', bytes: 5, files: 2, layer: null },
      { path: 'b', bytes: 1, files: 1, layer: 2 },
    ]);
  });
});

describe('packages', () => {
  const status = (name: string, version: string) =>
    `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nArchitecture: all\n`;

  test('are measured, each with the layer that carries most of it', async () => {
    const { analysis } = await analyzed(
      imageOf([
        [
          'etc/os-release=ID=debian\nVERSION_ID=12\n',
          'var/lib/dpkg/',
          `var/lib/dpkg/status=${status('small', '1')}`,
        ],
        [
          `var/lib/dpkg/status=${status('small', '1')}\n${status('large', '2')}`,
          'var/lib/dpkg/info/small.list=/usr/s\n',
          'var/lib/dpkg/info/large.list=/usr/l\n/usr/m\n',
          'usr/s=123',
          `usr/l=${'x'.repeat(100)}`,
          'usr/m->usr/l',
        ],
      ]),
    );
    expect(
      analysis.packages.map(({ name, version, bytes, layer }) => [name, version, bytes, layer]),
    ).toMatchObject([
      ['large', '2', expect.any(Number), 2],
      ['small', '1', expect.any(Number), 2],
    ]);
    expect(analysis.packages[0]?.bytes).toBeGreaterThanOrEqual(100);
    expect(analysis.packages[0]?.purl).toMatch(/^pkg:deb\/debian\/large@2/);
  });
});
