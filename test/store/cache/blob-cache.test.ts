import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ProgressEvent } from '../../../src/events.ts';
import { type Descriptor, descriptorOfBytes } from '../../../src/oci/descriptor.ts';
import type { BlobCache } from '../../../src/store/cache/blob-cache.ts';
import { temporaryName } from '../../../src/files/temporary.ts';
import { collect } from '../../../src/stream/collect.ts';
import { verify } from '../../../src/stream/verify.ts';
import { bytesIn, cachedBlobs, cachedFile, openCache, partialIn } from '../../support/store/cache.ts';
import { deadMark, newFolder } from '../../support/store/local.ts';

const { signal } = new AbortController();
let folder = '';
beforeEach(async () => {
  folder = await newFolder();
});

interface Sample {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

function sample(seed: number, length: number): Sample {
  const bytes = new Uint8Array(length).map((_, i) => (seed * 31 + i * 7) & 255);
  bytes.set(new TextEncoder().encode(`${seed} `).subarray(0, length));
  return { bytes, descriptor: descriptorOfBytes('application/octet-stream', bytes) };
}

const drain = (from: AsyncIterable<Uint8Array>) => collect(from, 1e9, 'a test stream');

async function* stream(bytes: Uint8Array, breaksAfter = Number.POSITIVE_INFINITY) {
  for (let at = 0; at < bytes.length; at += 100) {
    if (at >= breaksAfter) throw new Error('the source broke');
    await Promise.resolve();
    yield bytes.slice(at, at + 100);
  }
}

async function put(cache: BlobCache, { bytes, descriptor }: Sample): Promise<void> {
  expect(await drain(cache.keep(stream(bytes), descriptor))).toEqual(bytes);
}

async function get(cache: BlobCache, { descriptor }: Sample): Promise<Uint8Array | null> {
  const found = await cache.read(descriptor, signal);
  if (found === null) return null;
  try {
    return await drain(found.read());
  } finally {
    await found.close();
  }
}

describe('a blob that has passed through the cache', () => {
  test('can be read by this process and the next, and by its owner only', async () => {
    const one = sample(1, 1000);
    const cache = await openCache(folder);
    await put(cache, one);
    expect(await get(cache, one)).toEqual(one.bytes);
    await cache.close();
    expect(await get(await openCache(folder), one)).toEqual(one.bytes);
    const path = cachedFile(folder, one.descriptor.digest);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const name of ['blobs', 'blobs/sha256', 'partial', 'recipes'])
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o700);
    expect(partialIn(folder)).toEqual([]);
  });

  test('may be empty, or have a sha512 digest', async () => {
    const cache = await openCache(folder);
    const empty = sample(0, 0);
    await put(cache, empty);
    expect(await get(cache, empty)).toEqual(new Uint8Array(0));
    const { bytes } = sample(5, 300);
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Descriptor['digest'];
    const long = { bytes, descriptor: { ...sample(5, 300).descriptor, digest } };
    await put(cache, long);
    expect(await get(cache, long)).toEqual(bytes);
  });

  test('is not kept if its bytes are wrong, its stream failed, or its consumer left early', async () => {
    const [one, two] = [sample(1, 1000), sample(2, 1000)];
    const cache = await openCache(folder);
    const lying = verify(stream(two.bytes), one.descriptor, 'what lies');
    await expect(drain(cache.keep(lying, one.descriptor))).rejects.toThrow('what lies has the digest');
    await drain(cache.keep(stream(one.bytes.subarray(0, 900)), one.descriptor));
    await expect(drain(cache.keep(stream(one.bytes, 500), one.descriptor))).rejects.toThrow('broke');
    for await (const _ of cache.keep(stream(one.bytes), one.descriptor)) break;
    expect(cachedBlobs(folder).size).toBe(0);
    expect(partialIn(folder)).toEqual([]);
    expect(await get(cache, one)).toBeNull();
  });

  test('is not handed out under another size', async () => {
    const one = sample(1, 1000);
    const cache = await openCache(folder);
    await put(cache, one);
    expect(await cache.read({ ...one.descriptor, size: 999 }, signal)).toBeNull();
    expect(await get(cache, one)).toEqual(one.bytes);
  });

  test('is read to its end although it is removed meanwhile', async () => {
    const one = sample(1, 600_000);
    const cache = await openCache(folder);
    await put(cache, one);
    const found = await cache.read(one.descriptor, signal);
    rmSync(cachedFile(folder, one.descriptor.digest));
    expect(found === null ? null : await drain(found.read())).toEqual(one.bytes);
    await found?.close();
  });
});

test('a damaged file is removed, and replaced when the source is read again', async () => {
  const one = sample(1, 1000);
  const path = cachedFile(folder, one.descriptor.digest);
  const cache = await openCache(folder);
  await put(cache, one);
  const damaged = Uint8Array.from(one.bytes);
  damaged[500] = (damaged[500] ?? 0) ^ 1;
  writeFileSync(path, damaged);
  expect(await get(cache, one)).toBeNull();
  expect(existsSync(path)).toBe(false);
  await put(cache, one);
  writeFileSync(path, one.bytes.subarray(0, 100));
  expect(await get(cache, one)).toBeNull();
  await put(cache, one);
  expect(await get(cache, one)).toEqual(one.bytes);
});

describe('the bound of a cache', () => {
  test('removes the least recently used blobs', async () => {
    const samples = [1, 2, 3, 4].map((seed) => sample(seed, 300));
    const [one, two, three, four] = samples as [Sample, Sample, Sample, Sample];
    const cache = await openCache(folder, { maxBytes: 1000 });
    for (const each of [one, two, three]) {
      await put(cache, each);
      const seconds = 1000 + Number(each.bytes[0]);
      utimesSync(cachedFile(folder, each.descriptor.digest), seconds, seconds);
    }
    expect(await get(cache, one)).toEqual(one.bytes);
    await put(cache, four);
    const kept = cachedBlobs(folder);
    expect([one, two, three, four].map(({ descriptor }) => kept.has(descriptor.digest))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  test('keeps no blob that is larger', async () => {
    const large = sample(1, 1001);
    const cache = await openCache(folder, { maxBytes: 1000 });
    expect(cache.accepts(1001)).toBe(false);
    await put(cache, large);
    const writer = cache.writer(null);
    for await (const chunk of stream(large.bytes)) await writer.write(chunk);
    await writer.keep(large.descriptor.digest, 1001);
    expect(cachedBlobs(folder).size).toBe(0);
    expect(bytesIn(folder)).toBe(0);
  });

  test('holds for blobs of unknown length', async () => {
    const cache = await openCache(folder, { maxBytes: 1000 });
    const writers = [1, 2, 3].map((seed) => ({ ...sample(seed, 700), writer: cache.writer(null) }));
    for (let at = 0; at < 700; at += 100) {
      for (const { writer, bytes } of writers) await writer.write(bytes.slice(at, at + 100));
      expect(bytesIn(folder)).toBeLessThanOrEqual(1000);
    }
    for (const { writer, descriptor } of writers) await writer.keep(descriptor.digest, 700);
    expect(cachedBlobs(folder).size).toBe(1);
    expect(partialIn(folder)).toEqual([]);
  });

  test('holds for a folder that was larger before', async () => {
    const cache = await openCache(folder);
    for (let seed = 0; seed < 10; seed++) await put(cache, sample(seed, 500));
    await openCache(folder, { maxBytes: 1200 });
    expect(cachedBlobs(folder).size).toBe(2);
  });
});

type Act =
  | { readonly kind: 'put' | 'get'; readonly which: number }
  | { readonly kind: 'flip' | 'cut' | 'grow' | 'swap'; readonly which: number; readonly at: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constantFrom('put' as const, 'get' as const), which: fc.nat(5) }),
  fc.record({
    kind: fc.constantFrom('flip' as const, 'cut' as const, 'grow' as const, 'swap' as const),
    which: fc.nat(5),
    at: fc.nat(999),
  }),
);

test('law: a cache hands out right bytes or none, and stays within its bound, whatever happens to its files', async () => {
  const samples = [0, 1, 100, 101, 400, 900].map((length, i) => sample(i, length));
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { maxLength: 25 }),
      fc.integer({ min: 0, max: 1600 }),
      async (acts, maxBytes) => {
        rmSync(folder, { recursive: true, force: true });
        let cache = await openCache(folder, { maxBytes });
        for (const { kind, which, ...rest } of acts) {
          const one = samples[which] as Sample;
          const path = cachedFile(folder, one.descriptor.digest);
          const file = existsSync(path) ? readFileSync(path) : null;
          const at = 'at' in rest ? rest.at : 0;
          if (kind === 'put') await put(cache, one);
          else if (kind === 'get') {
            const found = await get(cache, one);
            if (found !== null) expect(found).toEqual(one.bytes);
          } else if (file !== null) {
            if (kind === 'flip' && file.length > 0)
              file[at % file.length] = (file[at % file.length] ?? 0) ^ 16;
            const other = samples[(which + 1) % samples.length] as Sample;
            const damaged = { flip: file, cut: file.subarray(0, at), grow: Buffer.concat([file, file]) };
            writeFileSync(path, kind === 'swap' ? other.bytes : damaged[kind]);
            // Another program's bytes are not ours to bound.
            if (kind === 'grow' || kind === 'swap') cache = await openCache(folder, { maxBytes });
          }
          expect(bytesIn(folder)).toBeLessThanOrEqual(maxBytes);
          expect(partialIn(folder)).toEqual([]);
        }
        for (const one of samples) expect([null, one.bytes]).toContainEqual(await get(cache, one));
      },
    ),
    { numRuns: 60 },
  );
});

test('law: several caches over one folder can write and read at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(7), { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 6 }),
      async (jobs) => {
        rmSync(folder, { recursive: true, force: true });
        const samples = Array.from({ length: 8 }, (_, i) => sample(i, 150 * (i + 1)));
        const caches = await Promise.all(jobs.map(() => openCache(folder, { maxBytes: 2500 })));
        await Promise.all(
          jobs.map(async (job, i) => {
            const cache = caches[i] as BlobCache;
            for (const which of job) {
              const one = samples[which] as Sample;
              const found = await get(cache, one);
              if (found === null) await put(cache, one);
              else expect(found).toEqual(one.bytes);
            }
          }),
        );
        await Promise.all(caches.map((cache) => cache.close()));
        cachedBlobs(folder);
        expect(partialIn(folder)).toEqual([]);
        await (await openCache(folder, { maxBytes: 2500 })).close();
        expect(bytesIn(folder)).toBeLessThanOrEqual(2500);
      },
    ),
    { numRuns: 30 },
  );
});

describe('unfinished files', () => {
  test('of ended processes are removed, those of running ones stay', async () => {
    await openCache(folder);
    const dead = `blob.partial-${await deadMark()}`;
    const living = temporaryName('blob');
    for (const name of [dead, living]) writeFileSync(join(folder, 'partial', name), 'half');
    await openCache(folder);
    expect(partialIn(folder)).toEqual([living]);
  });

  test('that have not been written to for an hour are removed', async () => {
    await openCache(folder);
    const path = join(folder, 'partial', 'blob.partial-1-00000000-0000000000000000');
    writeFileSync(path, 'half');
    await openCache(folder);
    expect(partialIn(folder)).toHaveLength(1);
    utimesSync(path, 1000, 1000);
    await openCache(folder);
    expect(partialIn(folder)).toEqual([]);
  });

  test('of this process are removed when the cache is closed', async () => {
    const cache = await openCache(folder);
    const writer = cache.writer(null);
    await writer.write(new Uint8Array(10));
    expect(partialIn(folder)).toHaveLength(1);
    await cache.close();
    expect(partialIn(folder)).toEqual([]);
  });
});

describe('a cache that cannot be used', () => {
  const warnings: string[] = [];
  const listener = (event: ProgressEvent) => {
    if (event.type === 'warning') warnings.push(`${event.code} ${event.message}`);
  };
  beforeEach(() => {
    warnings.length = 0;
  });

  test.each(['file', 'file/below'])('is refused at the start: a folder at %s', async (name) => {
    writeFileSync(join(folder, 'file'), '');
    await expect(openCache(join(folder, name))).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining(join(folder, name)),
    });
  });

  test('is not written to after a failure, warns once, and can still be read', async () => {
    const [one, two, three] = [sample(1, 500), sample(2, 500), sample(3, 500)];
    const cache = await openCache(folder, { listener });
    await put(cache, one);
    renameSync(join(folder, 'partial'), join(folder, 'elsewhere'));
    writeFileSync(join(folder, 'partial'), '');
    await put(cache, two);
    await put(cache, three);
    await cache.recipes.remember('recipe', {
      digest: one.descriptor.digest,
      size: 1,
      diffId: one.descriptor.digest,
      tarBytes: 1,
    });
    expect(warnings).toEqual([
      expect.stringMatching(/^CACHE_OFF cannot write into the cache .*; the work goes on without it$/),
    ]);
    expect(cache.accepts(1)).toBe(false);
    expect(await get(cache, one)).toEqual(one.bytes);
    await cache.close();
  });

  test('is not written to after the last step of a blob has failed', async () => {
    // The place of a blob is taken by a folder: the last step fails.
    const one = sample(1, 500);
    const cache = await openCache(folder, { listener });
    mkdirSync(join(cachedFile(folder, one.descriptor.digest), 'x'), { recursive: true });
    await put(cache, one);
    expect(warnings).toHaveLength(1);
    expect(partialIn(folder)).toEqual([]);
    expect(await get(cache, one)).toBeNull();
  });

  test('does not use recipes that other users may have written', async () => {
    const made = { digest: sample(1, 1).descriptor.digest, size: 1, tarBytes: 1 };
    const recipe = { ...made, diffId: made.digest };
    const cache = await openCache(folder, { listener });
    await cache.recipes.remember('recipe', recipe);
    chmodSync(join(folder, 'recipes'), 0o777);
    const careful = await openCache(folder, { listener });
    expect(await careful.recipes.recall('recipe', signal)).toBeNull();
    expect(warnings).toEqual([expect.stringMatching(/^CACHE_OFF others can write into .*recipes/)]);
    chmodSync(join(folder, 'recipes'), 0o700);
    expect(await (await openCache(folder)).recipes.recall('recipe', signal)).toEqual(recipe);
  });
});
