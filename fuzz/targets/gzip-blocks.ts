/** The target of the search for deflate blocks in gzip. Both engines must find the same ones, and unpack as the decoder does. */
import { gzipSync } from 'node:zlib';
import { decode } from '../../src/codec/decode.ts';
import { gzipBlocks } from '../../src/codec/gzip-blocks.ts';
import type { GzipBlock } from '../../src/codec/gzip-block.ts';
import { findNative, loadFound } from '../../src/codec/native.ts';
import { OcislimError } from '../../src/errors.ts';
import { concat } from '../../src/stream/collect.ts';
import { choiceOf, holds, inChunks, type Outcome, outcomeOf, same, type Target } from '../target.ts';
import { MiB } from '../../src/units.ts';
import { target as gzip } from './gzip.ts';

/** The most that is unpacked: inputs of a few KiB unpack to hundreds of MiB. */
const maxBytes = 4 * MiB;

const { signal } = new AbortController();
const found = findNative();
const native = loadFound(found.kind === 'found' ? found.path : null);

interface Found {
  readonly bytes: Uint8Array;
  readonly blocks: readonly GzipBlock[];
}

async function find(bytes: Uint8Array, chunk: number, engine: typeof native): Promise<Found> {
  const parts: Uint8Array[] = [];
  const blocks: GzipBlock[] = [];
  let end = 0;
  for await (const piece of gzipBlocks(inChunks(bytes, chunk), { signal, native: engine })) {
    const start = end;
    end += piece.bytes.length;
    if (end > maxBytes) throw new OcislimError('LIMIT', 'a bomb');
    parts.push(piece.bytes);
    for (const block of piece.blocks) {
      holds(block.byte >= start && block.byte <= end, 'a block is not in its piece');
      holds(block.bit > (blocks.at(-1)?.bit ?? 0), 'blocks are not in order');
      blocks.push(block);
    }
  }
  return { bytes: concat(parts), blocks };
}

async function unpack(bytes: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of decode(inChunks(bytes, MiB), 'gzip', { signal, maxBytes })) parts.push(part);
  return concat(parts);
}

/** Checks that a search has the verdict of the decoder. Bombs are stopped at different bytes of it. */
function agree(outcome: Outcome<Found>, decoded: Outcome<Uint8Array>): void {
  holds(outcome.kind === decoded.kind, 'the decoder has another verdict');
  if (outcome.kind === 'accepted' && decoded.kind === 'accepted')
    holds(Buffer.compare(outcome.value.bytes, decoded.value) === 0, 'the decoder unpacks other bytes');
  if (outcome.kind !== 'refused' || decoded.kind !== 'refused' || decoded.code === 'LIMIT') return;
  same(outcome, decoded, 'the decoder has another reason');
}

export const target: Target = {
  name: 'gzip-blocks',
  invariant:
    'each engine, with any chunks, finds the same blocks in order, each within its piece, and unpacks or refuses as the decoder does',
  seeds: () => [...gzip.seeds(), gzipSync('many words that are packed, '.repeat(300), { memLevel: 1 })],
  dictionary: gzip.dictionary,
  mutators: gzip.mutators ?? [],
  run: async (bytes) => {
    const decoded = await outcomeOf(() => unpack(bytes));
    const choice = choiceOf(bytes);
    const whole = await outcomeOf(() => find(bytes, MiB, null));
    agree(whole, decoded);
    const ways = [[1 + (choice % 97), null] as const];
    for (const [chunk, engine] of [...ways, ...nativeWays(choice)]) {
      const other = await outcomeOf(() => find(bytes, chunk, engine));
      agree(other, decoded);
      if (whole.kind === 'accepted' && other.kind === 'accepted')
        same(other.value.blocks, whole.value.blocks, 'chunks or the engine change the blocks');
    }
  },
};

/** Lists how the native engine is asked, where it is there: in small chunks, and in one. */
function nativeWays(choice: number) {
  return native === null
    ? []
    : ([
        [1 + (choice % 89), native],
        [MiB, native],
      ] as const);
}
