import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inspect } from '../../src/commands/index.ts';
import { callCli, pipeCli } from '../support/cli.ts';
import { buildImage, buildIndex, digestOf } from '../support/image-builder.ts';
import { specOf } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { openScene } from '../support/scene.ts';

const imageFor = (architecture: string) =>
  buildImage({
    layers: ['a=1', 'b=2'].map((entry) => writeTar([specOf(entry)])),
    platform: { os: 'linux', architecture },
    annotations: { note: 'mine' },
  });
const [amd64, arm64] = [imageFor('amd64'), imageFor('arm64')];
const index = buildIndex({ images: [amd64, arm64], attestations: true });
const scene = openScene(() => ({ one: amd64, index }));

describe('of one image', () => {
  test('documents, layers and sizes are shown', async () => {
    const shown = JSON.parse(await scene.succeed('inspect', scene.at('one'))) as unknown;
    expect(shown).toMatchObject({
      name: scene.at('one'),
      kind: 'image',
      digest: amd64.descriptor.digest,
      size: amd64.manifest.length,
      images: [
        {
          digest: amd64.descriptor.digest,
          platform: 'linux/amd64',
          layers: amd64.layers.map(({ digest, size }, i) => ({
            number: i + 1,
            digest,
            diffId: amd64.diffIds[i],
            transferBytes: size,
          })),
          manifest: JSON.parse(Buffer.from(amd64.manifest).toString()) as unknown,
          config: JSON.parse(Buffer.from(amd64.config).toString()) as unknown,
        },
      ],
    });
  });

  test('programs get the same data', async () => {
    const shown = JSON.parse(await scene.succeed('inspect', scene.at('one'))) as object;
    const outcome = await inspect(scene.at('one'));
    expect(JSON.parse(JSON.stringify(outcome))).toEqual({
      children: null,
      artifact: null,
      referrers: null,
      ...shown,
    });
  });

  test.each([
    ['{{.Digest}}', amd64.descriptor.digest],
    ['{{.Architecture}}/{{.Os}}', 'amd64/linux'],
    ['{{.Env}}', '[PATH=/usr/bin:/bin]'],
    ['{{json .Labels}}', '{"made":"for a test"}'],
    ['{{.Config.Cmd}}', '[/bin/sh]'],
    ['{{json .RootFS.Layers}}', JSON.stringify(amd64.diffIds)],
    ['{{.Layers}}', `[${amd64.layers.map(({ digest }) => digest).join(' ')}]`],
    ['{{.Id}}', digestOf(amd64.config)],
  ])('the template %s gives what skopeo and docker give', async (template, value) => {
    expect(await scene.succeed('inspect', scene.at('one'), '--format', template)).toBe(value);
  });
});

describe('of an index', () => {
  test('all rows are shown, each attestation with its image, and each image whole', async () => {
    const shown = await inspect(scene.at('index'));
    expect(shown.kind).toBe('index');
    expect(shown.children?.map(({ kind, platform, about }) => [kind, platform, about])).toEqual([
      ['image', 'linux/amd64', null],
      ['image', 'linux/arm64', null],
      ['attestation', 'unknown/unknown', amd64.descriptor.digest],
      ['attestation', 'unknown/unknown', arm64.descriptor.digest],
    ]);
    expect(shown.images.map(({ digest }) => digest)).toEqual([
      amd64.descriptor.digest,
      arm64.descriptor.digest,
    ]);
  });

  test('a platform chooses the images, and all rows stay', async () => {
    const shown = await inspect(scene.at('index'), { platform: [{ os: 'linux', architecture: 'arm64' }] });
    expect(shown.images.map(({ digest }) => digest)).toEqual([arm64.descriptor.digest]);
    expect(shown.children).toHaveLength(4);
  });

  test('a template gives a line for each image', async () => {
    const printed = await scene.succeed(
      'inspect',
      scene.at('index'),
      '--format',
      '{{.Architecture}} {{.Digest}}',
    );
    expect(printed.split('\n')).toEqual([
      `amd64 ${amd64.descriptor.digest}`,
      `arm64 ${arm64.descriptor.digest}`,
    ]);
  });
});

describe('exact bytes', () => {
  const digestFor = async (...args: readonly string[]) =>
    digestOf((await pipeCli(['inspect', ...args], new Uint8Array())).stdout);

  test('are those of the manifest, index or config', async () => {
    expect(await digestFor(scene.at('one'), '--raw')).toBe(amd64.descriptor.digest);
    expect(await digestFor(scene.at('index'), '--raw')).toBe(index.descriptor.digest);
    expect(await digestFor(scene.at('index'), '--raw', '--platform', 'linux/arm64')).toBe(
      arm64.descriptor.digest,
    );
    expect(await digestFor(scene.at('one'), '--config')).toBe(digestOf(amd64.config));
  });

  test('go to a file', async () => {
    const file = scene.path('manifest.json');
    expect(await scene.succeed('inspect', scene.at('one'), '--raw', '--output', file)).toBe('');
    expect(readFileSync(file)).toEqual(Buffer.from(amd64.manifest));
  });

  test.each([
    [['--config'], 'index', '--platform'],
    [['--raw', '--config'], 'one', 'give one of them'],
  ])('of several documents are refused: %j', async (options, tag, told) => {
    const { status, stderr } = await callCli(['inspect', scene.at(tag), ...options]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(told) as string]);
  });
});

test('an artifact is shown by its manifest', async () => {
  const config = Buffer.from('{}');
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'text/x-note',
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: [],
    }),
  );
  const descriptor = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(manifest),
    size: manifest.length,
  };
  const blobs = new Map([config, manifest].map((bytes) => [digestOf(bytes), bytes] as const));
  await scene.writeLayout({ note: { descriptor, blobs } }, 'notes');
  const shown = await inspect(scene.at('note', 'notes'));
  expect(shown).toMatchObject({ kind: 'artifact', images: [], artifact: { artifactType: 'text/x-note' } });
  const { status, stderr } = await callCli(['history', scene.at('note', 'notes')]);
  expect([status, stderr]).toEqual([1, expect.stringContaining('[UNSUPPORTED]') as string]);
});
