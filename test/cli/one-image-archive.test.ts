/** What a docker-archive cannot hold: it has one image, and nothing that an index lists beside it. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { artifactOf, artifacts, blobOf, indexOf, rowOf } from '../support/artifacts.ts';
import { callCli, type CliResult, pipeCli } from '../support/cli.ts';
import { type BuiltTree, buildAttestation, buildIndex, MEDIA_TYPES } from '../support/image-builder.ts';
import { openScene } from '../support/scene.ts';
import { expectOneImage } from '../support/store/docker-archives.ts';
import { smallImage } from '../support/store/local.ts';

const image = smallImage({ compress: 'none' });
const packed = smallImage();
const other = smallImage({ seed: 'other', platform: { os: 'linux', architecture: 'arm64' } });
const signature = artifactOf(blobOf('text/plain', 'key'), [blobOf('text/plain', 'signed')], {
  artifactType: 'application/vnd.example.signature',
  subject: { mediaType: image.descriptor.mediaType, digest: image.descriptor.digest, size: 1 },
});
const cache = blobOf('application/vnd.buildkit.cacheconfig.v0', '{"layers":[]}');
const unknown = blobOf('application/vnd.example.text', 'no JSON at all');
const chart = artifacts['a chart'] as BuiltTree;

/** Images with something beside them, by what it is; what is left out of each. */
const beside: Readonly<Record<string, readonly [tree: BuiltTree, leftOut: readonly BuiltTree[]]>> = {
  'an artifact': [indexOf([image, chart]), [chart]],
  'an artifact before it': [indexOf([chart, packed]), [chart]],
  'an attestation': [buildIndex({ images: [packed], attestations: true }), [buildAttestation(packed)]],
  'an attestation of plain layers': [
    buildIndex({ images: [image], attestations: true }),
    [buildAttestation(image)],
  ],
  'a cache and a blob of unknown type': [indexOf([image, cache, unknown]), [cache, unknown]],
  'a signature of the image': [indexOf([image, signature]), [signature]],
  'an artifact in a nested index': [indexOf([indexOf([image, chart]), signature]), [chart, signature]],
  'the same artifact twice': [indexOf([image, chart, indexOf([chart])]), [chart]],
  'the same image twice': [indexOf([image, rowOf(image, { annotations: { a: 'b' } })]), []],
};

const scene = openScene(() => ({
  ...Object.fromEntries(
    Object.keys(beside).map((name, i) => [`beside-${i}`, beside[name]?.[0] as BuiltTree]),
  ),
  chart,
  two: indexOf([image, other]),
  platforms: buildIndex({ images: [image, other], attestations: true }),
  annotated: buildIndex({ images: [image], annotations: { 'org.example.of': 'the index' } }),
  'with-subject': indexOf([image], { subject: signature.descriptor }),
  foreign: artifactOf(blobOf(MEDIA_TYPES.oci.config, Buffer.from(image.config)), [
    { descriptor: image.layers[0] as never, blobs: image.blobs },
    { descriptor: image.layers[1] as never, blobs: image.blobs },
    rowOf(blobOf('application/vnd.oci.image.layer.nondistributable.v1.tar', 'x'), {
      urls: ['https://example.org/layer'],
    }),
  ]),
}));

const leftOutIn = ({ stderr }: Pick<CliResult, 'stderr'>) =>
  stderr.split('\n').filter((line) => line.includes('left out')).length;

describe.each(Object.keys(beside).map((name, i) => [name, `beside-${i}`] as const))(
  'an image with %s beside it',
  (name, tag) => {
    const leftOut = beside[name]?.[1] ?? [];

    test.each([
      ['copy', []],
      ['squash', ['--all']],
      ['recompress', ['--compression', 'none']],
      ['slim', []],
      ['prune', ['--rule', '/nothing']],
    ] as const)(
      'goes by %s into a docker-archive alone, and what is left out is named',
      async (command, options) => {
        const path = scene.path(`${command}-${tag}.tar`);
        const to = `docker-archive:${path}:app:1`;
        const dry = await scene.run(command, scene.at(tag), to, ...options, '--dry-run');
        const told = await scene.run(command, scene.at(tag), to, ...options);
        for (const result of [dry, told]) {
          for (const { descriptor } of leftOut) expect(result.stderr).toContain(descriptor.digest);
          expect(leftOutIn(result)).toBe(leftOut.length);
          expect(result.stderr).not.toContain('stays as it is');
        }
        expectOneImage(await readFile(path));
        await scene.succeed('copy', to, scene.at(command, `${tag}-back`));
        await scene.expectSame(to, scene.at(command, `${tag}-back`));
      },
    );

    test('is an error with --strict before anything is written', async () => {
      const path = scene.path(`strict-${tag}.tar`);
      const { status, stderr } = await callCli([
        'copy',
        scene.at(tag),
        `docker-archive:${path}:app:1`,
        '--strict',
      ]);
      expect({ status, stderr }).toMatchObject({ status: leftOut.length > 0 ? 1 : 0 });
    });
  },
);

test('an attestation of the platform that was selected is named, too, also in a pipe', async () => {
  const args = [
    'copy',
    scene.at('platforms'),
    'docker-archive:-',
    '--platform',
    'linux/amd64',
    '--name',
    'app:1',
  ];
  const { status, stdout, stderr } = await pipeCli(args, null);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stderr).toContain(`the attestation ${buildAttestation(image).descriptor.digest} is left out`);
  expectOneImage(stdout);
});

test.each([
  ['copy', []],
  ['squash', ['--all']],
  ['recompress', ['--compression', 'zstd']],
  ['recompress', ['--tune', 'fast']],
  ['slim', []],
])('a dry run of %s %j knows that the layers get plain', async (command, options) => {
  const to = `docker-archive:${scene.path(`sizes-${options.length}-${command}.tar`)}:app:1`;
  const sizes: unknown[] = [];
  for (const more of [['--dry-run'], []]) {
    const args = [command, scene.at('beside-2'), to, ...options, ...more];
    const { platforms } = await scene.report(...args);
    sizes.push(platforms.map(({ compressing }) => compressing.sizeAfter));
  }
  expect(sizes[0]).toEqual(sizes[1]);
});

test('annotations and the subject of an index that is left out are named', async () => {
  const to = (name: string) => `docker-archive:${scene.path(name)}:app:1`;
  expect((await scene.run('copy', scene.at('annotated'), to('annotated.tar'))).stderr).toContain(
    'org.example.of',
  );
  expect((await scene.run('copy', scene.at('with-subject'), to('subject.tar'))).stderr).toContain(
    `refers to ${signature.descriptor.digest}, which is left out`,
  );
});

test.each([
  ['chart', 'UNSUPPORTED', 'holds an image to run, and the source has none'],
  ['two', 'UNSUPPORTED', 'holds one platform, not 2'],
  ['foreign', 'MEDIA_TYPE', 'layer 3 cannot be read'],
])('%s is refused before anything is written, and in a dry run', async (tag, code, words) => {
  const to = `docker-archive:${scene.path('refused.tar')}:app:1`;
  for (const options of [[], ['--dry-run']]) {
    const { status, stderr } = await callCli(['copy', scene.at(tag), to, ...options]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(words) as string });
    expect(stderr).toContain(code);
  }
  await expect(readFile(scene.path('refused.tar'))).rejects.toThrow('ENOENT');
});

test('an image is added to an archive that has artifacts in its index.json, and these stay', async () => {
  const path = scene.path('shared.tar');
  await scene.succeed('copy', scene.at('chart'), `oci-archive:${path}:chart`);
  await scene.succeed('copy', scene.at('beside-0'), `docker-archive:${path}:app:1`);
  await scene.succeed('copy', `oci-archive:${path}:chart`, scene.at('chart', 'shared'));
  await scene.expectSame(scene.at('chart'), scene.at('chart', 'shared'));
  await scene.succeed(
    'verify',
    `docker-archive:${path}:app:1`,
    `oci-archive:${path}:docker.io/library/app:1`,
  );
});
