import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findBlocks, strayFrom } from '../support/gzip-blocks.ts';
import { engines } from '../support/engines.ts';
import { buildGo, removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { MiB } from '../../src/units.ts';

// Blocks of what other programs pack: from some of them, node:zlib unpacks on, and each engine finds the same ones.
const source = fileURLToPath(new URL('../../fixtures/gzip-writers/main.go', import.meta.url));

let work: string;
let body: Buffer;

beforeAll(async () => {
  work = workFolder('gzip-blocks');
  // Programs, text and zeros, longer than the blocks of pigz.
  body = Buffer.concat([
    readFileSync(process.execPath).subarray(0, 2_000_000),
    Buffer.alloc(500_000),
    Buffer.alloc(500_000, 'text '),
  ]);
  writeFileSync(join(work, 'in'), body);
  await buildGo(source, join(work, 'go-gzip'), work);
});

afterAll(() => removeFolder(work));

const python = `
import sys, zlib
level, strategy, flush = (int(each) for each in sys.argv[1:])
packer = zlib.compressobj(level, zlib.DEFLATED, 31, 8, strategy)
bytes = sys.stdin.buffer.read()
for at in range(0, len(bytes), 50000):
    sys.stdout.buffer.write(packer.compress(bytes[at:at + 50000]) + packer.flush(flush))
sys.stdout.buffer.write(packer.flush())
`;

const zlib = (...args: readonly number[]) => ['/usr/bin/python3', '-c', python, ...args.map(String)];

test.each([
  ['gzip at its lowest level', ['gzip', '-1c']],
  ['gzip at its highest level', ['gzip', '-9c']],
  ['pigz in two threads', ['pigz', '-6c', '-p', '2']],
  ['pigz with independent blocks', ['pigz', '-1ci', '-p', '2', '-b', '128']],
  ['pigz with stored blocks', ['pigz', '-0c']],
  ['igzip at its lowest level', ['igzip', '-0c']],
  ['igzip at its highest level', ['igzip', '-3c']],
  ['Go with Huffman codes only', ['./go-gzip', '-2', '100000']],
  ['Go with stored blocks', ['./go-gzip', '0', '100000']],
  ['Go with flushes', ['./go-gzip', '6', '10000']],
  ['zlib with full flushes', zlib(6, 0, 3)],
  ['zlib with partial flushes', zlib(1, 0, 1)],
  ['zlib with ends of blocks', zlib(9, 0, 5)],
  ['zlib with fixed codes', zlib(6, 4, 2)],
  ['zlib with runs only', zlib(6, 3, 3)],
])('each engine finds the blocks of %s', async (name, [program = '', ...args]) => {
  const output = join(work, 'out');
  await run(program.replace('./', `${work}/`), args, { input: join(work, 'in'), output });
  // Twice, so that there is a second member.
  const packed = Buffer.concat([readFileSync(output), readFileSync(output)]);
  const all = await Promise.all(engines.map(({ native }) => findBlocks(packed, MiB, native)));
  const [{ bytes, blocks }] = all as [(typeof all)[0]];
  for (const other of all.slice(1)) {
    expect(other.bytes.equals(bytes), name).toBe(true);
    expect(other.blocks).toEqual(blocks);
  }
  expect(bytes.equals(Buffer.concat([body, body]))).toBe(true);
  expect(blocks.filter(({ member }) => member !== null).map(({ byte }) => byte)).toEqual([0, body.length]);
  const some = blocks.filter((_, i) => i % Math.ceil(blocks.length / 40) === 0);
  for (const block of some) expect(strayFrom(packed, bytes, blocks, block)).toBeNull();
  // igzip makes one large block, and an empty one.
  expect(some.length).toBeGreaterThanOrEqual(4);
});
