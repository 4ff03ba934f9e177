import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Scratch } from '../../src/files/scratch.ts';
import { descriptorOfBytes } from '../../src/oci/descriptor.ts';
import { writeAt } from '../../src/files/file-bytes.ts';
import type { ByteStream } from '../../src/stream/byte-stream.ts';
import { deadMark, openFiles } from '../support/store/local.ts';

const bytes = new Uint8Array(1000).fill(7);
const descriptor = descriptorOfBytes('application/octet-stream', bytes);
const { signal } = new AbortController();
const original = process.env['TMPDIR'];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scratch-test-'));
  process.env['TMPDIR'] = folder;
});

afterEach(() => {
  if (original === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = original;
  rmSync(folder, { recursive: true, force: true });
});

async function* source(fail = false): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, 400);
  if (fail) throw new Error('the source broke');
  yield bytes.subarray(400);
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

test('a blob that has gone through can be read again, until the scratch is closed', async () => {
  const scratch = new Scratch(10_000);
  expect(await drain(scratch.keep(source(), descriptor))).toEqual(bytes);
  const copy = scratch.read(descriptor.digest, signal);
  expect(copy === null ? null : await drain(copy)).toEqual(bytes);
  await scratch.close();
  expect(readdirSync(folder)).toEqual([]);
});

test('what does not fit passes through without a copy', async () => {
  const scratch = new Scratch(999);
  expect(await drain(scratch.keep(source(), descriptor))).toEqual(bytes);
  expect(scratch.read(descriptor.digest, signal)).toBeNull();
  expect(readdirSync(folder)).toEqual([]);
  await scratch.close();
});

test('half a blob leaves no copy, and gives its room back', async () => {
  const scratch = new Scratch(1000);
  await expect(drain(scratch.keep(source(true), descriptor))).rejects.toThrow('the source broke');
  expect(scratch.read(descriptor.digest, signal)).toBeNull();
  for await (const _ of scratch.keep(source(), descriptor)) break;
  expect(scratch.read(descriptor.digest, signal)).toBeNull();
  expect(await drain(scratch.keep(source(), descriptor))).toEqual(bytes);
  expect(scratch.read(descriptor.digest, signal)).not.toBeNull();
  await scratch.close();
});

test('without a folder to write to the bytes still pass', async () => {
  process.env['TMPDIR'] = '/dev/null/nowhere';
  const scratch = new Scratch(10_000);
  expect(await drain(scratch.keep(source(), descriptor))).toEqual(bytes);
  expect(scratch.read(descriptor.digest, signal)).toBeNull();
  await scratch.close();
});

test('T19: nothing of it ever has a name, and what dead runs left is swept away', async () => {
  const dead = await deadMark();
  mkdirSync(join(folder, `ocislim-verify.partial-${dead}`, 'layout'), { recursive: true });
  writeFileSync(join(folder, `ocislim.partial-${dead}`), 'x');
  const scratch = new Scratch(10_000);
  await drain(scratch.keep(source(), descriptor));
  const spool = (await scratch.createFile(100)) as NonNullable<Awaited<ReturnType<Scratch['createFile']>>>;
  await writeAt(spool.file, bytes.subarray(0, 100), 0);
  expect(readdirSync(folder)).toEqual([]);
  const { mode, nlink } = await spool.file.stat();
  expect({ mode: mode & 0o777, nlink }).toEqual({ mode: 0o600, nlink: 0 });
  expect(await drain(scratch.read(descriptor.digest, signal) as ByteStream)).toEqual(bytes);
  await spool.close();
  await scratch.close();
});

test('what is left is swept also where nothing is written', async () => {
  writeFileSync(join(folder, `ocislim.partial-${await deadMark()}`), 'x');
  await new Scratch(10_000).close();
  expect(readdirSync(folder)).toEqual([]);
});

test('two streams of one blob at once leave one copy', async () => {
  const scratch = new Scratch(10_000);
  const both = [scratch.keep(source(), descriptor), scratch.keep(source(), descriptor)];
  expect(await Promise.all(both.map(drain))).toEqual([bytes, bytes]);
  expect(await scratch.free()).toBe(9000);
  await scratch.close();
});

test('a stream that ends when the scratch is closed leaves no open file', async () => {
  const scratch = new Scratch(10_000);
  const gate = Promise.withResolvers<void>();
  const slow = async function* () {
    yield bytes.subarray(0, 400);
    await gate.promise;
    yield bytes.subarray(400);
  };
  const passing = drain(scratch.keep(slow(), descriptor));
  await scratch.free();
  await scratch.close();
  gate.resolve();
  expect(await passing).toEqual(bytes);
  expect(scratch.read(descriptor.digest, signal)).toBeNull();
  expect(openFiles().filter((path) => path.startsWith(folder))).toEqual([]);
});

test('without a budget not even an empty blob is kept', async () => {
  const scratch = new Scratch(0);
  const empty = descriptorOfBytes('application/octet-stream', new Uint8Array(0));
  async function* nothing(): AsyncGenerator<Uint8Array> {
    yield* [];
  }
  await drain(scratch.keep(nothing(), empty));
  expect(readdirSync(folder)).toEqual([]);
});
