import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { UploadBlocks } from '../../../src/registry/upload/upload-blocks.ts';
import { drain } from '../../support/registry/setup.ts';

async function* chunks(sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let next = 0;
  for (const size of sizes) yield Uint8Array.from({ length: size }, () => next++ % 251);
}

const sizes = fc.array(fc.nat(40), { maxLength: 12 });

test('all blocks but the last are full, and together they are the stream', async () => {
  const property = fc.asyncProperty(sizes, fc.integer({ min: 1, max: 50 }), async (lengths, size) => {
    const whole = await drain(chunks(lengths));
    const reader = new UploadBlocks(chunks(lengths));
    const blocks: Buffer[] = [];
    let before: Uint8Array | null = null;
    let copied: Buffer | null = null;
    do {
      const block = await reader.next(size);
      // The block before is still good while this one is filled.
      if (before !== null && copied !== null) expect(copied.equals(before)).toBe(true);
      before = block;
      copied = Buffer.from(block);
      blocks.push(copied);
    } while (!reader.ended);
    expect(Buffer.concat(blocks).equals(whole)).toBe(true);
    expect(reader.length).toBe(whole.length);
    expect(blocks.slice(0, -1).every((block) => block.length === size)).toBe(true);
  });
  await fc.assert(property);
});

test('a block can grow, and what follows it can be read as a stream', async () => {
  const property = fc.asyncProperty(
    sizes,
    fc.integer({ min: 1, max: 20 }),
    fc.nat(30),
    async (lengths, size, more) => {
      const whole = await drain(chunks(lengths));
      const reader = new UploadBlocks(chunks(lengths));
      const first = await reader.next(size);
      const grown = await reader.next(size + more, first);
      expect(Buffer.from(grown).equals(whole.subarray(0, size + more))).toBe(true);
      expect((await drain(reader.rest(grown))).equals(whole)).toBe(true);
      expect(reader.length).toBe(whole.length);
    },
  );
  await fc.assert(property);
});

test('closing ends the producer', async () => {
  let released = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array(10);
    } finally {
      released = true;
    }
  }
  const reader = new UploadBlocks(endless());
  await reader.next(25);
  await reader.close();
  expect(released).toBe(true);
});
