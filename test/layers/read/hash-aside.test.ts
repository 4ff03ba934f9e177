import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UnpackThreads } from '../../../src/codec/unpack/threads.ts';
import { hashAside } from '../../../src/layers/read/hash-aside.ts';
import { descriptorOfBytes } from '../../../src/oci/descriptor.ts';
import { MiB } from '../../../src/units.ts';

let folder = '';
const hashers = new UnpackThreads(1);
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'hash-aside-'))));
afterAll(async () => {
  await hashers.close();
  await rm(folder, { recursive: true, force: true });
});

const bytes = Buffer.alloc(5 * MiB + 3, 'some bytes of a layer');
const { signal } = new AbortController();

/** Reads what a file holds as a layer with the digest of `bytes`. Returns the bytes, and how many were counted. */
async function read(content: Uint8Array, { isDiffId = false, offset = 0, size = content.length } = {}) {
  const path = join(folder, 'blob');
  await writeFile(path, content);
  const handle = await open(path);
  let closed = false;
  const file = {
    handle,
    offset,
    size,
    [Symbol.asyncDispose]: async () => {
      closed = true;
      await handle.close();
    },
  };
  let count = 0;
  const expected = descriptorOfBytes('application/vnd.oci.image.layer.v1.tar', bytes);
  const stream = hashAside(file, { hashers, expected, isDiffId, onBytes: (more) => (count += more), signal });
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk.slice());
  } finally {
    expect(closed).toBe(true);
  }
  return { read: Buffer.concat(chunks), count };
}

test('the bytes are those of the file, from where they begin', async () => {
  const around = Buffer.concat([Buffer.alloc(77, 1), bytes, Buffer.alloc(500, 2)]);
  const result = await read(around, { offset: 77, size: bytes.length });
  expect(result.read.equals(bytes)).toBe(true);
  expect(result.count).toBe(bytes.length);
});

describe('other bytes fail', () => {
  const other = Buffer.from(bytes);
  other[3 * MiB] = 0;

  test.each([
    ['a blob', false, 'DIGEST_MISMATCH'],
    ['a layer that only the config names', true, 'DIFFID_MISMATCH'],
  ])('of %s', async (_, isDiffId, code) => {
    await expect(read(other, { isDiffId })).rejects.toMatchObject({ code });
  });

  test('that are fewer, or become fewer', async () => {
    const fewer = bytes.subarray(0, 4 * MiB);
    await expect(read(fewer)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
    await expect(read(fewer, { size: bytes.length })).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
  });
});
