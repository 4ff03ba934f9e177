import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { buildIndex, digestOf, readImageFrom, writeLayout } from '../../support/image-builder.ts';
import { writeTar } from '../../support/model/tar-bytes.ts';
import { never, noise } from '../../support/registry/setup.ts';
import { digestAt, membersOf, newFile, rootOf, write } from '../../support/store/archives.ts';
import {
  brokenStream,
  bytesStream,
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

const image = smallImage();
const other = smallImage({ seed: 'other' });

async function archiveOf(built: typeof image, tag = 'v1'): Promise<string> {
  const path = await newFile();
  await write(`oci-archive:${path}:${tag}`, built);
  return path;
}

test('an archive holds a valid layout, and is read back', async () => {
  const path = await archiveOf(image);
  const { entries } = await membersOf(path);
  expect(entries.slice(0, 2).map(({ name }) => name)).toEqual(['blobs/', 'blobs/sha256/']);
  expect(entries.slice(-2).map(({ name }) => name)).toEqual(['index.json', 'oci-layout']);
  expect(new Set(entries.map(({ mtime, uid, gid, uname }) => `${mtime} ${uid} ${gid} ${uname}`))).toEqual(
    new Set(['0 0 0 ']),
  );
  const blobs = new Map(entries.map(({ name, body }) => [name.replace(/^blobs\/sha256\//, 'sha256:'), body]));
  expect(readImageFrom({ blobs, descriptor: image.descriptor }).tars).toHaveLength(3);
  expect(await digestAt(`oci-archive:${path}:v1`)).toBe(image.descriptor.digest);
  await refused('NOT_FOUND', rootOf(`oci-archive:${path}:v2`));
});

test('an archive holds an index with all that it names', async () => {
  const folder = await newFolder();
  const tree = buildIndex({ images: [image, other], attestations: true });
  await writeLayout(join(folder, 'from'), { all: tree });
  await copy(await source(`oci:${folder}/from`), await target(`oci-archive:${folder}/a.tar:all`));
  const { root } = await copy(
    await source(`oci-archive:${folder}/a.tar`),
    await target(`oci:${folder}/to:all`),
  );
  expect(root.descriptor.digest).toBe(tree.descriptor.digest);
  const blobsIn = async (name: string) =>
    (await listFiles(join(folder, name))).filter((file) => file.startsWith('blobs'));
  expect(await blobsIn('to')).toEqual(await blobsIn('from'));
});

test('the same image makes the same file', async () => {
  const [one, two] = [await archiveOf(image), await archiveOf(image)];
  expect(Buffer.compare(await readFile(one), await readFile(two))).toBe(0);
});

test('an image may get several tags', async () => {
  const path = await newFile();
  await write([`oci-archive:${path}:v1`, `oci-archive:${path}:v2`], image);
  const { digest } = image.descriptor;
  for (const tag of [':v1', ':v2', '', `@${digest}`, `:v1@${digest}`]) {
    expect(await digestAt(`oci-archive:${path}${tag}`)).toBe(digest);
  }
});

test('the result is named by its digest, which reads it back; another digest is not found', async () => {
  const path = await newFile();
  const opened = await target(`oci-archive:${path}:v1`);
  await publish(opened, image);
  const name = opened.nameOf(image.descriptor.digest as Digest);
  expect(name).toBe(`oci-archive:${path}:v1@${image.descriptor.digest}`);
  expect(await digestAt(name)).toBe(image.descriptor.digest);
  await refused('NOT_FOUND', rootOf(`oci-archive:${path}@sha256:${'0'.repeat(64)}`));
  await refused('REFERENCE_INVALID', target(name));
});

describe('an archive that is not finished', () => {
  test('leaves the old file as it is', async () => {
    const path = await archiveOf(image);
    const before = await readFile(path);
    const opened = await target(`oci-archive:${path}:v1`);
    const bytes = noise(100_000);
    const staged = await opened.stage(() => bytesStream(bytes), never);
    await staged.commit(digestOf(bytes) as Digest, bytes.length, never);
    await expect(opened.stage(() => brokenStream(bytes), never)).rejects.toThrow('went dead');
    expect(Buffer.compare(await readFile(path), before)).toBe(0);
    await opened.close();
    expect(await listFiles(join(path, '..'))).toEqual(['image.tar']);
    expect(Buffer.compare(await readFile(path), before)).toBe(0);
  });

  test('may be written from the archive that it replaces', async () => {
    const path = await archiveOf(image);
    const { root } = await copy(
      await source(`oci-archive:${path}:v1`),
      await target(`oci-archive:${path}:v2`),
    );
    expect(root.descriptor.digest).toBe(image.descriptor.digest);
    expect(await digestAt(`oci-archive:${path}:v2`)).toBe(image.descriptor.digest);
  });

  test('holds no blob that was refused or aborted', async () => {
    const path = await newFile();
    const opened = await target(`oci-archive:${path}:v1`);
    const bytes = noise(3000);
    await (await opened.stage(() => bytesStream(bytes), never)).abort();
    const lying = await opened.stage(() => bytesStream(bytes), never);
    await refused('SIZE_MISMATCH', lying.commit(digestOf(bytes) as Digest, 7, never));
    const liar = await opened.stage(() => bytesStream(bytes), never);
    await refused('DIGEST_MISMATCH', liar.commit(digestOf(noise(1)) as Digest, bytes.length, never));
    const long = await opened.stage(() => bytesStream(bytes), never);
    await refused('UNSUPPORTED', long.commit(`sha512:${'a'.repeat(128)}` as Digest, bytes.length, never));
    // And one blob staged twice is there once.
    for (let times = 0; times < 2; times++) {
      const staged = await opened.stage(() => bytesStream(image.config), never);
      await staged.commit(digestOf(image.config) as Digest, image.config.length, never);
    }
    await publish(opened, image);
    const names = (await membersOf(path)).entries.map(({ name }) => name);
    const blobs = [...image.blobs.keys()].map((digest) => `blobs/${digest.replace(':', '/')}`);
    expect(names.toSorted()).toEqual(
      ['blobs/', 'blobs/sha256/', 'index.json', 'oci-layout', ...blobs].toSorted(),
    );
  });

  test('is not published with a manifest whose layers are missing', async () => {
    const path = await newFile();
    const opened = await target(`oci-archive:${path}:v1`);
    const manifest = { descriptor: descriptorOf(image.descriptor), bytes: image.manifest };
    await refused('ARCHIVE_INVALID', opened.publish(manifest, never));
    await opened.close();
    expect(await listFiles(join(path, '..'))).toEqual([]);
  });
});

describe('errors', () => {
  test('a source is refused: a missing file, a folder, an archive packed with xz, other files', async () => {
    const folder = await newFolder();
    const rootIn = (path: string) => rootOf(`oci-archive:${path}:v1`);
    expect(await refused('NOT_FOUND', rootIn(`${folder}/none.tar`))).toContain('none.tar');
    await refused('IO', rootIn(folder));
    await writeFile(join(folder, 'a.txz'), Buffer.from('fd377a585a000004', 'hex'));
    expect(await refused('UNSUPPORTED', rootIn(`${folder}/a.txz`))).toContain('xz -dk');
    await writeFile(join(folder, 'a.tgz'), gzipSync(await readFile(await archiveOf(image))));
    expect((await rootIn(`${folder}/a.tgz`)).descriptor.digest).toBe(image.descriptor.digest);
    await writeFile(join(folder, 'b.tar'), writeTar([{ name: 'hello' }]));
    await refused('NOT_FOUND', rootIn(`${folder}/b.tar`));
  });

  test('a source is refused: two files index.json', async () => {
    const folder = await newFolder();
    const body = new TextEncoder().encode('{"imageLayoutVersion":"1.0.0"}');
    const twice = writeTar([
      { name: 'oci-layout', body },
      { name: 'index.json', body: new TextEncoder().encode('{"manifests":[]}') },
      { name: './index.json', body: new TextEncoder().encode('{"manifests":[]}') },
    ]);
    await writeFile(join(folder, 'a.tar'), twice);
    expect(await refused('ARCHIVE_INVALID', rootOf(`oci-archive:${folder}/a.tar`))).toContain('twice');
  });

  test('a source is refused: a blob that was changed', async () => {
    const path = await archiveOf(image);
    const bytes = await readFile(path);
    const layer = image.layers[0] as (typeof image.layers)[number];
    const at = bytes.indexOf(Buffer.from(image.blobs.get(layer.digest) as Uint8Array));
    bytes[at + 30] = (bytes[at + 30] as number) ^ 1;
    await writeFile(path, bytes);
    const folder = await newFolder();
    const opened = await target(`oci:${folder}:v1`);
    await refused('DIGEST_MISMATCH', copy(await source(`oci-archive:${path}:v1`), opened));
    await opened.close();
    expect(await listFiles(folder)).toEqual([]);
  });

  test('a destination is refused: a folder, or a file in a missing folder', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'sub'));
    await refused('IO', target(`oci-archive:${folder}/sub:v1`));
    await refused('IO', target(`oci-archive:${folder}/none/a.tar:v1`));
  });
});
