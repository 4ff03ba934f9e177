import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { silent } from '../../../src/events.ts';
import { DiskBudget } from '../../../src/files/disk-budget.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { openArchive } from '../../../src/store/archive/open-archive.ts';
import { writeTar } from '../../support/model/tar-bytes.ts';
import { never } from '../../support/registry/setup.ts';
import { newFolder, openFiles, refused } from '../../support/store/local.ts';

const tar = writeTar([{ name: 'a', body: Buffer.from('x'.repeat(5000)) }]);
const label = 'source docker-archive:app.tar';

/** Opens an archive of these bytes, and returns what it holds. */
async function read(
  bytes: Uint8Array,
  { disk = new DiskBudget(1e6), limits = defaultLimits, name = 'app.tar' } = {},
): Promise<Uint8Array> {
  const path = join(await newFolder(), name);
  await writeFile(path, bytes);
  await using archive = await openArchive({ path, label, limits, disk, listener: silent }, never);
  const { buffer, bytesRead } = await archive.handle.read(Buffer.alloc(20_000), 0, 20_000, 0);
  expect(bytesRead).toBe(archive.size);
  return buffer.subarray(0, bytesRead);
}

const half = tar.length / 2;

describe('a packed archive', () => {
  test.each([
    ['gzip', gzipSync(tar)],
    ['gzip in two members', Buffer.concat([gzipSync(tar.subarray(0, half)), gzipSync(tar.subarray(half))])],
    ['zstd', zstdCompressSync(tar)],
    [
      'zstd in two frames',
      Buffer.concat([zstdCompressSync(tar.subarray(0, half)), zstdCompressSync(tar.subarray(half))]),
    ],
    ['nothing at all', tar],
  ])('by %s is read as the tar in it, and its disk is given back', async (_, bytes) => {
    const disk = new DiskBudget(1e6);
    const before = openFiles().length;
    expect(Buffer.compare(await read(bytes, { disk }), tar)).toBe(0);
    expect(disk.left).toBe(1e6);
    expect(openFiles().length).toBe(before);
  });

  test('is refused beyond --max-scratch', async () => {
    const disk = new DiskBudget(5000);
    const said = await refused('LIMIT', read(gzipSync(tar), { disk }));
    expect(said).toMatch(
      /source docker-archive:app\.tar.*5 kB of disk that --max-scratch allows.*--max-scratch 20GB/,
    );
    expect(disk.left).toBe(5000);
    await read(tar, { disk });
  });

  test('is refused beyond the ratio of packed and unpacked bytes', async () => {
    const zeros = gzipSync(Buffer.alloc(1e6));
    const limits = { ...defaultLimits, ratio: 100, 'ratio-floor': 10_000 };
    expect(await refused('LIMIT', read(zeros, { limits, disk: new DiskBudget(1e7) }))).toContain(
      '--limit ratio=',
    );
  });

  test.each([
    ['cut off', gzipSync(tar).subarray(0, 60)],
    ['followed by other bytes', Buffer.concat([zstdCompressSync(tar), Buffer.from('more')])],
  ])('that is %s is refused', async (_, bytes) => {
    expect(await refused('CODEC', read(bytes))).toContain(label);
  });

  test('that is empty is refused', async () => {
    await refused('ARCHIVE_INVALID', read(gzipSync(new Uint8Array(0))));
  });
});

describe('other formats are refused with the command that unpacks them', () => {
  test.each([
    ['xz', ['-z'], 'app.tar.xz', 'app.tar.xz'],
    ['bzip2', ['-z'], "it's.tar.bz2", "'.*it'\\\\''s.tar.bz2'"],
  ])('from %s', async (program, options, name, written) => {
    const bytes = execFileSync(program, [...options, '-c'], { input: tar });
    const said = await refused('UNSUPPORTED', read(bytes, { name }));
    expect(said).toMatch(new RegExp(`packed with ${program}.*Unpack it first: ${program} -dk .*${written}$`));
    const folder = await newFolder();
    await writeFile(join(folder, name), bytes);
    const command = said.replace(/^.*Unpack it first: /, '').replace(/\/[^ ']*ocislim-test-[^/]*/, folder);
    execFileSync('/bin/sh', ['-c', command]);
    expect(readdirSync(folder)).toHaveLength(2);
  });
});
