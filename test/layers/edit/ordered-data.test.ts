import { describe, expect, test } from 'vitest';
import { buildEdit, type LayerEdit } from '../../../src/changeset/edit.ts';
import { buildStack } from '../../../src/changeset/stack.ts';
import { editTar } from '../../../src/layers/edit/edit-tar.ts';
import type { Spooling } from '../../../src/layers/edit/ordered-data.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import { type Spool, SpoolRoom } from '../../../src/layers/edit/spool.ts';
import { arrange } from '../../../src/slim/arrange.ts';
import { orderSimilar } from '../../../src/slim/resolve/ordering.ts';
import { concat } from '../../../src/stream/collect.ts';
import { makeHead } from '../../../src/tar/head.ts';
import { buildImage } from '../../support/image-builder.ts';
import { specOf } from '../../support/model/shorthand.ts';
import { writeTar } from '../../support/model/tar-bytes.ts';
import { readTar } from '../../support/model/tar-reader.ts';
import { imageIn, rewrite, tar } from '../../jobs/rig.ts';
import { KiB, MiB } from '../../../src/units.ts';
import { b } from '../../support/bytes.ts';

const { signal } = new AbortController();

async function* pieces(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Makes the edit that puts a single layer in order. */
async function editOf(stream: AsyncGenerator<Uint8Array>): Promise<LayerEdit> {
  const indexes = new Map([[1, await scanTar(stream)]]);
  const { table, layers } = buildStack(indexes);
  const changes = orderSimilar(layers.get(1) ?? [], table);
  return buildEdit(changes, table, indexes, { mtime: 0, modes: new Map() });
}

function spoolingIn(room: number): Spooling & { readonly readings: number[] } {
  const spools = new SpoolRoom(null, 2 * room);
  const readings: number[] = [];
  return {
    readings,
    open: (wanted) => spools.open(wanted, signal),
    onReadings: (count) => void readings.push(count),
  };
}

async function collected(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk.slice());
  return concat(chunks);
}

describe('with little room', () => {
  // Each is a head and a block, the large one 21 blocks.
  const sample = writeTar(['f=1', 'e=1', 'd=1', `c=${'x'.repeat(10_000)}`, 'b=1', 'a=1'].map(specOf));

  test.each([
    [30_000, 1],
    [13_000, 2],
    [2048, 4],
    [1024, 6],
  ])('%i bytes, %i readings', async (room, expected) => {
    const edit = await editOf(pieces(sample));
    const spooling = spoolingIn(room);
    let opened = 0;
    const open = () => {
      opened++;
      return pieces(sample);
    };
    const result = await collected(editTar(edit, open, spooling));
    expect(readTar(result).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(opened).toBe(expected);
    expect(spooling.readings).toEqual(expected === 1 ? [] : [expected]);
  });

  test('too little room is an error that says so', async () => {
    const many = writeTar(Array.from({ length: 100 }, (_, i) => specOf(`${200 - i}=1`)));
    const stream = editTar(await editOf(pieces(many)), () => pieces(many), spoolingIn(1024));
    await expect(collected(stream)).rejects.toMatchObject({ code: 'LIMIT' });
  });

  test('a source that has changed is refused', async () => {
    const other = writeTar(['f=1', `e=${'x'.repeat(600)}`, 'd=1', 'c=1', 'b=1', 'a=1'].map(specOf));
    const stream = editTar(await editOf(pieces(sample)), () => pieces(other), spoolingIn(30_000));
    const error = await collected(stream).then(
      () => null,
      (reason: unknown) => reason,
    );
    // One that keeps within its bounds is found out by its digest, which the reader of the layer checks.
    if (error !== null) expect(error).toMatchObject({ code: 'DIGEST_MISMATCH' });
    const grown = writeTar(['f=1', 'e=1', 'd=1', `c=${'x'.repeat(20_000)}`, 'b=1', 'a=1'].map(specOf));
    const longer = editTar(await editOf(pieces(sample)), () => pieces(grown), spoolingIn(30_000));
    await expect(collected(longer)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('an early return releases source and spool', async () => {
    const edit = await editOf(pieces(sample));
    let held = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      held++;
      try {
        yield* pieces(sample);
      } finally {
        held--;
      }
    }
    const spools = spoolingIn(13_000);
    let open = 0;
    const spooling: Spooling = {
      ...spools,
      open: async (wanted) => {
        const spool = await spools.open(wanted);
        open++;
        return {
          ...spool,
          close: async () => {
            open--;
            await spool.close();
          },
        };
      },
    };
    let count = 0;
    for await (const _ of editTar(edit, counted, spooling)) if (++count === 3) break;
    expect([held, open]).toEqual([0, 0]);
  });
});

test('memory does not grow with the layer', async () => {
  const body = new Uint8Array(64 * KiB);
  const files = 1000;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < files; i++) {
      const head = headOf(`${(i * 7919) % files}.${i % 3 === 0 ? 'py' : 'js'}`);
      yield head;
      yield body;
    }
    yield new Uint8Array(1024);
  }
  const edit = await editOf(source());
  const store = new Uint8Array(edit.tarBytes);
  let [taken, given, onDisk, peak] = [0, 0, 0, 0];
  const note = () => void (peak = Math.max(peak, taken - onDisk - given));
  const spool: Spool = {
    capacity: store.length,
    write: async (at, bytes) => {
      store.set(bytes, at);
      onDisk += bytes.length;
    },
    read: async (at, length) => {
      onDisk -= length;
      note();
      return store.slice(at, at + length);
    },
    close: async () => {},
  };
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source()) {
      taken += chunk.length;
      note();
      yield chunk;
    }
  }
  const spooling = { open: async () => spool, onReadings: () => expect.unreachable() };
  for await (const chunk of editTar(edit, counted, spooling)) {
    given += chunk.length;
    note();
  }
  expect(given).toBeGreaterThan(files * body.length);
  // A bucket of 8 MiB, and buffers of 64 KiB for each of the nine of them.
  expect(peak).toBeLessThan(9 * MiB);
});

/** Makes the header of a file of 64 KiB. */
function headOf(name: string): Uint8Array {
  const head = makeHead({ kind: 'whiteout', name: b(name), mtime: 0 });
  head.set(Buffer.from('00000200000\0', 'latin1'), 124);
  head.fill(0x20, 148, 156);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `, 'latin1'), 148);
  return head;
}

test('a run without scratch says that it reads a layer more often, and writes the same', async () => {
  const body = (fill: number) => new Uint8Array(17 * MiB).fill(fill);
  const layer = tar('d=1', { name: 'b', body: body(2) }, { name: 'a', body: body(1) }, 'c=1');
  const built = buildImage({ layers: [layer], compress: 'none' });
  const stage = arrange({ kind: 'all' }, { order: 'similar', hardlinks: true, always: true });
  const roomy = await rewrite(built, [stage], { maxScratch: 1e9 });
  expect(roomy.warnings).toEqual([]);
  const tight = await rewrite(built, [stage], { maxScratch: 0 });
  expect(tight.warnings).toEqual([
    expect.stringMatching(/^SCRATCH_SHORT layer 1: read 2 times to put 35\.7 MB in order.*33\.6 MB/),
  ]);
  expect(tight.tree.descriptor).toEqual(roomy.tree.descriptor);
  expect(imageIn(tight.tree).layers[0]?.map(({ name, linkname }) => `${name} ${linkname}`)).toEqual([
    'a ',
    'b ',
    'c ',
    'd c',
  ]);
});
