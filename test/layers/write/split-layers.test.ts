import { expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { blobOf } from '../../../src/layers/write/sealed-layer.ts';
import { pipe } from '../../../src/image/image.ts';
import { relayer, type RelayerOptions } from '../../../src/slim/relayer.ts';
import { buildImage } from '../../support/image-builder.ts';
import { layerWriting } from '../../support/layer-writing.ts';
import { noise } from '../../support/registry/setup.ts';
import { tar } from '../../jobs/rig.ts';

const all = { kind: 'all' } as const;
const options: RelayerOptions = {
  by: 'path',
  maxLayers: 6,
  maxLayer: null,
  groups: [],
  noise: 'keep',
  previousOf: () => [],
};
const laidOut = pipe(relayer(all, options), recompress(all, { kind: 'none' }));
const built = buildImage({
  layers: [
    tar(...Array.from({ length: 6 }, (_, i) => ({ name: `d${i}/f`, body: noise(120_000 + i) }))),
    tar({ name: 'd1/g', body: noise(500) }),
  ],
});

test.each([
  ['all of them', 1e7, /^$/],
  ['some of them', 800_000, /^layers 1–2: read [2-6] times/],
  ['none of them', 2000, /^layers 1–2: read [2-6] times/],
])('layers have the same bytes where there is room for %s', async (_, memory, warning) => {
  const whole = await layerWriting(built);
  const expected = (await whole.writeParts(laidOut)).map(blobOf);
  const short = await layerWriting(built, { memory });
  expect((await short.writeParts(laidOut)).map(blobOf)).toEqual(expected);
  const warnings = short.events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
  expect(warnings.join('')).toMatch(warning);
  expect(short.target.pending).toBe(0);
});

test('layers that pack worse than was expected are written all the same', async () => {
  // The sources are stated to be tiny, so that the estimate of what the new layers take is far too small.
  const packed = buildImage({
    layers: [tar({ name: 'a/f', body: new Uint8Array(3e6) }, { name: 'b/f', body: noise(9000) })],
    compress: 'gzip',
  });
  const worse = pipe(relayer(all, options), recompress(all, { kind: 'gzip', engine: 'zlib', level: 1 }));
  const whole = await layerWriting(packed);
  const short = await layerWriting(packed, { memory: 40_000 });
  expect((await short.writeParts(worse)).map(blobOf)).toEqual((await whole.writeParts(worse)).map(blobOf));
});
