import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Scratch } from '../../../src/files/scratch.ts';
import { type Spool, SpoolRoom } from '../../../src/layers/edit/spool.ts';
import { MiB } from '../../../src/units.ts';

const { signal } = new AbortController();
const original = process.env['TMPDIR'];
const large = 9 * MiB;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spool-test-'));
  process.env['TMPDIR'] = folder;
});

afterEach(() => {
  if (original === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = original;
  rmSync(folder, { recursive: true, force: true });
});

/** Lets everything run that needs no wait. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate();
}

async function holds(spool: Spool): Promise<void> {
  await spool.write(5, Uint8Array.of(6, 7));
  await spool.write(0, Uint8Array.of(1, 2, 3, 4, 5));
  const bytes = await spool.read(1, 6);
  expect([...bytes]).toEqual([2, 3, 4, 5, 6, 7]);
  await spool.write(1, Uint8Array.of(0));
  expect(bytes[0], 'what was read is a copy').toBe(2);
}

test('few bytes are held in memory, many in a file without a name', async () => {
  const scratch = new Scratch(2 * large);
  const room = new SpoolRoom(scratch);
  const few = await room.open(1000, signal);
  const many = await room.open(large, signal);
  expect([few.capacity, many.capacity]).toEqual([1000, large]);
  expect(readdirSync(folder)).toEqual([]);
  expect(await scratch.free()).toBe(large);
  for (const spool of [few, many]) {
    await holds(spool);
    await spool.close();
  }
  expect(await scratch.free()).toBe(2 * large);
  await scratch.close();
  expect(readdirSync(folder)).toEqual([]);
});

test('a single spool gets all the room: on disk, if that is more than in memory', async () => {
  const scratch = new Scratch(5000);
  const onDisk = await new SpoolRoom(scratch, 2000).open(20_000, signal);
  expect(onDisk.capacity).toBe(5000);
  expect(await scratch.free()).toBe(0);
  await holds(onDisk);
  await onDisk.close();
  const inMemory = await new SpoolRoom(scratch, 20_000).open(20_000, signal);
  expect(inMemory.capacity).toBe(10_000);
  expect(await scratch.free()).toBe(5000);
  await scratch.close();
});

test.each([
  ['without scratch', () => null],
  [
    'without a folder to write to',
    () => {
      process.env['TMPDIR'] = '/dev/null/nowhere';
      return new Scratch(1e9);
    },
  ],
])('%s there is memory', async (_, scratchOf) => {
  const spool = await new SpoolRoom(scratchOf(), 3000).open(large, signal);
  expect(spool.capacity).toBe(1500);
  await holds(spool);
});

test('a spool without room waits for the others, and then gets all of it', async () => {
  const scratch = new Scratch(large);
  const room = new SpoolRoom(scratch);
  const first = await room.open(large, signal);
  let done = 0;
  const waiting = [1, 2, 3].map(async () => {
    const spool = await room.open(large, signal);
    expect(spool.capacity).toBe(large);
    expect(await scratch.free()).toBe(0);
    await turns();
    done++;
    await spool.close();
  });
  await turns();
  expect(done).toBe(0);
  await first.close();
  await Promise.all(waiting);
  expect(done).toBe(3);
  expect(await scratch.free()).toBe(large);
  await scratch.close();
});

test('small spools share half of the memory, and wait for more', async () => {
  const room = new SpoolRoom(null, 2000);
  const spools = [await room.open(600, signal), await room.open(400, signal)];
  let third: Spool | null = null;
  const waiting = room.open(400, signal).then((spool) => (third = spool));
  await turns();
  expect(third).toBeNull();
  await spools[1]?.close();
  expect((await waiting).capacity).toBe(400);
});

test('an interruption ends the wait', async () => {
  const stop = new AbortController();
  const room = new SpoolRoom(null, 2000);
  await room.open(1000, signal);
  const waiting = room.open(1000, stop.signal);
  stop.abort(new Error('interrupted'));
  await expect(waiting).rejects.toThrow('interrupted');
});
