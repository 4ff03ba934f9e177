import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LayerIndex, LayerIndexBuilder } from '../../../src/changeset/layer-index.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import { packIndex, unpackIndex } from '../../../src/layers/read/stored-index.ts';
import { layerStack } from '../../support/arbitrary/layers.ts';
import { MiB } from '../../../src/units.ts';
import { b } from '../../support/bytes.ts';

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function headsOf(index: LayerIndex): unknown[] {
  return index.kinds.map((_, entry) => {
    try {
      return index.head(entry);
    } catch {
      return null;
    }
  });
}

test('law: a stored index equals the original one', async () => {
  let heads = 0;
  let links = 0;
  await fc.assert(
    fc.asyncProperty(layerStack(), async (stack) => {
      for (const { tar } of stack.layers) {
        const index = await scanTar(whole(tar));
        const packed = packIndex(index);
        const read = packed === null ? null : unpackIndex(packed);
        const columns = Object.fromEntries(Object.entries(index).filter(([name]) => name !== 'head'));
        expect(read).toMatchObject(columns);
        expect(headsOf(read as LayerIndex)).toEqual(headsOf(index));
        heads += headsOf(index).filter((head) => head !== null).length;
        links += index.targets.size;
      }
    }),
    { numRuns: 150 },
  );
  expect(heads).toBeGreaterThan(100);
  expect(links).toBeGreaterThan(10);
});

test('of a layer without entries', () => {
  const index = new LayerIndexBuilder().finish(1024, 'complete');
  const read = unpackIndex(packIndex(index) as Uint8Array);
  expect(read).toMatchObject({ kinds: [], paths: [], tarBytes: 1024, end: 'complete' });
  expect(() => read?.head(0)).toThrow('no head');
});

test('bytes in the other order are not read', () => {
  const packed = packIndex(new LayerIndexBuilder().finish(1024, 'complete')) as Uint8Array;
  const text = Buffer.from(packed).toString('latin1');
  const other = text.includes('"little"')
    ? text.replace('"little"', '"big"')
    : text.replace('"big"', '"little"');
  expect(unpackIndex(Buffer.from(other, 'latin1'))).toBeNull();
});

test('an index that is too large is not stored', () => {
  const builder = new LayerIndexBuilder();
  const head = new Uint8Array(33 * MiB);
  const entry = {
    kind: 'directory',
    head,
    size: 0,
    length: 0,
    sparse: false,
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: 0,
    capable: false,
    link: b(''),
  } as const;
  builder.add({ ...entry, name: b('a/') });
  expect(packIndex(builder.finish(head.length, 'complete'))).not.toBeNull();
  builder.add({ ...entry, name: b('b/') });
  expect(packIndex(builder.finish(2 * head.length, 'complete'))).toBeNull();
});

test('an index keeps the components that entries name, short names only', () => {
  const builder = new LayerIndexBuilder();
  const entry = {
    kind: 'file',
    head: new Uint8Array(512),
    size: 0,
    length: 0,
    sparse: false,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    capable: false,
    link: b(''),
  } as const;
  const named = [b('models'), b(''), b('models'), b('x'.repeat(129)), undefined];
  for (const [i, component] of named.entries()) builder.add({ ...entry, name: b(`f${i}`), component });
  const index = builder.finish(4096, 'complete');
  const components = new Map([
    [0, 'models'],
    [2, 'models'],
  ]);
  expect(index.components).toEqual(components);
  expect(unpackIndex(packIndex(index) as Uint8Array)?.components).toEqual(components);
});
