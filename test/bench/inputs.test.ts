import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLayers, readManifest } from '../../bench/inputs/layout-files.ts';
import { madeUpTar, type Files } from '../../bench/inputs/made-up-tar.ts';
import { writeLayout } from '../../bench/inputs/write-layout.ts';
import { runCli } from '../support/cli.ts';
import { MiB } from '../../src/units.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocislim-inputs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();

async function list(files: Files): Promise<readonly { name: string; size: number }[]> {
  const parts: Uint8Array[] = [];
  for await (const part of madeUpTar(files)) parts.push(part);
  const reader = extract();
  reader.end(Buffer.concat(parts));
  const entries: { name: string; size: number }[] = [];
  for await (const entry of reader) {
    let size = 0;
    for await (const chunk of entry) size += (chunk as Buffer).length;
    expect(size).toBe(entry.header.size);
    entries.push({ name: entry.header.name, size });
  }
  return entries;
}

describe('madeUpTar', () => {
  it('holds files of the size asked for, small and large', async () => {
    expect(await list({ count: 2, size: 700, prefix: 'f' })).toEqual([
      { name: 'f0', size: 700 },
      { name: 'f1', size: 700 },
    ]);
    const size = 2 * MiB + 17;
    expect(await list({ count: 2, size, prefix: 'f', from: 5 })).toEqual([
      { name: 'f5', size },
      { name: 'f6', size },
    ]);
  });

  it('puts them into directories, each once', async () => {
    const names = (await list({ count: 4, size: 1, prefix: 'f', from: 1, inDirectories: 2 })).map(
      ({ name }) => name,
    );
    expect(names).toEqual(['d0/', 'd0/f1', 'd1/', 'd1/f2', 'd1/f3', 'd2/', 'd2/f4']);
  });
});

describe('writeLayout', () => {
  it('writes an image that ocislim reads, of single gzip members, the same every time', async () => {
    const layers = () => [
      madeUpTar({ count: 3, size: 3000, prefix: 'f' }),
      madeUpTar({ count: 1, size: 10, prefix: 'f' }),
    ];
    const layout = join(folder, 'a');
    const digest = await writeLayout(layout, layers(), { signal });
    expect(await writeLayout(join(folder, 'b'), layers(), { signal })).toBe(digest);
    expect(readManifest(layout).layers).toHaveLength(2);
    for (const { file, size, compression } of readLayers(layout)) {
      expect(compression).toBe('gzip');
      expect(readFileSync(file)).toHaveLength(size);
      expect(gunzipSync(readFileSync(file)).length % 512).toBe(0);
    }
    expect(() => readLayers(folder)).toThrow();
    const squash = ['squash', `oci:${layout}:v1`, `oci:${join(folder, 'c')}:v1`, '--all', '-q'];
    expect(await runCli(squash)).toMatchObject({ status: 0, stderr: '' });
  });
});
