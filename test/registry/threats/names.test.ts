import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseReference } from '../../../src/oci/reference.ts';
import { writeLayout } from '../../support/image-builder.ts';
import { type EntrySpec, writeTar } from '../../support/model/tar-bytes.ts';
import { fill, noisyImage, runImage } from '../../support/registry/image-run.ts';
import { startRegistry } from '../../support/registry/opened.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocislim-names-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const image = noisyImage();
const good = Buffer.from(image.manifest).toString();
const hex = 'a'.repeat(64);

const digests: readonly string[] = [
  'sha256:../../../../etc/passwd',
  `sha256:${hex.toUpperCase()}`,
  `sha256:${hex}a`,
  `sha256:${hex.slice(1)}`,
  `sha256:${hex}\\n`,
  `sha256:${hex}/../x`,
  `sha256:${hex}?x=y`,
  `SHA256:${hex}`,
  `sha512:${hex}`,
  `md5:${hex.slice(32)}`,
  '../sha256',
  hex,
  '',
];

// CVE-2024-3727: containers/image used digests as parts of paths and URLs before it looked at them.
describe('N10: what is not a digest is used for nothing', () => {
  test.each(digests)('of a layer and of a config in a registry: %j', async (digest) => {
    for (const pattern of [/"digest":"sha256:[0-9a-f]+"/, /"digest":"sha256:[0-9a-f]+"(?=[^{]*\}\])/]) {
      const fake = await startRegistry();
      fill(fake, 'app', image);
      const text = good.replace(pattern, `"digest":"${digest}"`);
      expect(text).not.toBe(good);
      fake.repository('app').addManifest(JSON.parse(text), image.descriptor.mediaType, 'v1');
      const { error } = await runImage(`${fake.host}/app:v1`, `${fake.host}/dst:v1`, 'squash');
      expect(error).toMatchObject({ code: 'MANIFEST_INVALID' });
      expect(fake.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'GET /v2/app/manifests/v1',
      ]);
    }
  });

  test.each(digests)('of a manifest in an index and in a layout: %j', async (digest) => {
    const fake = await startRegistry();
    fill(fake, 'app', image);
    const json = `{"schemaVersion":2,"manifests":[{"mediaType":"${image.descriptor.mediaType}","digest":"${digest}","size":5}]}`;
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    fake.repository('app').addManifest(JSON.parse(json), mediaType, 'v1');
    const remote = await runImage(`${fake.host}/app:v1`, `${fake.host}/dst:v1`, 'copy');
    expect(remote.error).toMatchObject({ code: 'MANIFEST_INVALID' });
    expect(fake.requests.map(({ path }) => path)).toEqual(['/v2/app/manifests/v1']);
    const directory = join(folder, 'layout');
    await writeLayout(directory, { v1: image });
    await writeFile(join(directory, 'index.json'), json);
    const local = await runImage(`oci:${directory}`, `${fake.host}/dst:v1`, 'copy');
    expect((local.error as { code: string }).code).toMatch(/^(?:MANIFEST_INVALID|ARCHIVE_INVALID)$/);
  });
});

describe('N10: names are names, not paths', () => {
  test.each([
    'registry.example/../app',
    'registry.example/app/..',
    'registry.example/a/./b',
    'registry.example/app:../../x',
    'registry.example/app:.hidden',
    'registry.example/app:a/b',
    `registry.example/app:${'x'.repeat(129)}`,
    'registry.example/app:v1\n',
    'registry.example/app@sha256:../../x',
    `registry.example/app@sha256:${hex}x`,
    `registry.example/app@sha256:${hex.toUpperCase()}`,
    'registry.example/%2e%2e/app',
    'registry.example/app?x=y',
    'registry.example/app#x',
    'user:pass@registry.example/app',
    'registry.example:port/app',
  ])('%j is refused', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });

  test('a ref.name of a layout with dots and slashes stays in its index', async () => {
    const from = join(folder, 'from');
    await writeLayout(from, { '../../../escaped': image });
    const to = join(folder, 'a', 'to');
    await mkdir(join(folder, 'a'));
    const { error } = await runImage(`oci:${from}`, `oci:${to}:v1`, 'squash');
    expect(error).toBeNull();
    expect((await readdir(folder)).sort()).toEqual(['a', 'from']);
    expect((await readdir(to)).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect((await readdir(join(to, 'blobs', 'sha256'))).every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(
      true,
    );
  });

  const away = [
    '../../../../etc/passwd',
    '/etc/passwd',
    'blobs/../../../etc/passwd',
    'link/passwd',
    'out',
    'out/passwd',
  ];

  test.each(away)(
    'in the manifest.json of a Docker archive %j is a member of it, or nothing',
    async (path) => {
      const config = Buffer.from(image.config);
      const entries: EntrySpec[] = [
        { name: 'link', type: 'symlink', linkname: '/etc' },
        { name: 'out', type: 'symlink', linkname: '../../../../../../etc/passwd' },
        { name: 'config.json', body: config },
      ];
      for (const row of [
        { Config: path, RepoTags: ['../../escaped:v1'], Layers: [] },
        { Config: 'config.json', RepoTags: ['../../escaped:v1'], Layers: [path, path, path] },
      ]) {
        const archive = join(folder, 'image.tar');
        await writeFile(
          archive,
          writeTar([...entries, { name: 'manifest.json', body: Buffer.from(JSON.stringify([row])) }]),
        );
        const { error } = await runImage(`docker-archive:${archive}`, `oci:${join(folder, 'to')}:v1`, 'copy');
        expect(error).toMatchObject({ code: 'ARCHIVE_INVALID' });
        expect((error as Error).message).not.toContain('root:');
        expect(await readdir(folder)).toEqual(['image.tar']);
      }
    },
  );

  test('a ref.name, or the name of an image, that climbs leads nowhere in archives either', async () => {
    const layout = join(folder, 'from');
    await writeLayout(layout, { '../../../escaped': image });
    const files = [
      'oci-layout',
      'index.json',
      ...(await readdir(join(layout, 'blobs/sha256'))).map((name) => `blobs/sha256/${name}`),
    ];
    const entries = await Promise.all(
      files.map(async (name) => ({ name, body: await readFile(join(layout, name)) })),
    );
    const archive = join(folder, 'from.tar');
    await writeFile(archive, writeTar(entries));
    await mkdir(join(folder, 'a'));
    for (const [from, to] of [
      [`oci-archive:${archive}`, `oci-archive:${join(folder, 'a', 'to.tar')}:v1`],
      [`oci-archive:${archive}`, `docker-archive:${join(folder, 'a', 'docker.tar')}:app:v1`],
      [`docker-archive:${archive}`, `oci:${join(folder, 'a', 'to')}:v1`],
    ] as const)
      expect((await runImage(from, to, 'squash')).error).toBeNull();
    expect((await readdir(folder)).sort()).toEqual(['a', 'from', 'from.tar']);
    expect((await readdir(join(folder, 'a'))).sort()).toEqual(['docker.tar', 'to', 'to.tar']);
    expect((await readdir(join(folder, 'a', 'to'))).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });
});
