import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { isIndexType } from '../../../src/oci/media-type.ts';
import {
  type BuiltImage,
  buildIndex,
  digestOf,
  jsonBytes,
  MEDIA_TYPES,
  readImageFrom,
  writeLayout,
} from '../../support/image-builder.ts';
import { drain, never } from '../../support/registry/setup.ts';
import { membersOf, newFile, rootOf, tagsIn, write, writeFileOf } from '../../support/store/archives.ts';
import { newForm, oldArchive as oldEntries, oldForm } from '../../support/store/docker-archives.ts';
import {
  copy,
  descriptorOf,
  listFiles,
  newFolder,
  publish,
  refused,
  smallImage,
  source,
  target,
} from '../../support/store/local.ts';

const image = smallImage({ compress: 'none' });
const other = smallImage({ compress: 'none', seed: 'other' });
const hex = (digest: string) => digest.replace('sha256:', '');
const tars = image.layers.map(({ digest }) => image.blobs.get(digest) as Uint8Array);

const oldArchive = (...images: readonly ReturnType<typeof oldForm>[]) => writeFileOf(oldEntries(...images));

async function readAll(text: string): Promise<ReturnType<typeof readImageFrom>> {
  const opened = await source(text);
  const root = await opened.root(never);
  const blobs = new Map<string, Uint8Array>([[root.descriptor.digest, root.bytes]]);
  const manifest = JSON.parse(Buffer.from(root.bytes).toString()) as { config: unknown; layers: unknown[] };
  for (const blob of [manifest.config, ...manifest.layers]) {
    const descriptor = descriptorOf(blob as Descriptor);
    blobs.set(descriptor.digest, await drain(opened.blob(descriptor, never)));
  }
  return readImageFrom({ blobs, descriptor: root.descriptor });
}

describe('an archive of the old form', () => {
  test('is read as an OCI image of uncompressed layers with its config; repeated layers are links', async () => {
    const path = await oldArchive(oldForm(image, ['app:v1']));
    const read = await readAll(`docker-archive:${path}`);
    expect(read.tars.map((tar) => Buffer.from(tar))).toEqual(tars.map((tar) => Buffer.from(tar)));
    expect(read.manifest.layers.map(({ mediaType, digest }) => ({ mediaType, digest }))).toEqual(
      image.diffIds.map((digest) => ({ mediaType: MEDIA_TYPES.oci.layer.none, digest })),
    );
    expect(read.manifest.config.digest).toBe(digestOf(image.config));
    const again = await rootOf(`docker-archive:${path}`);
    expect(again.descriptor.digest).toBe(read.descriptor.digest);
  });

  test('gives its manifest by digest too, and has no referrers', async () => {
    const opened = await source(`docker-archive:${await oldArchive(oldForm(image, ['app:v1']))}`);
    const root = await opened.root(never);
    expect(await opened.manifest(root.descriptor, never)).toEqual(root);
    expect(await opened.referrers(root.descriptor.digest, never)).toEqual([]);
  });

  test('may have compressed layers, as other programs write them', async () => {
    const packed = [
      gzipSync(tars[0] as Uint8Array),
      zstdCompressSync(tars[1] as Uint8Array),
      tars[2] as Uint8Array,
    ];
    const read = await readAll(`docker-archive:${await oldArchive(oldForm(image, ['app:v1'], packed))}`);
    const { gzip, zstd, none } = MEDIA_TYPES.oci.layer;
    expect(read.manifest.layers.map(({ mediaType }) => mediaType)).toEqual([gzip, zstd, none]);
    expect(read.manifest.layers.map(({ digest }) => digest)).toEqual(packed.map(digestOf));
  });

  test('may have hard links', async () => {
    const { entries, row } = oldForm(image, ['app:v1']);
    const hard = entries.map((entry) =>
      entry.type === 'symlink'
        ? { ...entry, type: 'link' as const, linkname: (entry.linkname ?? '').replace('../', '') }
        : entry,
    );
    expect((await readAll(`docker-archive:${await oldArchive({ entries: hard, row })}`)).tars).toHaveLength(
      3,
    );
  });

  test('with several images is read by a short or full name; without a name the error lists them', async () => {
    const path = await oldArchive(
      oldForm(image, ['app:v1', 'app:latest']),
      oldForm(other, ['example.org/x/y:2']),
    );
    const configOf = async (name: string) =>
      (await readAll(`docker-archive:${path}:${name}`)).manifest.config.digest;
    for (const name of ['app:v1', 'app', 'docker.io/library/app:v1']) {
      expect(await configOf(name)).toBe(digestOf(image.config));
    }
    expect(await configOf('example.org/x/y:2')).toBe(digestOf(other.config));
    const said = await refused('USAGE', rootOf(`docker-archive:${path}`));
    for (const name of ['app:v1', 'app:latest', 'example.org/x/y:2'])
      expect(said).toContain(`\n  - docker-archive:${path}:${name}`);
    expect(await refused('NOT_FOUND', rootOf(`docker-archive:${path}:app:v9`))).toContain('app:v1');
  });

  test('is refused where layers and DiffIDs disagree', async () => {
    const swapped = [tars[0] as Uint8Array, Buffer.from(tars[1] as Uint8Array), tars[2] as Uint8Array];
    (swapped[1] as Uint8Array)[600] = 0x21;
    const opened = await source(`docker-archive:${await oldArchive(oldForm(image, null, swapped))}`);
    const { descriptor, bytes } = await opened.root(never);
    expect(descriptor.mediaType).toBe(MEDIA_TYPES.oci.manifest);
    const { layers } = JSON.parse(Buffer.from(bytes).toString()) as { layers: Descriptor[] };
    const [first, second] = layers.map(descriptorOf) as [Descriptor, Descriptor];
    await drain(opened.blob(first, never));
    expect(await refused('DIFFID_MISMATCH', drain(opened.blob(second, never)))).toContain(image.diffIds[1]);
  });

  test('is refused where its config was changed, or has another number of layers', async () => {
    const { entries, row } = oldForm(image, null);
    const changed = entries.map((entry) =>
      entry.name.endsWith('.json')
        ? { ...entry, body: Buffer.concat([entry.body ?? Buffer.of(), Buffer.from(' ')]) }
        : entry,
    );
    await refused('DIGEST_MISMATCH', rootOf(`docker-archive:${await oldArchive({ entries: changed, row })}`));
    const short = oldForm(image, null, tars.slice(0, 2));
    await refused('MANIFEST_INVALID', rootOf(`docker-archive:${await oldArchive(short)}`));
  });

  test.each(['', '/', './', 'x/../', 'größe/'])(
    'may name its layers with %j before their names, in both places or in one',
    async (before) => {
      const { entries, row } = oldForm(image, ['app:v1']);
      const inTar = Buffer.from(before).toString('latin1');
      const spelled = entries.map((entry) =>
        entry.name.endsWith('/layer.tar')
          ? { ...entry, name: `${inTar}${entry.name}`, format: 'gnu' as const }
          : entry,
      );
      const layers = (row as { Layers: string[] }).Layers.map((name) => `${before}${name}`);
      const named = { ...(row as object), Layers: layers };
      const spellings = [
        { entries: spelled, row: named },
        ...(before.startsWith('g')
          ? []
          : [
              { entries: spelled, row },
              { entries, row: named },
            ]),
      ];
      for (const spelling of spellings)
        expect((await readAll(`docker-archive:${await oldArchive(spelling)}`)).tars).toHaveLength(3);
    },
  );

  test('is refused where members are missing, or links lead out of it', async () => {
    const { entries, row } = oldForm(image, null);
    const without = entries.filter(({ name }) => !name.endsWith('.json'));
    await refused('ARCHIVE_INVALID', rootOf(`docker-archive:${await oldArchive({ entries: without, row })}`));
    const climbing = { ...(row as object), Config: '../../../../etc/passwd' };
    await refused(
      'ARCHIVE_INVALID',
      rootOf(`docker-archive:${await oldArchive({ entries, row: climbing })}`),
    );
  });

  test.each(['{}', 'not JSON', '[1]', '[{"Config":1}]', '[{"Config":"a","Layers":[1]}]'])(
    'is refused where manifest.json is %s',
    async (text) => {
      const path = await writeFileOf([{ name: 'manifest.json', body: Buffer.from(text) }]);
      await refused('ARCHIVE_INVALID', rootOf(`docker-archive:${path}`));
    },
  );

  test('is refused where it holds other files', async () => {
    await refused('ARCHIVE_INVALID', rootOf(`docker-archive:${await writeFileOf([{ name: 'hello' }])}`));
    await refused('NOT_FOUND', rootOf('docker-archive:/nowhere/at/all.tar'));
  });
});

describe('an archive of the new form', () => {
  test('is read as the image in its layout', async () => {
    const path = await writeFileOf(newForm([{ tree: image, name: 'app:v1', image }]));
    for (const name of ['', ':app:v1', ':docker.io/library/app:v1']) {
      const root = await rootOf(`docker-archive:${path}${name}`);
      expect(root.descriptor.digest).toBe(image.descriptor.digest);
    }
    expect((await readAll(`docker-archive:${path}`)).tars).toHaveLength(3);
    await refused('NOT_FOUND', rootOf(`docker-archive:${path}:app:v2`));
  });

  test('may hold several images', async () => {
    const path = await writeFileOf(
      newForm([
        { tree: image, name: 'app:v1', image },
        { tree: other, name: 'other:v1', image: other },
      ]),
    );
    expect((await rootOf(`docker-archive:${path}:other:v1`)).descriptor.digest).toBe(other.descriptor.digest);
    expect(await refused('USAGE', rootOf(`docker-archive:${path}`))).toContain(
      `\n  - docker-archive:${path}:app:v1\n  - docker-archive:${path}:other:v1`,
    );
  });

  test('without names in its layout is read by the names of manifest.json', async () => {
    const entries = newForm([
      { tree: image, name: null, image },
      { tree: other, name: null, image: other },
    ]);
    const rows = JSON.parse(Buffer.from(entries.at(-2)?.body ?? []).toString()) as { RepoTags: unknown }[];
    (rows[1] as { RepoTags: unknown }).RepoTags = ['other:v1'];
    entries[entries.length - 2] = { name: 'manifest.json', body: jsonBytes(rows) };
    const path = await writeFileOf(entries);
    expect((await rootOf(`docker-archive:${path}:other:v1`)).descriptor.digest).toBe(other.descriptor.digest);
  });

  test('whose layout lacks the image is read by manifest.json', async () => {
    const entries = newForm([{ tree: image, name: 'app:v1', image }]).map((entry) =>
      entry.name === 'index.json'
        ? { ...entry, body: jsonBytes({ schemaVersion: 2, manifests: [] }) }
        : entry,
    );
    const read = await readAll(`docker-archive:${await writeFileOf(entries)}:app:v1`);
    expect(read.manifest.config.digest).toBe(digestOf(image.config));
  });

  test.each([false, true])(
    'gives the one saved platform of an index, its attestation beside it: %s',
    async (attested) => {
      const tree = buildIndex({ images: [image, other], attestations: true });
      const { manifests } = JSON.parse(Buffer.from(tree.index).toString()) as {
        manifests: { digest: string; annotations?: Record<string, string> }[];
      };
      const about = (built: BuiltImage) =>
        manifests.filter(
          ({ annotations }) => annotations?.['vnd.docker.reference.digest'] === built.descriptor.digest,
        );
      const absent = [other.descriptor, ...about(other), ...(attested ? [] : about(image))];
      const blobs = new Map(tree.blobs);
      for (const { digest } of absent) blobs.delete(digest);
      expect(about(image)).toHaveLength(1);
      const saved = { descriptor: tree.descriptor, blobs };
      const path = await writeFileOf(newForm([{ tree: saved, name: 'app:v1', image }]));
      for (const name of ['', ':app:v1'])
        expect((await rootOf(`docker-archive:${path}${name}`)).descriptor.digest).toBe(
          image.descriptor.digest,
        );
    },
  );

  test('gives the one saved platform of an index, but an index that is whole', async () => {
    const tree = buildIndex({ images: [image, other], attestations: true });
    const absent = new Set([other.descriptor.digest, ...other.blobs.keys()]);
    const sparse = new Map(
      [...tree.blobs].filter(([digest]) => !absent.has(digest) || image.blobs.has(digest)),
    );
    const attestations = JSON.parse(Buffer.from(tree.index).toString()) as {
      manifests: { digest: string }[];
    };
    for (const { digest } of attestations.manifests.slice(2)) sparse.delete(digest);
    const saved = { descriptor: tree.descriptor, blobs: sparse };
    const path = await writeFileOf(newForm([{ tree: saved, name: 'app:v1', image }]));
    expect((await rootOf(`docker-archive:${path}`)).descriptor.digest).toBe(image.descriptor.digest);
    const whole = await writeFileOf(newForm([{ tree, name: 'app:v1', image }]));
    expect(isIndexType((await rootOf(`docker-archive:${whole}`)).descriptor.mediaType)).toBe(true);
  });
});

describe('an archive as a destination', () => {
  test('takes uncompressed layers, and gets both forms', async () => {
    const path = await newFile();
    const opened = await target(`docker-archive:${path}:app:v1`, `docker-archive:${path}:example.org/app:v2`);
    expect(opened.layerFormat).toBe('plain');
    await publish(opened, image);
    const { entries, json } = await membersOf(path);
    const blob = (digest: string) => `blobs/sha256/${hex(digest)}`;
    expect(json('manifest.json')).toEqual([
      {
        Config: blob(digestOf(image.config)),
        RepoTags: ['app:v1', 'example.org/app:v2'],
        Layers: image.layers.map(({ digest }) => blob(digest)),
      },
    ]);
    const { manifests } = json('index.json') as { manifests: { annotations: unknown }[] };
    expect(manifests.map(({ annotations }) => annotations)).toEqual([
      { 'io.containerd.image.name': 'docker.io/library/app:v1', 'org.opencontainers.image.ref.name': 'v1' },
      { 'io.containerd.image.name': 'example.org/app:v2', 'org.opencontainers.image.ref.name': 'v2' },
    ]);
    expect((await rootOf(`docker-archive:${path}:app:v1`)).descriptor.digest).toBe(image.descriptor.digest);
    // The old loaders see no layout.
    const old = await writeFileOf(
      entries
        .filter(({ name }) => name !== 'index.json')
        .map(({ name, body, type }) => ({ name, body, type })),
    );
    expect((await readAll(`docker-archive:${old}:app:v1`)).manifest.layers).toHaveLength(3);
  });

  test('may be written without a name', async () => {
    const path = await newFile();
    await write(`docker-archive:${path}`, image);
    expect(tagsIn(await readFile(path))).toEqual([null]);
    expect((await rootOf(`docker-archive:${path}`)).descriptor.digest).toBe(image.descriptor.digest);
  });

  test('takes an index only if one of its children is an image to run', async () => {
    const folder = await newFolder();
    const single = buildIndex({ images: [image], attestations: true });
    const double = buildIndex({ images: [image, other] });
    await writeLayout(join(folder, 'from'), { single, double });
    await copy(
      await source(`oci:${folder}/from:single`),
      await target(`docker-archive:${folder}/a.tar:app:v1`),
    );
    expect((await rootOf(`docker-archive:${folder}/a.tar`)).descriptor.digest).toBe(single.descriptor.digest);
    const opened = await target(`docker-archive:${folder}/b.tar:app:v1`);
    const said = await refused('UNSUPPORTED', copy(await source(`oci:${folder}/from:double`), opened));
    expect(said).toContain('--platform');
    await opened.close();
    expect(await listFiles(folder).then((files) => files.filter((file) => file.startsWith('b.tar')))).toEqual(
      [],
    );
  });

  test('refuses compressed layers, at the latest when it is published', async () => {
    const path = await newFile();
    const opened = await target(`docker-archive:${path}:app:v1`);
    await refused('MEDIA_TYPE', publish(opened, smallImage()));
    await opened.close();
    expect(await listFiles(join(path, '..'))).toEqual([]);
    expect(opened.nameOf(image.descriptor.digest as Digest)).toBe(`docker-archive:${path}:app:v1`);
  });
});
