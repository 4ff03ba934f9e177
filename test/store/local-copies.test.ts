/** Blobs that are copied from file to file: from a layout or an archive of this machine into a layout. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDescriptor } from '../../src/oci/descriptor.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { Source } from '../../src/place/place.ts';
import { buildImage, writeLayout } from '../support/image-builder.ts';
import { never, noise } from '../support/registry/setup.ts';
import {
  blobPath,
  copy,
  layerOf,
  listFiles,
  newFolder,
  refused,
  source,
  target,
} from '../support/store/local.ts';

/** An image whose one layer takes several pieces to copy. */
const large = buildImage({ layers: [noise(3_000_000)] });
const layer = layerOf(large);

/** Where the bytes of a blob lie. */
interface Place {
  readonly file: string;
  readonly offset: number;
}

/** Writes the image into a layout or an archive. Returns its source, and where the layer lies. */
async function written(kind: 'layout' | 'oci-archive', folder: string): Promise<{ from: Source; at: Place }> {
  await writeLayout(join(folder, 'from'), { v1: large });
  const path = blobPath(join(folder, 'from'), layer.digest);
  if (kind === 'layout')
    return { from: await source(`oci:${folder}/from:v1`), at: { file: path, offset: 0 } };
  const file = join(folder, 'from.tar');
  await copy(await source(`oci:${folder}/from:v1`), await target(`oci-archive:${file}:v1`));
  const offset = (await readFile(file)).indexOf(await readFile(path));
  return { from: await source(`oci-archive:${file}:v1`), at: { file, offset } };
}

/** Lists what a copy has left in its destination. */
async function left(folder: string): Promise<readonly string[]> {
  return (await listFiles(folder)).filter((file) => file.startsWith('to'));
}

describe.each(['layout', 'oci-archive'] as const)('a blob of a local %s', (kind) => {
  test('comes whole into a layout, and every byte is counted', async () => {
    const folder = await newFolder();
    const { from } = await written(kind, folder);
    let told = 0;
    const opened = await target(`oci:${folder}/to:v1`);
    expect(await opened.adopt(layer, from, never, (count) => (told += count))).toBe('copied');
    expect(told).toBe(layer.size);
    await copy(from, opened);
    const expected = await readFile(blobPath(join(folder, 'from'), layer.digest));
    expect(Buffer.compare(await readFile(blobPath(join(folder, 'to'), layer.digest)), expected)).toBe(0);
  });

  test('is not taken with a wrong byte anywhere', async () => {
    for (const position of [0, 1_500_000, layer.size - 1]) {
      const folder = await newFolder();
      const { from, at } = await written(kind, folder);
      await flip(at.file, at.offset + position);
      const opened = await target(`oci:${folder}/to:v1`);
      const told = await refused('DIGEST_MISMATCH', opened.adopt(layer, from, never));
      expect(told).toContain(`source ${from.label}: blob ${layer.digest} has the digest sha256:`);
      expect(await left(folder)).toEqual([]);
    }
  });

  test('is not taken where it has another length than is stated', async () => {
    const folder = await newFolder();
    const { from } = await written(kind, folder);
    const opened = await target(`oci:${folder}/to:v1`);
    for (const size of [layer.size - 1, layer.size + 1, 0]) {
      const stated = makeDescriptor(layer.mediaType, layer.digest, size);
      const told = await refused('SIZE_MISMATCH', opened.adopt(stated, from, never));
      expect(told).toContain(
        `source ${from.label}: blob ${layer.digest} is ${layer.size} bytes long, not ${size}`,
      );
    }
    expect(await left(folder)).toEqual([]);
  });

  test('is not taken where its file becomes shorter on the way', async () => {
    const folder = await newFolder();
    const { from, at } = await written(kind, folder);
    const opened = await target(`oci:${folder}/to:v1`);
    // Opened before it is cut, as by a program that writes the source meanwhile.
    await from.root(never);
    await truncate(at.file, at.offset + 1_000_000);
    const told = await refused('SIZE_MISMATCH', opened.adopt(layer, from, never));
    expect(told).toContain('is 1000000 bytes long');
    expect(await left(folder)).toEqual([]);
  });

  test('is missing with the error of the source', async () => {
    const folder = await newFolder();
    const { from } = await written(kind, folder);
    const absent = makeDescriptor('x/y', `sha256:${'a'.repeat(64)}` as Digest, 5);
    const told = await refused('NOT_FOUND', (await target(`oci:${folder}/to:v1`)).adopt(absent, from, never));
    expect(told).toContain(`source ${from.label} has no blob`);
    expect(await left(folder)).toEqual([]);
  });

  test('leaves nothing where the copy is cancelled on the way', async () => {
    const folder = await newFolder();
    const { from } = await written(kind, folder);
    const stop = new AbortController();
    const opened = await target(`oci:${folder}/to:v1`);
    const copying = opened.adopt(layer, from, stop.signal, () => stop.abort(new Error('enough')));
    await expect(copying).rejects.toThrow('enough');
    expect(await left(folder)).toEqual([]);
  });

  test('is copied by several writers at once', async () => {
    const folder = await newFolder();
    const { from } = await written(kind, folder);
    const tags = ['a', 'b', 'c', 'd'];
    await Promise.all(tags.map(async (tag) => copy(from, await target(`oci:${folder}/to:${tag}`))));
    const files = await left(folder);
    expect(files.filter((file) => file.includes('.partial-'))).toEqual([]);
    expect(files.filter((file) => file.endsWith(layer.digest.slice(7)))).toHaveLength(1);
  });
});

test('a blob is copied through a link, and its copy is a file of its own', async () => {
  const folder = await newFolder();
  const { at } = await written('layout', folder);
  const moved = join(folder, 'elsewhere');
  await writeFile(moved, await readFile(at.file));
  await writeLayout(join(folder, 'linked'), { v1: large });
  const link = blobPath(join(folder, 'linked'), layer.digest);
  await rm(link);
  await symlink(moved, link);
  await copy(await source(`oci:${folder}/linked:v1`), await target(`oci:${folder}/to:v1`));
  await writeFile(moved, 'changed');
  expect((await readFile(blobPath(join(folder, 'to'), layer.digest))).length).toBe(layer.size);
});

test('a layout that is source and destination keeps its blobs and gets a name', async () => {
  const folder = await newFolder();
  await writeLayout(folder, { v1: large });
  const { adoptions } = await copy(await source(`oci:${folder}:v1`), await target(`oci:${folder}:v2`));
  expect(new Set(adoptions)).toEqual(new Set(['present']));
});

test('a blob of a sha512 digest is copied by that digest', async () => {
  const folder = await newFolder();
  await writeLayout(join(folder, 'from'), { v1: large });
  const bytes = noise(700_000, 3);
  const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest;
  const path = blobPath(join(folder, 'from'), digest);
  await mkdir(join(folder, 'from/blobs/sha512'), { recursive: true });
  await writeFile(path, bytes);
  const from = await source(`oci:${folder}/from:v1`);
  const opened = await target(`oci:${folder}/to:v1`);
  const descriptor = makeDescriptor('x/y', digest, bytes.length);
  await opened.adopt(descriptor, from, never);
  await writeFile(path, noise(700_000, 4));
  await refused('DIGEST_MISMATCH', (await target(`oci:${folder}/other:v1`)).adopt(descriptor, from, never));
});

/** Changes one byte of a file. */
async function flip(file: string, position: number): Promise<void> {
  await using handle = await open(file, 'r+');
  const byte = new Uint8Array(1);
  await handle.read(byte, 0, 1, position);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await handle.write(byte, 0, 1, position);
}
