import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Bytes,
  chain,
  deepNames,
  emptyFrames,
  emptyMembers,
  fileHead,
  gzipped,
  longHeader,
  longName,
  manyEntries,
  repeat,
  sparseMapEndless,
  sparseMapInBody,
  sparseMapInHeader,
  writeBomb,
  zeroFrame,
  zeroFrames,
  zeroMembers,
} from '../support/bombs.ts';
import { GiB, MiB } from '../../src/units.ts';
import { bin, ocislim } from '../support/e2e/cli.ts';
import { removeFolder, runToEnd, workFolder } from '../support/e2e/programs.ts';
import { sample } from '../support/extent.ts';
import { digestOf } from '../support/image-builder.ts';

// Layers that are small to send end in an error, within the memory that an honest layer needs as well. V8 gets a
// small heap, so that data that piles up in it ends the process and the test.
const heap = 192;
const most = 400;

let work: string;

beforeAll(() => {
  work = workFolder('bombs');
});

afterAll(() => removeFolder(work));

interface Bomb {
  readonly layer: () => Bytes | Promise<Bytes>;
  readonly compression: 'gzip' | 'zstd' | 'none';
  /** The error message. */
  readonly says: RegExp;
  /** The commands that read it. Default: all. */
  readonly by?: readonly string[];
  readonly options?: readonly string[];
}

const commands: Readonly<Record<string, readonly string[]>> = {
  squash: ['squash', '--all'],
  recompress: ['recompress', '--compression', 'zstd', '--level', '1'],
  verify: ['verify'],
  export: ['export'],
};

const gibibyte = ['--limit', 'layer-bytes=1GiB'];
const headers = ['squash', 'verify', 'export'];

const bombs: Readonly<Record<string, Bomb>> = {
  'T9: gzip at 1,028:1, in threads': {
    layer: () => zeroMembers(5 * GiB),
    compression: 'gzip',
    says: /layer 2: it unpacks to too much: .* and the limit ratio is 1000 \[LIMIT\]/,
    by: ['recompress', 'squash'],
  },
  'T9: gzip at 1,028:1, in one member': {
    layer: () =>
      gzipped(chain([fileHead('zeros', 8 * GiB - 512)], repeat(new Uint8Array(MiB), 1200)), join(work, 'gz')),
    compression: 'gzip',
    says: /layer 2: it unpacks to too much: .* and the limit layer-bytes is 1GiB \[LIMIT\]/,
    options: gibibyte,
  },
  'T9: zstd at 32,768:1 in one frame': {
    layer: () => zeroFrame(2 ** 40, 0x50),
    compression: 'zstd',
    says: /layer 2: .* the limit layer-bytes is 1GiB \[LIMIT\]/,
    options: gibibyte,
  },
  'T9: zstd at 32,768:1, by the ratio': {
    layer: () => zeroFrame(2 ** 34, 0x50),
    compression: 'zstd',
    says: /layer 2: .* the limit ratio is 1000 \[LIMIT\]/,
    by: ['recompress'],
  },
  'T9: many frames of 8 MiB in 260 bytes each': {
    layer: () => zeroFrames(2 ** 36),
    compression: 'zstd',
    says: /layer 2: .* the limit layer-bytes is 1GiB \[LIMIT\]/,
    options: gibibyte,
  },
  'T9: a window of 2 GiB, and bytes to fill it': {
    layer: () => zeroFrame(2 ** 32, 0xa8),
    compression: 'zstd',
    says: /layer 2: a zstd frame needs too much memory: .* the limit window-bytes is 128MiB \[LIMIT\]/,
  },
  'T9: a million skippable frames': {
    layer: () => repeat(Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0), 1_000_000),
    compression: 'zstd',
    says: /layer 2: .*\[(?:DIFFID_MISMATCH|TAR_INVALID)\]/,
    by: ['recompress'],
  },
  'T9: a skippable frame of 4 GiB that is not there': {
    layer: () => [Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 255, 255, 255, 255)],
    compression: 'zstd',
    says: /layer 2: the zstd stream is cut off \[CODEC\]/,
  },
  'T9: half a million empty frames': {
    layer: () => emptyFrames(500_000),
    compression: 'zstd',
    says: /layer 2: .*\[(?:DIFFID_MISMATCH|TAR_INVALID)\]/,
    by: ['recompress'],
  },
  'T9: half a million empty members': {
    layer: () => emptyMembers(500_000),
    compression: 'gzip',
    says: /layer 2: .*\[(?:DIFFID_MISMATCH|TAR_INVALID)\]/,
    by: ['recompress'],
  },
  'T9: a gzip header with a name of 64 MiB': {
    layer: () => longHeader(0x08, 64 * MiB),
    compression: 'gzip',
    says: /layer 2: the gzip stream is cut off \[CODEC\]/,
  },
  'T9: a gzip header with a comment of 64 MiB': {
    layer: () => longHeader(0x10, 64 * MiB),
    compression: 'gzip',
    says: /layer 2: the gzip stream is cut off \[CODEC\]/,
    by: ['recompress'],
  },
  'T8: entries without end': {
    layer: () => gzipped(manyEntries(3_000_000), join(work, 'gz')),
    compression: 'gzip',
    says: /layer 2: the headers of the layers need too much memory: \d+ entries take some \d+ bytes, and the limit index-bytes is \d+/,
    by: headers,
  },
  'T8: more entries than are allowed': {
    layer: () => gzipped(manyEntries(200_000), join(work, 'gz')),
    compression: 'gzip',
    says: /layer 2: it has too many entries: 100001 have been read so far, and the limit layer-entries is 100000 \[LIMIT\]/,
    by: headers,
    options: ['--limit', 'layer-entries=100000'],
  },
  'T8: names 2,000 directories deep, which are all others': {
    layer: () => gzipped(deepNames(20_000, 2000), join(work, 'gz')),
    compression: 'gzip',
    says: /layer 2: the headers of the layers need too much memory: .* and the limit index-bytes is \d+/,
    by: headers,
  },
  'T8: a name 1,000,000 directories deep': {
    layer: () => longName('L', 2_000_000, 2_000_000),
    compression: 'none',
    says: /layer 2: a tar extended header is 2000000 bytes long.* \[LIMIT\]/,
    by: headers,
  },
  'T8: a GNU long name of 1 GiB': {
    layer: () => gzipped(longName('L', GiB, GiB), join(work, 'gz')),
    compression: 'gzip',
    says: /layer 2: a tar extended header is 1073741824 bytes long.* \[LIMIT\]/,
    by: headers,
  },
  'T8: a PAX header of 1 MiB and a byte': {
    layer: () => longName('x', MiB + 1, MiB + 1),
    compression: 'none',
    says: /layer 2: a tar extended header is 1048577 bytes long.* \[LIMIT\]/,
    by: headers,
  },
  'T8: a global header of 1 GiB': {
    layer: () => longName('g', GiB, 0),
    compression: 'none',
    says: /layer 2: a global tar header is longer than 1 MiB.* \[LIMIT\]/,
    by: headers,
  },
  'T8: the map of an old GNU sparse file that never ends': {
    layer: () => gzipped(sparseMapEndless(1_000_000), join(work, 'gz')),
    compression: 'gzip',
    says: /layer 2: .*(?:sparse map is longer|headers of a tar entry are longer).* \[(?:LIMIT|TAR_INVALID)\]/,
    by: headers,
  },
  'T8: a sparse map of a gigabyte at the start of a body (1.0)': {
    layer: () => gzipped(sparseMapInBody(GiB), join(work, 'gz')),
    compression: 'gzip',
    says: /layer 2: .*sparse.* \[(?:LIMIT|TAR_INVALID)\]/,
    by: ['verify'],
  },
  'T8: a sparse map longer than a PAX header may be (0.1)': {
    layer: () => sparseMapInHeader(2 * MiB),
    compression: 'none',
    says: /layer 2: a tar extended header is \d+ bytes long.* \[LIMIT\]/,
    by: headers,
  },
};

describe.each(Object.entries(bombs))('%s, as a layer,', (name, bomb) => {
  const folder = () => join(work, name.replace(/\W+/g, '-').slice(0, 40));

  beforeAll(async () => {
    await writeBomb(folder(), await bomb.layer(), bomb.compression);
  });

  afterAll(() => removeFolder(folder()));

  it.each(sample(bomb.by ?? Object.keys(commands), 4))('is refused by %s', async (command) => {
    const target = join(work, 'target');
    const other = join(work, 'other');
    const empty = new Uint8Array(2048);
    if (!existsSync(other)) await writeBomb(other, [empty], 'none', digestOf(empty));
    const destination =
      command === 'verify' ? `oci:${other}:1` : command === 'export' ? target : `oci:${target}:1`;
    const peak = join(work, 'peak');
    const args = [bin, ...(commands[command] ?? []), `oci:${folder()}:1`, destination];
    const { status, stderr } = await runToEnd(
      '/usr/bin/time',
      ['-f', '%M', '-o', peak, process.execPath, ...args, '--progress', 'none', ...(bomb.options ?? [])],
      { env: { TMPDIR: work, NODE_OPTIONS: `--max-old-space-size=${heap}` } },
    );
    expect(stderr).toMatch(bomb.says);
    expect(status).toBe(1);
    // time(1) reports the failure of the command first.
    const kibibytes = Number((await readFile(peak, 'utf8')).trim().split('\n').at(-1));
    expect(kibibytes).toBeGreaterThan(10_000);
    expect(kibibytes).toBeLessThanOrEqual(most * 1024);
    expect(existsSync(command === 'export' ? target : join(target, 'index.json'))).toBe(false);
    removeFolder(target);
  });
});

it('a run that takes too long ends, and publishes nothing', async () => {
  const folder = join(work, 'slow');
  await writeBomb(folder, zeroMembers(64 * GiB), 'gzip');
  const target = join(work, 'target');
  const { status, stderr } = await ocislim([
    ...(commands['recompress'] ?? []),
    `oci:${folder}:1`,
    `oci:${target}:1`,
    '--progress',
    'none',
    '--limit',
    'time=2s,ratio=none,layer-bytes=none',
  ]);
  expect(stderr).toContain(
    'the run takes too long: it has run for 2 seconds, and the limit time is 2s [LIMIT]',
  );
  expect(status).toBe(1);
  expect(existsSync(join(target, 'index.json'))).toBe(false);
});
