import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ContentDigest } from '../../../src/layers/read/content-digest.ts';

/** Runs of bytes of one value, of lengths around those of blocks. */
const pieces = fc.array(
  fc.record({
    value: fc.constantFrom(0, 0, 1, 255),
    length: fc.oneof(
      fc.nat({ max: 20 }),
      fc.constantFrom(4095, 4096, 4097, 8192, 12_288),
      fc.nat({ max: 10_000 }),
    ),
  }),
  { maxLength: 8 },
);

function contentOf(list: readonly { readonly value: number; readonly length: number }[]): Uint8Array {
  return Buffer.concat(list.map(({ value, length }) => Buffer.alloc(length, value)));
}

function digestOf(content: Uint8Array, chunk = content.length): string {
  const digest = new ContentDigest();
  for (let at = 0; at < content.length; at += chunk) digest.write(content.subarray(at, at + chunk));
  return digest.finish();
}

test('chunks and holes of the same contents give the same digest', () => {
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 9000 }), fc.array(fc.boolean()), (list, chunk, holes) => {
      const content = contentOf(list);
      const digest = new ContentDigest();
      list.forEach(({ value, length }, i) => {
        if (value === 0 && holes[i] === true) digest.skip(length);
        else digest.write(Buffer.alloc(length, value));
      });
      expect(digest.finish()).toBe(digestOf(content));
      expect(digestOf(content, chunk)).toBe(digestOf(content));
    }),
  );
});

test('changing one byte gives another digest', () => {
  fc.assert(
    fc.property(pieces, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, at, change) => {
      const content = contentOf(list);
      fc.pre(content.length > 0);
      const other = new Uint8Array(content);
      const place = at % content.length;
      other[place] = (other[place] as number) ^ change;
      expect(digestOf(other)).not.toBe(digestOf(content));
    }),
  );
});

test('moving a block of zeros gives another digest', () => {
  const block = (value: number): { value: number; length: number } => ({ value, length: 4096 });
  const orders = [
    [block(0), block(1), block(1)],
    [block(1), block(0), block(1)],
    [block(1), block(1), block(0)],
    [block(1), block(1), block(0), block(0), block(1)],
    [block(1), block(1), block(0), block(1)],
  ];
  expect(new Set(orders.map((order) => digestOf(contentOf(order)))).size).toBe(orders.length);
});

test('without a block of zeros it is the sha256 of the contents', () => {
  const content = Buffer.from('x'.repeat(10_000));
  expect(digestOf(content)).toBe(createHash('sha256').update(content).digest('hex'));
  expect(digestOf(new Uint8Array(0))).toBe(createHash('sha256').digest('hex'));
});

test('the time for a hole does not depend on its size', () => {
  const digest = new ContentDigest();
  digest.skip(2 ** 52);
  digest.write(Buffer.from('end'));
  expect(digest.finish()).toMatch(/^holes:[0-9a-f]{64}$/);
});
