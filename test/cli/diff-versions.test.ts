import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { diffSchema } from '../../src/report/diff/schema.ts';
import { buildImage } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';

const layer = (name: string) => writeTar([specOf(`${name}=${name.repeat(1000)}`)]);
const imageOf = (...names: readonly string[]) => buildImage({ layers: names.map(layer) });
const images = { '1': imageOf('a', 'b', 'c'), '2': imageOf('a', 'x', 'c'), '3': imageOf('a', 'x', 'd') };
const scene = openScene(() => images);

test('diff --also says what a client of each version downloads for each other', async () => {
  const page = scene.path('versions.html');
  const args = ['diff', scene.at('1'), scene.at('3'), '--also', scene.at('2')];
  const json = await scene.succeed(...args, '--format', 'json', '--summary', '--report', page);
  const [platform] = diffSchema.parse(JSON.parse(json)).platforms;
  const [one, two, three] = await Promise.all(['1', '2', '3'].map((tag) => scene.read(tag)));
  const config = (image: typeof one) => image?.manifest.config.size ?? 0;
  const sizeIn = (image: typeof one, i: number) => image?.manifest.layers[i - 1]?.size ?? 0;
  expect(platform?.versions?.map(({ name }) => name)).toEqual([scene.at('1'), scene.at('2'), scene.at('3')]);
  expect(platform?.versions?.[0]?.downloads).toEqual([
    { blob: 0, prefix: 0 },
    { blob: config(two) + sizeIn(two, 2), prefix: config(two) + sizeIn(two, 2) + sizeIn(two, 3) },
    {
      blob: config(three) + sizeIn(three, 2) + sizeIn(three, 3),
      prefix: config(three) + sizeIn(three, 2) + sizeIn(three, 3),
    },
  ]);
  // A and B are those of the comparison itself.
  const [blob, prefix] = platform?.downloads ?? [];
  const [toB] = [platform?.versions?.[0]?.downloads.at(-1)];
  expect([toB?.blob, toB?.prefix]).toEqual([blob?.transferBytes, prefix?.transferBytes]);
  expect(await readFile(page, 'utf8')).toContain('From version to version, by chain of layers');
  expect(await scene.succeed(...args, '--summary')).toContain('for 3');
  expect(await scene.succeed(...args, '--summary', '--format', 'markdown')).toContain('for 3');
});
