import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ocislim, rewrite } from '../support/e2e/cli.ts';
import { DockerRegistry } from '../support/e2e/docker-registry.ts';
import { inspectRaw, openLayout, push } from '../support/e2e/judge.ts';
import { judgeImage, untidyLayers, type JudgedImage } from '../support/e2e/judged-image.ts';
import { removeFolder, workFolder } from '../support/e2e/programs.ts';
import { differences } from '../support/e2e/rootfs-listing.ts';

// The same image in the forms that other tools write. Each must give the same root filesystem.
const images = inject('images');
let work: string;
let registry: DockerRegistry;
let untidy: ReadonlySet<string>;
let original: JudgedImage;

beforeAll(async () => {
  work = workFolder('forms');
  registry = await DockerRegistry.start();
  const { config } = await openLayout(join(images, 'nginx'));
  untidy = untidyLayers(config);
  original = await judgeImage(`oci:${images}/nginx:v1`, work, untidy);
});

afterAll(async () => {
  await registry?.stop();
  removeFolder(work);
});

async function expectEqual(source: string): Promise<JudgedImage> {
  const judged = await judgeImage(source, work, untidy);
  expect(differences(original.listing, judged.listing)).toEqual([]);
  expect(judged.said).toBe(original.said);
  return judged;
}

it('keeps a Docker schema 2 image one when it is pruned', async () => {
  const source = `${registry.host}/schema2/nginx:v1`;
  await push(`dir:${images}/nginx-s2`, source);
  expect((await inspectRaw(source)).mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
  const pruned = `${registry.host}/schema2/pruned:v1`;
  await rewrite(['prune', source, pruned, '--shadowed']);
  const { mediaType, config, layers } = await inspectRaw(pruned);
  expect(mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
  expect(config.mediaType).toBe('application/vnd.docker.container.image.v1+json');
  expect(new Set(layers.map((layer) => layer.mediaType))).toEqual(
    new Set(['application/vnd.docker.image.rootfs.diff.tar.gzip']),
  );
  await expectEqual(`docker://${pruned}`);
});

it('makes a Docker schema 2 image an OCI image when its layers become zstd, and says so', async () => {
  const source = `${registry.host}/schema2/nginx:v1`;
  await push(`dir:${images}/nginx-s2`, source);
  const packed = `${registry.host}/schema2/packed:v1`;
  const { status, stderr } = await ocislim(['recompress', source, packed, '--compression', 'zstd']);
  expect(status).toBe(0);
  expect(stderr).toMatch(/warning.*OCI/i);
  const { mediaType, config, layers } = await inspectRaw(packed);
  expect(mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
  expect(config.mediaType).toBe('application/vnd.oci.image.config.v1+json');
  expect(
    layers.filter((layer) => !layer.mediaType.startsWith('application/vnd.oci.image.layer.v1.tar')),
  ).toEqual([]);
  expect(layers.some((layer) => layer.mediaType.endsWith('+zstd'))).toBe(true);
  await expectEqual(`docker://${packed}`);
});

it('squashes a layout with zstd layers', async () => {
  const target = join(work, 'squashed');
  await rewrite(['squash', `oci:${images}/nginx-zstd:v1`, `oci:${target}:v1`, '--all']);
  const { image } = await expectEqual(`oci:${target}:v1`);
  expect(image.manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
    'application/vnd.oci.image.layer.v1.tar+zstd',
  ]);
});

it('prunes what docker save writes into what docker load reads', async () => {
  const target = `docker-archive:${join(work, 'pruned.tar')}:localhost/nginx:slim`;
  const { status, stdout } = await ocislim([
    'prune',
    `docker-archive:${images}/nginx.docker.tar`,
    target,
    '--shadowed',
  ]);
  // Such an archive holds no manifest that a digest could name.
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${target}\n` });
  const judged = await expectEqual(target);
  const debs = judged.layers.flat().filter(({ name }) => /^var\/cache\/apt\/archives\/.*\.deb$/.test(name));
  expect(debs).toEqual([]);
});
