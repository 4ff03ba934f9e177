import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import {
  type BuiltTree,
  buildImage,
  buildIndex,
  digestOf,
  jsonBytes,
  MEDIA_TYPES,
  writeLayout,
} from '../../support/image-builder.ts';
import { drain, never } from '../../support/registry/setup.ts';
import {
  afterwards,
  descriptorOf,
  newFolder,
  readJson,
  refused,
  smallImage,
  source,
  layerOf,
  blobPath,
} from '../../support/store/local.ts';
import { MiB } from '../../../src/units.ts';

const image = smallImage();
const other = smallImage({ seed: 'other' });

async function layout(trees: Readonly<Record<string, BuiltTree>>): Promise<string> {
  const folder = await newFolder();
  await writeLayout(folder, trees);
  return folder;
}

async function writeIndex(folder: string, manifests: readonly unknown[]): Promise<void> {
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

const rootOf = async (text: string) => (await (await source(text)).root(never)).descriptor.digest;

describe('the image that a reference means', () => {
  test('is found by its tag or digest, or is the only one', async () => {
    const folder = await layout({ v1: image, v2: other });
    expect(await rootOf(`oci:${folder}:v1`)).toBe(image.descriptor.digest);
    expect(await rootOf(`oci:${folder}:v2`)).toBe(other.descriptor.digest);
    expect(await rootOf(`oci:${folder}@${image.descriptor.digest}`)).toBe(image.descriptor.digest);
    expect(await rootOf(`oci:${await layout({ v1: image })}`)).toBe(image.descriptor.digest);
  });

  test('is one image under two tags', async () => {
    expect(await rootOf(`oci:${await layout({ v1: image, latest: image })}`)).toBe(image.descriptor.digest);
  });

  test('is ambiguous without a tag: the error lists the images', async () => {
    const folder = await layout({ v1: image, v2: other });
    expect(await refused('USAGE', rootOf(`oci:${folder}`))).toContain(
      `\n  - oci:${folder}:v1\n  - oci:${folder}:v2`,
    );
  });

  test('is missing for an unknown tag: the error lists the tags', async () => {
    const folder = await layout({ v1: image, v2: other });
    expect(await refused('NOT_FOUND', rootOf(`oci:${folder}:v3`))).toContain(
      `no image named "v3"; it holds:\n  - oci:${folder}:v1\n  - oci:${folder}:v2`,
    );
    expect(await refused('NOT_FOUND', rootOf(`oci:${await layout({})}:v3`))).toContain('no image at all');
  });

  test('is ambiguous where a named and an unnamed one are there', async () => {
    const folder = await layout({ v1: image, v2: other });
    const index = (await readJson(join(folder, 'index.json'))) as { manifests: Record<string, unknown>[] };
    await writeIndex(folder, [{ ...index.manifests[1], annotations: {} }, index.manifests[0]]);
    expect(await refused('USAGE', rootOf(`oci:${folder}`))).toContain(
      `it holds several images:\n  - oci:${folder}@0\n  - oci:${folder}:v1`,
    );
    expect(await rootOf(`oci:${folder}@0`)).toBe(other.descriptor.digest);
    expect(await rootOf(`oci:${folder}@1`)).toBe(image.descriptor.digest);
    await refused('NOT_FOUND', rootOf(`oci:${folder}@2`));
  });

  test('is the only one beside signatures and other artifacts', async () => {
    const folder = await layout({ v1: image, v2: other });
    const index = (await readJson(join(folder, 'index.json'))) as { manifests: Record<string, unknown>[] };
    const [first, second] = index.manifests;
    const tag = `sha256-${image.descriptor.digest.slice(7)}.sig`;
    for (const row of [
      { ...second, annotations: {}, artifactType: 'application/x' },
      { ...second, annotations: {}, mediaType: 'application/x' },
      { ...second, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
      { ...second, annotations: { 'org.opencontainers.image.ref.name': tag } },
    ]) {
      await writeIndex(folder, [row, first]);
      expect(await rootOf(`oci:${folder}`)).toBe(image.descriptor.digest);
    }
  });

  test('is found by a name with a repository, whole or by its tag alone', async () => {
    const folder = await layout({ 'app:v1': image, 'team/app:v2': other });
    expect(await rootOf(`oci:${folder}:v2`)).toBe(other.descriptor.digest);
    expect(await rootOf(`oci:${folder}:app:v1`)).toBe(image.descriptor.digest);
    expect(await rootOf(`oci:${folder}:team/app:v2`)).toBe(other.descriptor.digest);
    const clash = await layout({ 'one:v1': image, 'two:v1': other });
    expect(await refused('USAGE', rootOf(`oci:${clash}:v1`))).toContain(
      `\n  - oci:${clash}:one:v1\n  - oci:${clash}:two:v1`,
    );
  });

  test("is found by containerd's full name", async () => {
    const folder = await layout({ v1: image, v2: other });
    const row = (tree: BuiltTree, name: string) => ({
      ...tree.descriptor,
      annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': 'latest' },
    });
    await writeIndex(folder, [
      row(image, 'docker.io/library/one:latest'),
      row(other, 'docker.io/library/two:latest'),
    ]);
    expect(await rootOf(`oci:${folder}:docker.io/library/two:latest`)).toBe(other.descriptor.digest);
    expect(await refused('USAGE', rootOf(`oci:${folder}:latest`))).toContain('docker.io/library/one:latest');
  });

  test('is found by a name inside of a nested index', async () => {
    const index = buildIndex({ images: [image, other] });
    const named = JSON.parse(new TextDecoder().decode(index.index)) as {
      manifests: Record<string, unknown>[];
    };
    const child = named.manifests[1] as Record<string, unknown>;
    child['annotations'] = { 'org.opencontainers.image.ref.name': 'deep' };
    const bytes = jsonBytes(named);
    const descriptor = { mediaType: MEDIA_TYPES.oci.index, digest: digestOf(bytes), size: bytes.length };
    const folder = await layout({
      all: { descriptor, blobs: new Map([...index.blobs, [descriptor.digest, bytes]]) },
    });
    expect(await rootOf(`oci:${folder}:deep`)).toBe(other.descriptor.digest);
    expect(await rootOf(`oci:${folder}`)).toBe(descriptor.digest);
    expect(await rootOf(`oci:${folder}@${image.descriptor.digest}`)).toBe(image.descriptor.digest);
  });

  test('is found by its digest, also if no index names it', async () => {
    const folder = await layout({ v1: image, v2: other });
    await writeIndex(folder, []);
    const opened = await source(`oci:${folder}@${other.descriptor.digest}`);
    expect((await opened.root(never)).descriptor).toMatchObject({
      mediaType: MEDIA_TYPES.oci.manifest,
      size: other.manifest.length,
    });
    const absent = `sha256:${'a'.repeat(64)}`;
    await refused('NOT_FOUND', rootOf(`oci:${folder}@${absent}`));
  });

  test('gets a missing media type from its content', async () => {
    const index = buildIndex({ images: [image, other] });
    const folder = await layout({ v1: image, all: index });
    await writeIndex(folder, [
      { digest: image.descriptor.digest, annotations: { 'org.opencontainers.image.ref.name': 'v1' } },
      { digest: index.descriptor.digest, annotations: { 'org.opencontainers.image.ref.name': 'all' } },
    ]);
    const read = async (tag: string) => (await (await source(`oci:${folder}:${tag}`)).root(never)).descriptor;
    expect(await read('v1')).toMatchObject({
      mediaType: MEDIA_TYPES.oci.manifest,
      size: image.manifest.length,
    });
    expect(await read('all')).toMatchObject({ mediaType: MEDIA_TYPES.oci.index });
  });
});

describe('a layout is refused', () => {
  test('where the folder is missing, or not a layout', async () => {
    const folder = await newFolder();
    expect(await refused('NOT_FOUND', rootOf(`oci:${folder}/nothing:v1`))).toContain(
      `source oci:${folder}/nothing:v1`,
    );
    await refused('NOT_FOUND', rootOf(`oci:${folder}:v1`));
    await writeFile(join(folder, 'index.json'), '{}');
    await refused('ARCHIVE_INVALID', rootOf(`oci:${folder}:v1`));
  });

  test.each([
    ['oci-layout', '{"imageLayoutVersion":"2.0.0"}'],
    ['oci-layout', '{}'],
    ['oci-layout', 'not JSON'],
    ['index.json', 'not JSON'],
    ['index.json', '{"manifests":{}}'],
    ['index.json', '{"manifests":[1]}'],
  ])('for a file %s that holds %s', async (file, text) => {
    const folder = await layout({ v1: image });
    await writeFile(join(folder, file), text);
    await refused('ARCHIVE_INVALID', rootOf(`oci:${folder}:v1`));
  });

  test('without index.json', async () => {
    const folder = await layout({ v1: image });
    await rm(join(folder, 'index.json'));
    await refused('ARCHIVE_INVALID', rootOf(`oci:${folder}:v1`));
  });

  test.each([
    'sha256:../../../../etc/passwd',
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(64)}\n`,
    `md5:${'a'.repeat(32)}`,
    '../x:y',
    7,
  ])('for the digest %j, which never becomes a path', async (digest) => {
    const folder = await layout({ v1: image });
    await writeIndex(folder, [{ mediaType: MEDIA_TYPES.oci.manifest, digest, size: 2 }]);
    await refused('MANIFEST_INVALID', rootOf(`oci:${folder}`));
  });

  test('but a name with ".." is only a name', async () => {
    const folder = await layout({ '../../etc/passwd': image });
    await refused('NOT_FOUND', rootOf(`oci:${folder}:v1`));
    expect(await rootOf(`oci:${folder}`)).toBe(image.descriptor.digest);
  });

  test('without waiting for a fifo in the place of a file', async () => {
    const folder = await layout({ v1: image });
    const path = blobPath(folder, image.descriptor.digest);
    await rm(path);
    execFileSync('mkfifo', [path]);
    await refused('NOT_FOUND', rootOf(`oci:${folder}:v1`));
    await rm(join(folder, 'index.json'));
    execFileSync('mkfifo', [join(folder, 'index.json')]);
    await refused('IO', rootOf(`oci:${folder}:v1`));
  });

  test('for a manifest larger than 4 MiB', async () => {
    const folder = await layout({ v1: image });
    const bytes = Buffer.alloc(4 * MiB + 1, ' ');
    await writeFile(blobPath(folder, digestOf(bytes)), bytes);
    await writeIndex(folder, [
      { mediaType: MEDIA_TYPES.oci.manifest, digest: digestOf(bytes), size: bytes.length },
    ]);
    await refused('LIMIT', rootOf(`oci:${folder}`));
  });
});

describe('the bytes of a layout', () => {
  const layer = layerOf(image);
  const bytes = Buffer.from(image.blobs.get(layer.digest) as Uint8Array);

  test('pass as they are', async () => {
    const opened = await source(`oci:${await layout({ v1: image })}:v1`);
    expect(Buffer.compare(await drain(opened.blob(layer, never)), bytes)).toBe(0);
  });

  test('are refused with a byte changed, cut off or added, or without the file', async () => {
    const folder = await layout({ v1: image });
    const path = blobPath(folder, layer.digest);
    const opened = await source(`oci:${folder}:v1`);
    const read = () => drain(opened.blob(layer, never));
    const flipped = Buffer.from(bytes);
    flipped[40] = (flipped[40] as number) ^ 1;
    await writeFile(path, flipped);
    expect(await refused('DIGEST_MISMATCH', read())).toContain(layer.digest);
    await truncate(path, bytes.length - 1);
    await refused('SIZE_MISMATCH', read());
    await writeFile(path, Buffer.concat([bytes, Buffer.from('x')]));
    await refused('SIZE_MISMATCH', read());
    await rm(path);
    await refused('NOT_FOUND', read());
  });

  test('are refused for a descriptor with another size', async () => {
    const opened = await source(`oci:${await layout({ v1: image })}:v1`);
    await refused('SIZE_MISMATCH', drain(opened.blob({ ...layer, size: layer.size + 1 }, never)));
    await refused('SIZE_MISMATCH', drain(opened.blob({ ...layer, size: layer.size - 1 }, never)));
  });

  test('are refused for a manifest that was changed', async () => {
    const folder = await layout({ v1: image });
    const changed = Buffer.from(image.manifest);
    changed[changed.length - 2] = 0x20;
    await writeFile(blobPath(folder, image.descriptor.digest), changed);
    await refused('DIGEST_MISMATCH', rootOf(`oci:${folder}:v1`));
    const opened = await source(`oci:${folder}:v1`);
    await refused('DIGEST_MISMATCH', opened.manifest(descriptorOf(image.descriptor), never));
  });

  test('are compared with sha512 digests too', async () => {
    const folder = await layout({ v1: image });
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest;
    await mkdir(join(folder, 'blobs', 'sha512'));
    await writeFile(blobPath(folder, digest), bytes);
    const opened = await source(`oci:${folder}:v1`);
    expect((await drain(opened.blob({ ...layer, digest }, never))).length).toBe(bytes.length);
    await writeFile(blobPath(folder, digest), Buffer.alloc(bytes.length));
    await refused('DIGEST_MISMATCH', drain(opened.blob({ ...layer, digest }, never)));
  });

  test('are not read after the signal has fired', async () => {
    const opened = await source(`oci:${await layout({ v1: image })}:v1`);
    const aborted = new AbortController();
    aborted.abort(new Error('enough'));
    await expect(drain(opened.blob(layer, aborted.signal))).rejects.toThrow('enough');
  });
});

test('referrers are found by subject, by the tag of registries without an API, and by the tags of cosign', async () => {
  const subject = { ...image.descriptor };
  const artifact = (seed: string, more: Record<string, unknown>): BuiltTree => {
    const built = buildImage({ layers: [], config: { seed } });
    const manifest = jsonBytes({
      ...(JSON.parse(new TextDecoder().decode(built.manifest)) as object),
      ...more,
    });
    const descriptor = {
      mediaType: MEDIA_TYPES.oci.manifest,
      digest: digestOf(manifest),
      size: manifest.length,
    };
    return { descriptor, blobs: new Map([...built.blobs, [descriptor.digest, manifest]]) };
  };
  const bySubject = artifact('a', { subject });
  const byTag = artifact('b', {});
  const listed = artifact('c', {});
  const index = jsonBytes({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.oci.index,
    manifests: [listed.descriptor],
  });
  const indexDescriptor = { mediaType: MEDIA_TYPES.oci.index, digest: digestOf(index), size: index.length };
  const tag = image.descriptor.digest.replace(':', '-');
  const folder = await newFolder();
  await writeLayout(folder, {
    v1: image,
    v2: other,
    artifact: bySubject,
    [`${tag}.sig`]: byTag,
    [tag]: {
      descriptor: indexDescriptor,
      blobs: new Map([...listed.blobs, [indexDescriptor.digest, index]]),
    },
  });
  const opened = await source(`oci:${folder}:v1`);
  const found = await opened.referrers(image.descriptor.digest as Digest, never);
  expect(found.map(({ digest }) => digest).sort()).toEqual(
    [bySubject, byTag, listed].map(({ descriptor }) => descriptor.digest).sort(),
  );
  expect(await opened.referrers(other.descriptor.digest as Digest, never)).toEqual([]);
  // What was read is known the next time, and the answer is the same.
  expect(await opened.referrers(image.descriptor.digest as Digest, never)).toEqual(found);
  afterwards(() => opened.close());
});
