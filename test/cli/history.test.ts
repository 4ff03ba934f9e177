import { describe, expect, test } from 'vitest';
import { history } from '../../src/commands/index.ts';
import { callCli } from '../support/cli.ts';
import { buildImage, buildIndex } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';

const layers = ['a=1', 'b=2', 'c=3'].map((entry) => writeTar([specOf(entry)]));
const rows = [
  { created: '2020-01-01T00:00:00Z', created_by: 'ADD a /', comment: 'first' },
  { created: '2020-01-02T00:00:00Z', created_by: 'ENV A=b', empty_layer: true },
  { created: '2020-01-03T00:00:00Z', created_by: 'RUN b' },
  { created: '2020-01-04T00:00:00Z', created_by: 'COPY c /' },
];
const told = buildImage({ layers, config: { history: rows } });
const scene = openScene(() => ({
  told,
  untold: buildImage({ layers, history: 'none' }),
  short: buildImage({ layers, config: { history: rows.slice(0, 2) } }),
  long: buildImage({ layers: layers.slice(0, 1), config: { history: rows } }),
  few: buildImage({ layers, config: { rootfs: { type: 'layers', diff_ids: [] } } }),
  several: buildIndex({
    images: ['amd64', 'arm64'].map((architecture) =>
      buildImage({ layers, platform: { os: 'linux', architecture } }),
    ),
  }),
}));

/** Returns the fields of each line, as a template prints them. */
async function lines(tag: string, template = '{{.Layer}} {{.CreatedBy}}'): Promise<string[]> {
  return (await scene.succeed('history', scene.at(tag), '--format', template)).split('\n');
}

test('the newest step comes first, and layers are numbered from the lowest', async () => {
  expect(await lines('told')).toEqual(['3 COPY c /', '2 RUN b', ' ENV A=b', '1 ADD a /']);
});

test('sizes are those of the blobs, and times those of the rows', async () => {
  const [first] = await lines('told', '{{.CreatedAt}} {{.Size}} {{.ID}}');
  const layer = told.layers[2];
  expect(first).toBe(`2020-01-04T00:00:00Z ${layer?.size} B ${layer?.digest}`);
  expect(await scene.succeed('history', scene.at('told'), '--no-human')).toContain(
    `2020-01-04T00:00:00Z  COPY c /`,
  );
});

test('each layer has a line, whatever the history tells of', async () => {
  const numbers = async (tag: string) => (await lines(tag, '[{{.Layer}}]')).join('');
  expect(await numbers('untold')).toBe('[3][2][1]');
  expect(await numbers('short')).toBe('[3][2][][1]');
  expect(await numbers('long')).toBe('[][][][1]');
});

test('-q prints the digests of the layers', async () => {
  const digests = told.layers.map(({ digest }) => digest).toReversed();
  expect((await scene.succeed('history', scene.at('told'), '-q')).split('\n')).toEqual(digests);
});

test('programs and --format json get the same data', async () => {
  const printed = JSON.parse(await scene.succeed('history', scene.at('told'), '--format', 'json')) as unknown;
  const outcome = await history(scene.at('told'));
  expect(printed).toEqual(outcome);
  expect(outcome.history[3]).toMatchObject({ layer: 1, createdBy: 'ADD a /', comment: 'first' });
});

test('a table by a template is aligned below its headings', async () => {
  expect(await lines('told', 'table {{.Layer}}\\t{{.CreatedBy}}')).toEqual([
    'LAYER  CREATED BY',
    '3      COPY c /',
    '2      RUN b',
    '       ENV A=b',
    '1      ADD a /',
  ]);
});

test('no layer is read: an image whose layers are missing has a history', async () => {
  const { blobs, descriptor } = told;
  const kept = new Map(
    [...blobs].filter(([digest]) => !told.layers.some((layer) => layer.digest === digest)),
  );
  await scene.writeLayout({ bare: { descriptor, blobs: kept } }, 'bare');
  expect(await scene.succeed('history', scene.at('bare', 'bare'))).toContain('COPY c /');
});

test('an image whose config names too few DiffIDs is damaged, and is not called an artifact', async () => {
  const { status, stderr } = await callCli(['history', scene.at('few')]);
  expect(stderr).toMatch(/names 0 DiffIDs, but the manifest has 3 layers \[MANIFEST_INVALID\]/);
  expect(status).toBe(1);
});

describe('of several images', () => {
  test('one must be chosen', async () => {
    const { status, stderr } = await callCli(['history', scene.at('several')]);
    expect([status, stderr]).toEqual([2, expect.stringContaining('--platform') as string]);
  });

  test('the platform chooses', async () => {
    expect(await scene.succeed('history', scene.at('several'), '--platform', 'linux/arm64')).toContain(
      'LAYER',
    );
  });
});

test('a file of -o gets the result, and standard output nothing', async () => {
  const file = scene.path('history.txt');
  expect(await scene.succeed('history', scene.at('told'), '-o', file)).toBe('');
  const { status, stderr } = await callCli([
    'history',
    scene.at('told'),
    '-o',
    scene.path('none/history.txt'),
  ]);
  expect([status, stderr]).toEqual([1, expect.stringContaining('[IO]') as string]);
});

test('an unknown format is refused with those that there are', async () => {
  const { status, stderr } = await callCli(['history', scene.at('told'), '--format', 'yaml']);
  expect([status, stderr]).toEqual([
    2,
    expect.stringContaining('--format takes text, json or a template') as string,
  ]);
});
