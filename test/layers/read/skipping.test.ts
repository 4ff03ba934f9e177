import fc from 'fast-check';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SkippingRange } from '../../../src/files/file-bytes.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import { packIndex } from '../../../src/layers/read/stored-index.ts';
import { OcislimError } from '../../../src/errors.ts';
import { KiB } from '../../../src/units.ts';
import { lawRuns } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { specOf } from '../../support/model/shorthand.ts';
import { type TarEnd, writeTar } from '../../support/model/tar-bytes.ts';

let folder = '';
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'skipping-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const { signal } = new AbortController();

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Returns what a scan finds, or the code of its error. */
async function outcome(scan: () => ReturnType<typeof scanTar>): Promise<unknown> {
  try {
    return packIndex(await scan());
  } catch (error) {
    if (error instanceof OcislimError) return `${error.code} ${error.message}`;
    throw error;
  }
}

/** Scans a tar in the middle of a file. Returns the result, and how many bytes of the file were read. */
async function skipping(tar: Uint8Array): Promise<{ readonly found: unknown; readonly read: number }> {
  const path = join(folder, 'layer');
  await writeFile(path, Buffer.concat([Buffer.alloc(100, 1), tar, Buffer.alloc(100, 2)]));
  await using handle = await open(path);
  const range = new SkippingRange({ handle, offset: 100, size: tar.length }, signal);
  let left = 0;
  const counting = {
    [Symbol.asyncIterator]: () => range,
    skip: (count: number) => {
      const skipped = range.skip(count);
      left += skipped;
      return skipped;
    },
  };
  const found = await outcome(() => scanTar(counting));
  return { found, read: tar.length - left };
}

test('law: a scan that leaves out contents finds what one of all bytes does, in any valid tar', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), async ({ layers }) => {
      for (const { tar } of layers) {
        const { found } = await skipping(tar);
        expect(found).toEqual(await outcome(() => scanTar(whole(tar))));
      }
    }),
    { numRuns: lawRuns({ share: 0.5 }) },
  );
});

/** Sizes around those of a read, and of what is worth leaving out. */
const size = fc.oneof(
  fc.constantFrom(0, 1, 512, 64 * KiB, 65 * KiB, 128 * KiB - 512, 128 * KiB, 200 * KiB, 700 * KiB),
  fc.nat({ max: 400 * KiB }),
);

test('law: so it does with files of any size, and where the tar is cut or goes on', async () => {
  const ends = fc.constantFrom<TarEnd>('blocks', 'record', 'untidy', 'none', 'one-block');
  const most = { skipped: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { maxLength: 5 }),
      ends,
      fc.nat({ max: 3000 }),
      async (sizes, end, cut) => {
        const entries = sizes.map((length, i) =>
          specOf({ name: `f${i}`, body: new Uint8Array(length).fill(i + 1) }),
        );
        const made = writeTar(entries, end);
        for (const tar of [
          made,
          made.subarray(0, Math.max(made.length - cut, 0)),
          Buffer.concat([made, made]),
        ]) {
          const { found, read } = await skipping(tar);
          expect(found).toEqual(await outcome(() => scanTar(whole(tar))));
          most.skipped = Math.max(most.skipped, tar.length - read);
        }
      },
    ),
    { numRuns: lawRuns({ share: 0.5 }) },
  );
  expect(most.skipped).toBeGreaterThan(300 * KiB);
});

test('of a large file only the head is read', async () => {
  const { read } = await skipping(
    writeTar([specOf({ name: 'large', body: new Uint8Array(8_000_000) }), specOf('b=1')]),
  );
  expect(read).toBeLessThan(400 * KiB);
});
