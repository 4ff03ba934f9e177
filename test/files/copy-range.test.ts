import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyRange, type RangeCopying } from '../../src/files/copy-range.ts';
import { readAt } from '../../src/files/file-bytes.ts';
import { digestOf, hasher } from '../../src/oci/digest.ts';
import type { FileRange } from '../../src/place/place.ts';
import { KiB } from '../../src/units.ts';
import { never, noise } from '../support/registry/setup.ts';
import { afterwards, newFolder } from '../support/store/local.ts';

const slot = 512 * KiB;

/** Opens a range of a file with these bytes around it. */
async function rangeOf(
  bytes: Uint8Array,
  { before = 0, after = 0 } = {},
): Promise<FileRange & { path: string }> {
  const path = join(await newFolder(), 'from');
  await writeFile(path, Buffer.concat([noise(before, 1), bytes, noise(after, 2)]));
  const handle = await open(path);
  afterwards(() => handle.close());
  return { path, handle, offset: before, size: bytes.length, [Symbol.asyncDispose]: async () => {} };
}

/** Copies a range into a new file. Returns the outcome, what was hashed, and what is in the file. */
async function copied(from: FileRange, overrides: Partial<RangeCopying> = {}) {
  const handle = await open(join(await newFolder(), 'to'), 'wx+');
  afterwards(() => handle.close());
  const hash = hasher();
  const counts: number[] = [];
  const outcome = await copyRange(from, {
    handle,
    hash,
    onBytes: (count) => counts.push(count),
    onFailure: (error) => error,
    signal: never,
    ...overrides,
  }).catch((error: unknown) => error);
  const there = await readAt(handle, 0, (await handle.stat()).size);
  return { outcome, digest: hash.digest(), there, total: counts.reduce((sum, count) => sum + count, 0) };
}

describe('copying a range of a file', () => {
  const lengths = fc.oneof(
    fc.nat(2000),
    fc.nat(5 * slot),
    fc.constantFrom(0, 1, slot - 1, slot, slot + 1, 2 * slot, 3 * slot, 3 * slot + 1, 4 * slot, 7 * slot),
  );

  test('copies the same bytes for any length and place, and hashes what it writes', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, fc.nat(3000), fc.nat(3000), async (length, before, after) => {
        const bytes = noise(length, 7);
        const { outcome, digest, there, total } = await copied(await rangeOf(bytes, { before, after }));
        expect([outcome, total]).toEqual([length, length]);
        expect(Buffer.compare(there, bytes)).toBe(0);
        expect(digest).toBe(digestOf(bytes));
      }),
      { numRuns: 25 },
    );
  });

  test.each([0, 1, slot, slot + 5, 3 * slot])(
    'ends where its file has been cut to %i bytes',
    async (left) => {
      const bytes = noise(4 * slot);
      const from = await rangeOf(bytes);
      await truncate(from.path, left);
      const { outcome, digest, there } = await copied(from);
      expect(outcome).toBe(left);
      expect(Buffer.compare(there, bytes.subarray(0, left))).toBe(0);
      expect(digest).toBe(digestOf(there));
    },
  );

  test('hashes what it writes where the source changes on the way', async () => {
    const bytes = noise(8 * slot);
    const from = await rangeOf(bytes);
    let changing: Promise<unknown> = Promise.resolve();
    const { digest, there } = await copied(from, {
      onBytes: () => {
        changing = changing.then(() => writeFile(from.path, noise(8 * slot, 9), { flag: 'r+' }));
      },
    });
    await changing;
    expect(digest).toBe(digestOf(there));
  });

  test('fails with the error of a full disk, and leaves no work under way', async () => {
    const from = await rangeOf(noise(6 * slot));
    const full = await open('/dev/full', 'w');
    afterwards(() => full.close());
    const { outcome } = await copied(from, { handle: full, onFailure: () => new Error('no room') });
    expect(String(outcome)).toContain('no room');
  });

  test.each([1, 2, 5])('stops after piece %i when it is cancelled', async (piece) => {
    const from = await rangeOf(noise(8 * slot));
    const stop = new AbortController();
    let pieces = 0;
    const { outcome, there } = await copied(from, {
      signal: stop.signal,
      onBytes: () => {
        pieces += 1;
        if (pieces === piece) stop.abort(new Error('enough'));
      },
    });
    expect(String(outcome)).toContain('enough');
    expect(pieces).toBe(piece);
    expect(there.length).toBeLessThan(8 * slot);
  });

  test('reports a file that cannot be read', async () => {
    const folder = await open(await newFolder());
    afterwards(() => folder.close());
    const range = { handle: folder, offset: 0, size: 10, [Symbol.asyncDispose]: async () => {} };
    expect(String((await copied(range)).outcome)).toContain('cannot read a file');
  });
});
