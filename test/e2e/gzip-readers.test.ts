import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../src/codec/encode.ts';
import { createEncoderPool } from '../../src/codec/encoder-pool.ts';
import { engineNames } from '../../src/codec/encoding.ts';
import { concat } from '../../src/stream/collect.ts';
import { buildGo, removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { isWhole } from '../support/extent.ts';

// Some clients read the first gzip member of a layer and take it for the whole (SN-110). What ocislim writes must be one
// member for them, and the same bytes for all others.
const fixtures = fileURLToPath(new URL('../../fixtures/gzip-readers/', import.meta.url));
const { signal } = new AbortController();

let work: string;
let length = 0;
let digest = '';
/** A gzip file by each engine. */
const packed = new Map<string, string>();

beforeAll(async () => {
  work = workFolder('gzip-readers');
  // Programs, text and zeros: a real mixture, and longer than several blocks.
  const bytes = Buffer.concat([
    readFileSync(process.execPath).subarray(0, 5_000_000),
    Buffer.alloc(2_000_000, 'text '),
  ]);
  length = bytes.length;
  digest = createHash('sha256').update(bytes).digest('hex');
  await using pool = createEncoderPool({ jobs: 2 });
  for (const engine of engineNames('gzip')) {
    const chunks: Uint8Array[] = [];
    const source = (async function* () {
      yield bytes;
    })();
    for await (const chunk of encode(source, { kind: 'gzip', level: 6, engine }, { signal, pool }))
      chunks.push(chunk);
    const path = join(work, `${engine}.gz`);
    writeFileSync(path, concat(chunks));
    packed.set(engine, path);
  }
});

afterAll(() => removeFolder(work));

const engines = engineNames('gzip');

describe('what each engine writes is read whole by', () => {
  test.each(['gzip -dc', 'pigz -dc', 'igzip -dc'])('the program %s', async (command) => {
    for (const engine of engines) {
      const output = join(work, 'out');
      const [program = '', ...args] = command.split(' ');
      await run(program, args, { input: packed.get(engine) as string, output });
      expect(createHash('sha256').update(readFileSync(output)).digest('hex'), engine).toBe(digest);
    }
  });

  test("Python's zlib, which ends where the only member ends", async () => {
    const script =
      'import sys, zlib\nd = zlib.decompressobj(31)\nn = len(d.decompress(sys.stdin.buffer.read()))\nprint(n, len(d.unused_data), d.eof)';
    for (const engine of engines) {
      const stdout = await run('/usr/bin/python3', ['-c', script], { input: packed.get(engine) as string });
      expect(stdout.trim(), engine).toBe(`${length} 0 True`);
    }
  });

  test('Go, told to read one member', async () => {
    const program = join(work, 'first-member');
    await buildGo(join(fixtures, 'main.go'), program, work);
    for (const engine of engines) {
      const stdout = await run(program, [], { input: packed.get(engine) as string });
      expect(stdout.trim(), engine).toBe(`${length} 0`);
    }
  });

  // Cargo fetches the crate and builds it, which takes too long for every day.
  const rust = async () => {
    const source = join(work, 'flate2');
    cpSync(join(fixtures, 'flate2'), source, { recursive: true });
    await run('cargo', ['build', '--release', '--quiet', '--manifest-path', join(source, 'Cargo.toml')]);
    const program = join(source, 'target/release/first-member');
    for (const engine of engines) {
      const stdout = await run(program, [], { input: packed.get(engine) as string });
      expect(stdout.trim(), engine).toBe(`${length} 0`);
    }
    const two = join(work, 'two.gz');
    const file = readFileSync(packed.get('zlib') as string);
    writeFileSync(two, Buffer.concat([file, file]));
    expect(gunzipSync(readFileSync(two)).length).toBe(2 * length);
    // The test would notice: of two members it reads one.
    expect(await run(program, [], { input: two })).toBe(`${length} ${file.length}\n`);
  };
  if (isWhole) test("Rust's flate2, which bootc and rpm-ostree use", { timeout: 300_000 }, rust);
});
