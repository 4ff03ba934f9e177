import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Scratch } from '../../src/execute/scratch.ts';
import { describeBytes } from '../../src/oci/descriptor.ts';

const bytes = new Uint8Array(1000).fill(7);
const descriptor = describeBytes('application/octet-stream', bytes);
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
  const copy = scratch.read(descriptor.digest);
  expect(copy === null ? null : await drain(copy)).toEqual(bytes);
  await scratch.close();
  expect(readdirSync(folder)).toEqual([]);
});

test('what does not fit passes through without a copy', async () => {
  const scratch = new Scratch(999);
  expect(await drain(scratch.keep(source(), descriptor))).toEqual(bytes);
  expect(scratch.read(descriptor.digest)).toBeNull();
  expect(readdirSync(folder)).toEqual([]);
  await scratch.close();
});

test('half a blob leaves no copy, and gives its room back', async () => {
  const scratch = new Scratch(1000);
  await expect(drain(scratch.keep(source(true), descriptor))).rejects.toThrow('the source broke');
  expect(scratch.read(descriptor.digest)).toBeNull();
  for await (const _ of scratch.keep(source(), descriptor)) break;
  expect(scratch.read(descriptor.digest)).toBeNull();
  expect(await drain(scratch.keep(source(), descriptor))).toEqual(bytes);
  expect(scratch.read(descriptor.digest)).not.toBeNull();
  await scratch.close();
});

test('without a folder to write to the bytes still pass', async () => {
  process.env['TMPDIR'] = '/dev/null/nowhere';
  const scratch = new Scratch(10_000);
  expect(await drain(scratch.keep(source(), descriptor))).toEqual(bytes);
  expect(scratch.read(descriptor.digest)).toBeNull();
  await scratch.close();
});

test('without a budget not even an empty blob is kept', async () => {
  const scratch = new Scratch(0);
  const empty = describeBytes('application/octet-stream', new Uint8Array(0));
  async function* nothing(): AsyncGenerator<Uint8Array> {
    yield* [];
  }
  await drain(scratch.keep(nothing(), empty));
  expect(readdirSync(folder)).toEqual([]);
});
