import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LayerIndex } from '../../../src/changeset/layer-index.ts';
import { dealTars } from '../../../src/layers/edit/deal-tars.ts';
import { editTar } from '../../../src/layers/edit/edit-tar.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import { relayer } from '../../../src/slim/relayer.ts';
import { resolve } from '../../../src/slim/resolve/resolve.ts';
import { imageOf, lawRuns } from '../../laws/rig.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';

/** Yields a tar in chunks that are written over once the next is asked for, as lent ones are. */
async function* lent(tar: Uint8Array): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(1000);
  for (let at = 0; at < tar.length; at += chunk.length) {
    const part = tar.subarray(at, at + chunk.length);
    chunk.set(part);
    yield chunk.subarray(0, part.length);
    chunk.fill(0xff);
  }
}

test('tars that are dealt out in one reading have the bytes that each has when it is written alone', async () => {
  await fc.assert(
    fc.asyncProperty(layerStack({ minLayers: 1 }), async ({ layers }) => {
      const tars = layers.map(({ tar }) => tar);
      const options = {
        by: 'path',
        maxLayers: 7,
        maxLayer: null,
        groups: [],
        noise: 'keep',
        previousOf: () => [],
      } as const;
      const indexes = new Map<number, LayerIndex>();
      for (const [i, tar] of tars.entries()) indexes.set(i + 1, await scanTar(lent(tar), null));
      const image = relayer({ kind: 'all' }, options)(imageOf(tars));
      const result = resolve(image, indexes, () => 1_700_000_000);
      if (result.kind !== 'resolved') throw new Error('further layers are needed');
      const edits = result.resolution.contents.flatMap((content) =>
        content.kind === 'edited' ? [content.edit] : [],
      );
      const opened: number[] = [];
      const open = (layer: number) => {
        opened.push(layer);
        return lent(tars[layer - 1] as Uint8Array);
      };
      const dealt = edits.map((): Uint8Array[] => []);
      await dealTars(edits, open, {
        add: (tar, bytes) => void dealt[tar]?.push(bytes.slice()),
        isFull: false,
        ready: async () => {},
      });
      expect(opened).toEqual([...new Set(opened)]);
      for (const [i, edit] of edits.entries()) {
        const alone: Uint8Array[] = [];
        for await (const chunk of editTar(edit, (layer) => lent(tars[layer - 1] as Uint8Array)))
          alone.push(chunk.slice());
        expect(Buffer.compare(Buffer.concat(dealt[i] as Uint8Array[]), Buffer.concat(alone))).toBe(0);
      }
    }),
    { numRuns: lawRuns({ share: 1 / 2 }) },
  );
});
