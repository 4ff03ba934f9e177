/** Blobs that the file system clones: the tests' own mostly cannot, so a copy stands for the clone. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { cloneFile } from '../../../src/files/clone-file.ts';
import { buildImage, writeLayout } from '../../support/image-builder.ts';
import { never, noise } from '../../support/registry/setup.ts';
import {
  blobPath,
  copy,
  layerOf,
  listFiles,
  newFolder,
  refused,
  source,
  target,
} from '../../support/store/local.ts';

const clone = vi.hoisted(() => vi.fn<typeof cloneFile>());
vi.mock('../../../src/files/clone-file.ts', () => ({ cloneFile: clone }));

const large = buildImage({ layers: [noise(3_000_000), noise(1_500_000, 2), noise(100, 3)] });
const layer = layerOf(large);

/** Clones as a file system does that can. */
const asCopy: typeof cloneFile = async (from, to) => {
  await copyFile(`/proc/self/fd/${from.fd}`, to);
  return true;
};

beforeEach(() => void clone.mockReset());

async function written(): Promise<string> {
  const folder = await newFolder();
  await writeLayout(join(folder, 'from'), { v1: large });
  return folder;
}

describe('a blob that the file system clones', () => {
  test('is in the new layout, counted, and readable as any other', async () => {
    clone.mockImplementation(asCopy);
    const folder = await written();
    await copy(await source(`oci:${folder}/from:v1`), await target(`oci:${folder}/to:v1`));
    // Small blobs are copied.
    expect(clone).toHaveBeenCalledTimes(2);
    for (const file of (await listFiles(join(folder, 'to'))).filter((name) => name.startsWith('blobs')))
      expect(
        Buffer.compare(await readFile(join(folder, 'to', file)), await readFile(join(folder, 'from', file))),
      ).toBe(0);
  });

  test('is not taken with a wrong byte: the bytes of the clone are hashed', async () => {
    const folder = await written();
    clone.mockImplementation(async (from, to) => {
      await asCopy(from, to);
      const bytes = await readFile(to);
      bytes[2_000_000] = (bytes[2_000_000] ?? 0) ^ 1;
      await writeFile(to, bytes);
      return true;
    });
    const adopting = (await target(`oci:${folder}/to:v1`)).adopt(
      layer,
      await source(`oci:${folder}/from:v1`),
      never,
    );
    const told = await refused('DIGEST_MISMATCH', adopting);
    expect(told).toContain(`source oci:${folder}/from:v1: blob ${layer.digest}`);
    expect((await listFiles(folder)).filter((file) => file.startsWith('to'))).toEqual([]);
  });

  test('is not taken where the source had another length at that moment', async () => {
    const folder = await written();
    clone.mockImplementation(async (_, to) => {
      await writeFile(to, noise(2_000_000));
      return true;
    });
    const adopting = (await target(`oci:${folder}/to:v1`)).adopt(
      layer,
      await source(`oci:${folder}/from:v1`),
      never,
    );
    expect(await refused('SIZE_MISMATCH', adopting)).toContain('is 2000000 bytes long');
    expect((await listFiles(folder)).filter((file) => file.startsWith('to'))).toEqual([]);
  });

  test('is copied where the file system makes no clones, and no other clone is tried', async () => {
    clone.mockResolvedValue(false);
    const folder = await written();
    const [from, to] = [await source(`oci:${folder}/from:v1`), await target(`oci:${folder}/to:v1`)];
    await to.adopt(layer, from, never);
    await to.adopt(layerOf(large, 1), from, never);
    await copy(from, to);
    expect(clone).toHaveBeenCalledTimes(1);
    expect((await readFile(blobPath(join(folder, 'to'), layer.digest))).length).toBe(layer.size);
  });

  test('is never a blob of an archive, which is a part of a file', async () => {
    const folder = await written();
    await copy(await source(`oci:${folder}/from:v1`), await target(`oci-archive:${folder}/from.tar:v1`));
    clone.mockImplementation(asCopy);
    await copy(await source(`oci-archive:${folder}/from.tar:v1`), await target(`oci:${folder}/to:v1`));
    expect(clone).not.toHaveBeenCalled();
  });
});
