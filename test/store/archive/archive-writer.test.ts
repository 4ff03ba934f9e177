import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fileOutput } from '../../../src/store/archive/archive-output.ts';
import { ArchiveWriter } from '../../../src/store/archive/archive-writer.ts';
import type { ByteStream } from '../../../src/stream/byte-stream.ts';
import { digestOf } from '../../support/image-builder.ts';
import { readWholeTar } from '../../support/model/tar-reader.ts';
import { never, noise } from '../../support/registry/setup.ts';
import { afterwards, brokenStream, bytesStream, listFiles, newFolder } from '../../support/store/local.ts';

async function begin(): Promise<{ writer: ArchiveWriter; path: string; folder: string }> {
  const folder = await newFolder();
  const path = join(folder, 'a.tar');
  const writer = await ArchiveWriter.create(await fileOutput(path, null), ['blobs/']);
  afterwards(() => writer.close());
  return { writer, path, folder };
}

async function membersOf(path: string): Promise<Record<string, string>> {
  const { entries, complete, trailing } = readWholeTar(new Uint8Array(await readFile(path)));
  expect(complete).toBe(true);
  expect(trailing).toHaveLength(0);
  return Object.fromEntries(entries.map((entry) => [entry.name, digestOf(entry.body)]));
}

test('members get their names after their bytes', async () => {
  const { writer, path, folder } = await begin();
  const one = noise(700_001);
  const region = await writer.append(bytesStream(one.subarray(0, 5), one.subarray(5)), never);
  expect(region).toMatchObject({ size: one.length, digest: digestOf(one) });
  await writer.name(region, 'blobs/one');
  expect((await listFiles(folder))[0]).toMatch(/^a\.tar\.partial-[0-9]+-/);
  expect((await stat(join(folder, (await listFiles(folder))[0] ?? ''))).mode & 0o777).toBe(0o600);
  await writer.finish([['last', Buffer.from('end')]], never);
  expect(await listFiles(folder)).toEqual(['a.tar']);
  expect(await membersOf(path)).toEqual({
    'blobs/': digestOf(new Uint8Array(0)),
    'blobs/one': digestOf(one),
    last: digestOf(Buffer.from('end')),
  });
});

test('streams are written one after another, in the order of the calls; the others wait unread', async () => {
  const { writer, path } = await begin();
  const reading: string[] = [];
  const names = ['a', 'b', 'c'];
  const streams = names.map((name) => {
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const stream = (async function* (): ByteStream {
      reading.push(name);
      begun.resolve();
      await gate.promise;
      yield Buffer.from(name);
    })();
    return { begun, gate, stream };
  });
  const appended = streams.map(({ stream }) => writer.append(stream, never));
  for (const [i, { begun, gate }] of streams.entries()) {
    await begun.promise;
    expect(reading).toEqual(names.slice(0, i + 1));
    gate.resolve();
  }
  for (const [i, region] of (await Promise.all(appended)).entries())
    await writer.name(region, names[i] ?? '');
  await writer.finish([], never);
  expect(Object.keys(await membersOf(path))).toEqual(['blobs/', 'a', 'b', 'c']);
});

describe('dropped members', () => {
  test('leave no gap, whatever their sizes and order', async () => {
    const blob = fc.record({
      size: fc.oneof(fc.constantFrom(0, 1, 511, 512, 513, 300_000), fc.nat({ max: 5000 })),
      fate: fc.constantFrom('keep', 'drop', 'drop later', 'break', 'forget'),
      isLong: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(blob, { maxLength: 10 }), async (blobs) => {
        const { writer, path } = await begin();
        const expected: Record<string, string> = { 'blobs/': digestOf(new Uint8Array(0)) };
        const later: (() => void)[] = [];
        for (const [i, { size, fate, isLong }] of blobs.entries()) {
          const name = `blob${i}`.padEnd(isLong ? 141 : 0, '-');
          const bytes = noise(size, i + 1);
          if (fate === 'break') {
            await expect(writer.append(brokenStream(bytes), never, name)).rejects.toThrow('went dead');
            continue;
          }
          const region = await writer.append(bytesStream(bytes), never, name);
          if (fate === 'drop') writer.drop(region);
          if (fate === 'drop later') later.push(() => writer.drop(region));
          if (fate !== 'keep') continue;
          await writer.name(region, name);
          expected[name] = digestOf(bytes);
        }
        for (const drop of later) drop();
        await writer.finish([['index.json', Buffer.from('{}')]], never);
        expected['index.json'] = digestOf(Buffer.from('{}'));
        expect(await membersOf(path)).toEqual(expected);
        expect(Object.keys(await membersOf(path))).toEqual(Object.keys(expected));
      }),
      { numRuns: 60 },
    );
  });
});

test('the same calls make the same bytes', async () => {
  const make = async () => {
    const { writer, path } = await begin();
    await writer.name(await writer.append(bytesStream(noise(1000)), never), 'a');
    writer.drop(await writer.append(bytesStream(noise(5000)), never));
    await writer.name(await writer.append(bytesStream(noise(100, 3)), never), 'b');
    await writer.finish([], never);
    return readFile(path);
  };
  expect(Buffer.compare(await make(), await make())).toBe(0);
});

test('closing removes the unfinished file, and leaves the one that was there', async () => {
  const { writer, path, folder } = await begin();
  await writeFile(path, 'old');
  await writer.append(bytesStream(noise(1000)), never);
  await writer.close();
  await writer.close();
  expect(await listFiles(folder)).toEqual(['a.tar']);
  expect(await readFile(path, 'utf8')).toBe('old');
});

test('a name that is longer than was expected is refused', async () => {
  const { writer } = await begin();
  const region = await writer.append(bytesStream(noise(10)), never);
  await expect(writer.name(region, 'x'.repeat(101))).rejects.toThrow('no room for a head of 1536 bytes');
});

test('an aborted signal stops the writer before the rename', async () => {
  const { writer, folder } = await begin();
  await writer.name(await writer.append(bytesStream(noise(1000)), never), 'a');
  const aborted = AbortSignal.abort(new Error('enough'));
  await expect(writer.append(bytesStream(noise(10)), aborted)).rejects.toThrow('enough');
  await expect(writer.finish([], aborted)).rejects.toThrow('enough');
  await writer.close();
  expect(await listFiles(folder)).toEqual([]);
});
