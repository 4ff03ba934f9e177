import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EntryActions } from '../../../src/changeset/entry-actions.ts';
import { editTar } from '../../../src/layers/edit/edit-tar.ts';
import { Gatherer } from '../../../src/layers/read/gather.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import { packFacts } from '../../../src/layers/read/stored-facts.ts';
import { packIndex } from '../../../src/layers/read/stored-index.ts';
import type { ByteStream } from '../../../src/stream/byte-stream.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { p } from '../../support/bytes.ts';

async function* whole(tar: Uint8Array, size: number): ByteStream {
  for (let at = 0; at < tar.length; at += size) yield tar.slice(at, at + size);
}

/** Yields all chunks in the same memory, as a lender does. */
async function* lent(tar: Uint8Array, size: number): ByteStream {
  const memory = new Uint8Array(new SharedArrayBuffer(size));
  for (let at = 0; at < tar.length; at += size) {
    const chunk = memory.subarray(0, Math.min(size, tar.length - at));
    chunk.set(tar.subarray(at, at + size));
    yield chunk;
    memory.fill(0xa5);
  }
}

const layers = layerStack({ minLayers: 1 }).map(({ layers: [layer] }) => (layer as { tar: Uint8Array }).tar);
/** Around the sizes of heads, of entries, and of what is gathered into one piece. */
const chunkSize = fc.constantFrom(200, 512, 700, 1024, 1536, 2048, 5000, 65_536, 300_000);

test('a scan of lent chunks finds all entries', async () => {
  await fc.assert(
    fc.asyncProperty(layers, chunkSize, async (tar, size) => {
      const scan = async (stream: ByteStream) => {
        const gatherer = new Gatherer({ probe: () => 4096, digests: true, twins: true, prints: true });
        const index = await scanTar(stream, gatherer);
        return [packIndex(index), packFacts(gatherer.facts())];
      };
      expect(await scan(lent(tar, size))).toEqual(await scan(whole(tar, size)));
    }),
    { numRuns: 200 },
  );
});

test('an edit of lent chunks gives out what was kept', async () => {
  await fc.assert(
    fc.asyncProperty(layers, chunkSize, fc.nat(), async (tar, size, seed) => {
      const { kinds } = await scanTar(whole(tar, size));
      const actions = new EntryActions();
      let links = 0;
      kinds.forEach((_, i) => {
        const dice = (seed ^ (i * 2_654_435_761)) >>> 3;
        if (dice % 4 === 0) return;
        if (dice % 5 === 0) return actions.set(i, { kind: 'link', at: links++, target: p('x'), path: null });
        actions.set(i, dice % 7 === 0 ? { kind: 'rename', path: p(`r${i}`), mode: null } : { kind: 'keep' });
      });
      const head = new Uint8Array(512).fill(1);
      const edit = {
        before: [head],
        sources: [{ layer: 1, actions }],
        after: [head],
        linkNames: [],
        order: null,
        links: 0,
        tarBytes: 0,
        entries: 0,
      };
      const run = async (open: typeof lent) => {
        const pieces: Uint8Array[] = [];
        // Copied before the next is asked for, as encoders do.
        for await (const piece of editTar(edit, () => open(tar, size))) pieces.push(piece.slice());
        return Buffer.concat(pieces);
      };
      expect((await run(lent)).equals(await run(whole))).toBe(true);
    }),
    { numRuns: 300 },
  );
});
