import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { Gatherer } from '../../../src/layers/read/gather.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import { hasPrint, headBytes, isSamePrint, printBytes } from '../../../src/rootfs/facts/prints.ts';
import { lawRuns } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { b } from '../../support/bytes.ts';
import { tar } from '../../support/model/shorthand.ts';

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function printsOf(bytes: Uint8Array, chunk: number, probe: number) {
  const gatherer = new Gatherer({
    probe: () => probe,
    digests: false,
    twins: false,
    prints: true,
    programs: false,
  });
  await scanTar(inChunks(bytes, chunk), gatherer);
  return gatherer.facts();
}

test('law: a fingerprint is the first half of the SHA-256 of small contents, however they arrive', async () => {
  let prints = 0;
  await fc.assert(
    fc.asyncProperty(
      layerStack({ minLayers: 1 }),
      fc.constantFrom(512, 700, 3000, 1_000_000),
      fc.constantFrom(0, 5, 10_000),
      async ({ layers: [layer] }, chunk, probe) => {
        const { tar: bytes, model } = layer as NonNullable<typeof layer>;
        const facts = await printsOf(bytes, chunk, probe);
        const expected = new Uint8Array(model.length * printBytes);
        for (const [i, entry] of model.entries()) {
          if (entry.type !== 'file' || entry.sparse !== undefined || entry.size === 0) continue;
          const body = entry.body.subarray(0, entry.size);
          expected.set(createHash('sha256').update(body).digest().subarray(0, printBytes), i * printBytes);
          prints++;
          if (entry.size <= probe && entry.size > 2)
            expect(facts.contents.get(i)).toEqual(new Uint8Array(body));
        }
        expect(facts.prints).toEqual(expected);
      },
    ),
    { numRuns: lawRuns() },
  );
  expect(prints).toBeGreaterThan(50);
});

/** Returns the fingerprint of a large file, by the definition. */
function printOfLarge(body: Uint8Array): Uint8Array {
  const tail = new DataView(new ArrayBuffer(12));
  tail.setFloat64(0, body.length);
  tail.setUint32(8, crc32(body));
  const hash = createHash('sha256').update(body.subarray(0, headBytes)).update(new Uint8Array(tail.buffer));
  return new Uint8Array(hash.digest().subarray(0, printBytes));
}

test('a large file counts by its beginning, its size and a checksum of all of it, however it arrives', async () => {
  const body = Buffer.alloc(3 * headBytes + 17, 'some text');
  const end = Buffer.from(body);
  end[body.length - 1] = 0;
  const entries = [
    { name: 'a', body },
    { name: 'b', body: end },
    { name: 'c', body: Buffer.concat([body, Buffer.of(0)]) },
    { name: 'd', body: body.subarray(0, headBytes) },
  ];
  for (const chunk of [700, 65_536, 1_000_000]) {
    const { prints } = await printsOf(tar(...entries), chunk, 0);
    const own = entries.map((_, i) => prints.subarray(i * printBytes, (i + 1) * printBytes));
    expect(own.slice(0, 3)).toEqual(entries.slice(0, 3).map((entry) => printOfLarge(entry.body)));
    expect(new Set(own.map((print) => Buffer.from(print).toString('hex'))).size).toBe(4);
  }
});

test('of a thousand files each has its own', async () => {
  const { prints } = await printsOf(
    tar(...Array.from({ length: 1000 }, (_, i) => `f${i}=${i % 500}`)),
    65_536,
    0,
  );
  for (let i = 0; i < 500; i++) {
    expect(isSamePrint(prints, i, prints, i + 500)).toBe(true);
    expect(isSamePrint(prints, i, prints, (i + 1) % 500)).toBe(false);
  }
});

test('what has no contents has none, and is equal to nothing', async () => {
  const { prints } = await printsOf(tar('empty', 'd/', 'd/a=1'), 65_536, 0);
  expect([0, 1, 2, 3].map((entry) => hasPrint(prints, entry))).toEqual([false, false, true, false]);
  expect(isSamePrint(prints, 0, prints, 1)).toBe(false);
});

test('without them programs are looked into as before', async () => {
  const gatherer = new Gatherer({ probe: () => 0, digests: false, twins: false });
  await scanTar(inChunks(tar('a=#!/bin/sh\n'), 512), gatherer);
  expect(gatherer.facts()).toMatchObject({
    prints: new Uint8Array(0),
    scripts: new Map([[0, b('/bin/sh')]]),
  });
  expect((await printsOf(tar('a=#!/bin/sh\n'), 512, 0)).scripts.size).toBe(0);
});
