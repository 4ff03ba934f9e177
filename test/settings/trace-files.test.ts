import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { defaultLimits } from '../../src/limits.ts';
import { readTraces } from '../../src/settings/trace-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'ocislim-trace-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A trace file of one path, of this platform if it says so. */
function write(path: string, platform?: string): string {
  const file = join(folder, `${path}.trace`);
  const header = { ocislim: 'trace', version: 1, formats: ['strace'], platform, knowsExecs: true };
  writeFileSync(file, `${JSON.stringify(header)}\n${JSON.stringify({ path, uses: ['open'] })}\n`);
  return file;
}

async function read(...files: readonly string[]) {
  const traces = await readTraces(files, {
    roots: [],
    limits: defaultLimits,
    signal: new AbortController().signal,
  });
  return traces.map(({ platform, paths }) => [platform, [...paths.keys()].sort()]);
}

it('merges traces of one platform, however exactly they name it', async () => {
  const files = [write('a', 'linux/arm64'), write('b', 'linux/arm64/v8'), write('c')];
  expect(await read(...files)).toEqual([['linux/arm64/v8', ['a', 'b', 'c']]]);
});

it('takes what leaves the variant open for all variants', async () => {
  const files = [write('a', 'linux/arm'), write('b', 'linux/arm/v6'), write('c', 'linux/arm/v7')];
  expect(await read(...files)).toEqual([
    ['linux/arm/v6', ['a', 'b']],
    ['linux/arm/v7', ['a', 'c']],
  ]);
});

it('keeps platforms apart, and refuses what could be of either', async () => {
  const files = [write('a', 'linux/arm64'), write('b', 'linux/amd64')];
  expect(await read(...files)).toEqual([
    ['linux/arm64', ['a']],
    ['linux/amd64', ['b']],
  ]);
  await expect(read(...files, write('c'))).rejects.toMatchObject({ code: 'TRACE_INVALID' });
});
