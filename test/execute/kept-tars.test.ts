import { expect, test } from 'vitest';
import { KeptTars } from '../../src/execute/kept-tars.ts';
import type { ByteStream } from '../../src/stream/byte-stream.ts';

async function* streamOf(chunks: readonly Uint8Array[], failure: Error | null = null): ByteStream {
  yield* chunks;
  if (failure !== null) throw failure;
}

async function read(stream: ByteStream | null): Promise<string | null> {
  if (stream === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk.slice());
    // A chunk is the consumer's: what it does to it is its own affair.
    chunk.fill(0);
  }
  return Buffer.concat(chunks).toString();
}

const bytes = (text: string) => [Buffer.from(text), Buffer.from('!')];

test('what passed through is there again, as often as it is asked for', async () => {
  const kept = new KeptTars(100);
  expect(await read(kept.keep(streamOf(bytes('tar')), 'a', 0))).toBe('tar!');
  expect([await read(kept.read('a')), await read(kept.read('a'))]).toEqual(['tar!', 'tar!']);
  expect(kept.read('b')).toBeNull();
});

test('what does not fit passes, and leaves the room to others', async () => {
  const kept = new KeptTars(6);
  expect(await read(kept.keep(streamOf(bytes('longer')), 'a', 0))).toBe('longer!');
  expect(await read(kept.keep(streamOf(bytes('tar')), 'b', 7))).toBe('tar!');
  expect([kept.read('a'), kept.read('b')]).toEqual([null, null]);
  expect(await read(kept.keep(streamOf(bytes('short')), 'c', 0))).toBe('short!');
  expect(await read(kept.read('c'))).toBe('short!');
  expect(await read(kept.keep(streamOf(bytes('')), 'd', 0))).toBe('!');
  expect(kept.read('d')).toBeNull();
});

test('what fails, or is left, is not kept', async () => {
  const kept = new KeptTars(6);
  await expect(read(kept.keep(streamOf(bytes('false'), new Error('a wrong digest')), 'a', 0))).rejects.toThrow();
  for await (const chunk of kept.keep(streamOf(bytes('short')), 'b', 0)) if (chunk.length > 0) break;
  expect([kept.read('a'), kept.read('b')]).toEqual([null, null]);
  expect(await read(kept.keep(streamOf(bytes('short')), 'c', 0))).toBe('short!');
  expect(kept.read('c')).not.toBeNull();
});

test('two readings of one tar at once take the room of one', async () => {
  const kept = new KeptTars(12);
  const first = kept.keep(streamOf(bytes('tar')), 'a', 0);
  const second = kept.keep(streamOf(bytes('tar')), 'a', 0);
  expect(await Promise.all([read(first), read(second)])).toEqual(['tar!', 'tar!']);
  expect(await read(kept.keep(streamOf(bytes('seventh')), 'b', 0))).toBe('seventh!');
  expect(kept.read('b')).not.toBeNull();
});
