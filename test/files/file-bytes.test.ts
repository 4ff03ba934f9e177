import { open } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRange, writeStream } from '../../src/files/file-bytes.ts';
import { collect, concat } from '../../src/stream/collect.ts';
import { never, noise } from '../support/registry/setup.ts';
import { brokenStream, bytesStream, newFolder } from '../support/store/local.ts';
import { KiB } from '../../src/units.ts';

const asIs = (error: unknown) => error;

/** Writes at byte 3, and reads back what is there. */
async function writeAndRead(stream: AsyncIterable<Uint8Array>, signal = never) {
  const handle = await open(join(await newFolder(), 'file'), 'wx+');
  const written: Uint8Array[] = [];
  try {
    const outcome = await writeStream(stream, {
      handle,
      position: 3,
      onWritten: (chunk) => written.push(chunk),
      onFailure: asIs,
      signal,
    }).then(() => null, asIs);
    const { size } = await handle.stat();
    const there = await collect(readRange(handle, 3, Math.max(0, size - 3), never), size + 1, 'a file');
    return { outcome, there, written: concat(written) };
  } finally {
    await handle.close();
  }
}

describe('writing a stream into a file', () => {
  test('writes the same bytes for any sizes of chunks', async () => {
    const sizes = fc.array(fc.oneof(fc.nat(9), fc.nat(300_000), fc.constant(256 * KiB)), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const chunks = lengths.map((length, i) => noise(length, i));
        const { outcome, there, written } = await writeAndRead(bytesStream(...chunks));
        expect(outcome).toBeNull();
        expect(Buffer.compare(there, concat(chunks))).toBe(0);
        expect(Buffer.compare(written, there)).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  test('writes thousands of small chunks', async () => {
    const bytes = noise(5000);
    const chunks = Array.from({ length: 5000 }, (_, i) => bytes.subarray(i, i + 1));
    const { there } = await writeAndRead(bytesStream(...chunks));
    expect(Buffer.compare(there, bytes)).toBe(0);
  });

  test('reports exactly the bytes that were written before the stream failed', async () => {
    const chunks = Array.from({ length: 8 }, (_, i) => noise(200_000, i));
    const { outcome, there, written } = await writeAndRead(brokenStream(...chunks));
    expect(String(outcome)).toContain('the line went dead');
    expect(Buffer.compare(there, written)).toBe(0);
    expect(Buffer.compare(there, concat(chunks).subarray(0, there.length))).toBe(0);
  });

  test('ends at once when the signal fires, and releases the producer', async () => {
    const abort = new AbortController();
    let isOpen = true;
    const endless = (async function* () {
      try {
        for (let i = 0; ; i++) {
          if (i === 10) abort.abort(new Error('enough'));
          yield noise(100_000, i);
        }
      } finally {
        isOpen = false;
      }
    })();
    expect(String((await writeAndRead(endless, abort.signal)).outcome)).toContain('enough');
    expect(isOpen).toBe(false);
  });

  test('throws the errors of the disk', async () => {
    const handle = await open(join(await newFolder(), 'file'), 'wx');
    await handle.close();
    const chunks = Array.from({ length: 8 }, (_, i) => noise(300_000, i));
    await expect(
      writeStream(bytesStream(...chunks), {
        handle,
        position: 0,
        onWritten: () => {},
        onFailure: () => new Error('no disk'),
        signal: never,
      }),
    ).rejects.toThrow('no disk');
  });
});

test('a range that is left early waits for its last read', async () => {
  const handle = await open(join(await newFolder(), 'file'), 'wx+');
  await handle.write(noise(2_000_000));
  for await (const chunk of readRange(handle, 0, 2_000_000, never)) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  await handle.close();
  const closed = (async () => {
    for await (const _ of readRange(handle, 0, 10, never));
  })();
  await expect(closed).rejects.toThrow('cannot read a file');
});
