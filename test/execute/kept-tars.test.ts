import { expect, test } from 'vitest';
import { squash } from '../../src/slim/squash.ts';
import { KeptTars } from '../../src/execute/kept-tars.ts';
import type { ByteStream } from '../../src/stream/byte-stream.ts';
import { buildImage } from '../support/image-builder.ts';
import { writeTar } from '../support/model/tar-bytes.ts';
import { rewrite } from './rig.ts';

async function* streamOf(chunks: readonly Uint8Array[], failure: Error | null = null): ByteStream {
  yield* chunks;
  if (failure !== null) throw failure;
}

async function read(stream: ByteStream | null): Promise<string | null> {
  if (stream === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    chunks.push(new Uint8Array(chunk));
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
  await expect(
    read(kept.keep(streamOf(bytes('false'), new Error('a wrong digest')), 'a', 0)),
  ).rejects.toThrow();
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

test('a layer that was kept is read from its source once, and the image is the same', async () => {
  const tree = buildImage({
    layers: [
      writeTar([{ name: 'a', body: Buffer.from('one') }, { name: 'b' }]),
      writeTar([{ name: '.wh.b' }, { name: 'c', body: Buffer.from('two') }]),
    ],
    compress: ['gzip', 'zstd'],
  });
  const readings = async (maxKept: number) => {
    const { source, outcome } = await rewrite(tree, [squash({ kind: 'all' })], { maxKept, maxScratch: 0 });
    return {
      times: tree.layers.map(({ digest }) => source.countOf(digest)),
      root: outcome.root?.descriptor.digest,
    };
  };
  const without = await readings(0);
  expect(without.times).toEqual([2, 2]);
  expect(await readings(1_000_000)).toEqual({ times: [1, 1], root: without.root });
  // The end marks alone are longer.
  expect(await readings(1000)).toEqual(without);
});
