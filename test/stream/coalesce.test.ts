import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ByteStream } from '../../src/stream/byte-stream.ts';
import { Coalescer, coalesce } from '../../src/stream/coalesce.ts';

async function* streamOf(pieces: readonly Uint8Array[]): ByteStream {
  yield* pieces;
}

async function read(stream: ByteStream): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** Pieces that lie in a few buffers, some of them side by side. */
const cuts = fc.array(
  fc.record({ buffer: fc.nat(2), at: fc.nat(300), length: fc.nat(60), adjoins: fc.boolean() }),
  { maxLength: 40 },
);

describe('gathering chunks', () => {
  test('gives the same bytes in fewer chunks, none of them empty', async () => {
    const buffers = [1, 2, 3].map((seed) =>
      Uint8Array.from({ length: 4000 }, (_, i) => (i * seed * 31 + seed) & 0xff),
    );
    await fc.assert(
      fc.asyncProperty(cuts, fc.integer({ min: 2, max: 100 }), async (list, size) => {
        let last = { buffer: 0, at: 0 };
        const pieces = list.map(({ buffer, at, length, adjoins }) => {
          const start = adjoins ? last : { buffer, at };
          last = { buffer: start.buffer, at: start.at + length };
          return (buffers[start.buffer] as Uint8Array).subarray(start.at, last.at);
        });
        const chunks = await read(coalesce(streamOf(pieces), size));
        expect(Buffer.compare(Buffer.concat(chunks), Buffer.concat(pieces))).toBe(0);
        expect(chunks.length).toBeLessThanOrEqual(pieces.filter(({ length }) => length > 0).length);
        expect(chunks.every(({ length }) => length > 0)).toBe(true);
        // Of two neighbours, one is large.
        for (let i = 1; i < chunks.length; i++)
          expect(Math.max(chunks[i - 1]?.length ?? 0, chunks[i]?.length ?? 0)).toBeGreaterThanOrEqual(
            size / 2,
          );
      }),
    );
  });

  test('copies neither large chunks nor small ones that adjoin in memory', () => {
    const memory = new Uint8Array(1000);
    const pieces = new Coalescer(100);
    for (let at = 0; at < 1000; at += 10) pieces.add(memory.subarray(at, at + 10));
    pieces.end();
    for (const length of [400, 400, 200]) {
      const piece = pieces.take();
      expect(piece?.buffer).toBe(memory.buffer);
      expect(piece?.length).toBe(length);
    }
    expect(pieces.take()).toBeNull();
  });
});
