import { describe, expect, test } from 'vitest';
import type { LayerEdit } from '../../../src/changeset/edit.ts';
import { EntryActions } from '../../../src/changeset/entry-actions.ts';
import { editTar } from '../../../src/layers/edit/edit-tar.ts';
import { concat } from '../../../src/stream/collect.ts';
import { specOf } from '../../support/model/shorthand.ts';
import { writeTar } from '../../support/model/tar-bytes.ts';
import { readTar } from '../../support/model/tar-reader.ts';

/** Layers of two files. The edit keeps the first file of each. */
const layers = [1, 2, 3].map((layer) => writeTar([`kept${layer}=x`, `hidden${layer}=y`].map(specOf)));

function keepingFirst(): LayerEdit {
  const sources = layers.map((_, i) => {
    const actions = new EntryActions();
    actions.set(0, { kind: 'keep' });
    return { layer: i + 1, actions };
  });
  return { before: [], sources, order: null, links: 0, after: [], linkNames: [], tarBytes: 0, entries: 3 };
}

/** Opens layers whose kept file comes first, and whose rest waits until it is let go. */
function openings() {
  const events: string[] = [];
  const gates = layers.map(() => Promise.withResolvers<void>());
  async function* open(layer: number): AsyncGenerator<Uint8Array> {
    const tar = layers[layer - 1] as Uint8Array;
    events.push(`open ${layer}`);
    try {
      yield tar.subarray(0, 1024);
      await gates[layer - 1]?.promise;
      yield tar.subarray(1024);
      events.push(`end ${layer}`);
    } finally {
      events.push(`close ${layer}`);
    }
  }
  return { events, gates, open };
}

/** Lets everything go on that waits for nothing. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('what follows the last needed entry of a layer', () => {
  test('is read beside the next layer, one layer at a time, and all of it before the tar ends', async () => {
    const { events, gates, open } = openings();
    const chunks: Uint8Array[] = [];
    let isDone = false;
    const reading = (async () => {
      for await (const chunk of editTar(keepingFirst(), open)) chunks.push(chunk.slice());
      isDone = true;
    })();
    await settled();
    expect(events).toEqual(['open 1', 'open 2']);
    gates[0]?.resolve();
    await settled();
    expect(events).toEqual(['open 1', 'open 2', 'end 1', 'close 1', 'open 3']);
    gates[1]?.resolve();
    await settled();
    expect(isDone).toBe(false);
    gates[2]?.resolve();
    await reading;
    expect(events.slice(5)).toEqual(['end 2', 'close 2', 'end 3', 'close 3']);
    expect(readTar(concat(chunks)).map(({ name }) => name)).toEqual(['kept1', 'kept2', 'kept3']);
  });

  test.each([0, 1, 2])('fails the tar where it is damaged: layer %i of 0 to 2', async (damaged) => {
    const { events, gates, open } = openings();
    for (const [i, gate] of gates.entries())
      if (i === damaged) gate.reject(new Error('damaged'));
      else gate.resolve();
    const reading = (async () => {
      for await (const _ of editTar(keepingFirst(), open));
    })();
    await expect(reading).rejects.toThrow('damaged');
    expect(events.filter((event) => event.startsWith('close'))).toHaveLength(
      events.filter((event) => event.startsWith('open')).length,
    );
  });

  test('is closed where the consumer leaves early', async () => {
    const { events, gates, open } = openings();
    const stream = editTar(
      { ...keepingFirst(), before: [writeTar(['first=1'].map(specOf)).subarray(0, 1024)] },
      open,
    )[Symbol.asyncIterator]();
    const next = stream.next();
    await settled();
    const left = stream.return?.(undefined);
    for (const gate of gates) gate.resolve();
    await next;
    await left;
    expect(events.filter((event) => event.startsWith('close'))).toHaveLength(
      events.filter((event) => event.startsWith('open')).length,
    );
  });
});
