/**
 * Layers that are small to send and large to unpack, or that keep a reader busy without end. The tests of limits
 * write them into layouts, chunk by chunk: what they unpack to is never in memory, nor in the repository.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { digestOf, jsonBytes, MEDIA_TYPES } from './image-builder.ts';
import { headerBlock, octal, paxRecord } from './model/tar-bytes.ts';
import { KiB, MiB } from '../../src/units.ts';

/** Bytes that are made while they are written. */
export type Bytes = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a layout with one image: an empty layer, and one of these bytes, with an invented DiffID unless one is
 * given.
 */
export async function writeBomb(
  folder: string,
  layer: Bytes,
  compression: 'gzip' | 'zstd' | 'none',
  diffId = `sha256:${'0'.repeat(64)}`,
): Promise<void> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (bytes: Uint8Array) => {
    const digest = digestOf(bytes);
    await writeFile(join(blobs, digest.slice(7)), bytes);
    return { digest, size: bytes.length };
  };
  const hash = createHash('sha256');
  let size = 0;
  const file = join(folder, 'layer');
  await pipeline(
    Readable.from(layer),
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(file),
  );
  const hex = hash.digest('hex');
  await rename(file, join(blobs, hex));
  const small = new Uint8Array(1024);
  const mediaType = MEDIA_TYPES.oci.layer[compression];
  const config = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digestOf(small), diffId] },
    history: [{ created_by: 'a' }, { created_by: 'b' }],
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.oci.manifest,
    config: { mediaType: MEDIA_TYPES.oci.config, ...(await put(jsonBytes(config))) },
    layers: [
      { mediaType: MEDIA_TYPES.oci.layer.none, ...(await put(small)) },
      { mediaType, digest: `sha256:${hex}`, size },
    ],
  };
  const root = { mediaType: MEDIA_TYPES.oci.manifest, ...(await put(jsonBytes(manifest))) };
  const index = {
    schemaVersion: 2,
    manifests: [{ ...root, annotations: { 'org.opencontainers.image.ref.name': '1' } }],
  };
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
}

/** Compresses bytes with gzip as they come, through a file. */
export async function gzipped(bytes: Bytes, file: string): Promise<Bytes> {
  await pipeline(Readable.from(bytes), createGzip({ level: 1 }), createWriteStream(file));
  return createReadStream(file, { highWaterMark: MiB });
}

export function* repeat(part: Uint8Array, times: number): Generator<Uint8Array> {
  const perChunk = Math.max(1, Math.floor(MiB / part.length));
  const chunk = Buffer.concat(Array.from({ length: Math.min(perChunk, times) }, () => part));
  for (let left = times; left > 0; left -= perChunk)
    yield left >= perChunk ? chunk : chunk.subarray(0, left * part.length);
}

export function* chain(...all: readonly Iterable<Uint8Array>[]): Generator<Uint8Array> {
  for (const bytes of all) yield* bytes;
}

/** Returns the head of a file of `size` bytes. Whatever follows the head is the body. */
export function fileHead(name: string, size: number): Uint8Array {
  return headerBlock({ name, size: octal(size, 12), typeflag: '0' });
}

/** Returns gzip members of zeros, 1,028 times smaller than what they unpack to. */
export function zeroMembers(total: number): Bytes {
  const member = gzipSync(new Uint8Array(64 * MiB), { level: 9 });
  return repeat(member, Math.ceil(total / (64 * MiB)));
}

const magic = [0x28, 0xb5, 0x2f, 0xfd];

function rleBlock(size: number, last: boolean): number[] {
  const word = (size << 3) | 2 | (last ? 1 : 0);
  return [word & 255, (word >> 8) & 255, word >> 16, 0];
}

/**
 * Yields one zstd frame of zeros in RLE blocks, 32,768 times smaller than what it unpacks to. `window` is the
 * window descriptor (0xa8: 2 GiB).
 */
export function* zeroFrame(total: number, window: number): Generator<Uint8Array> {
  const blocks = Math.ceil(total / (128 * KiB));
  yield Uint8Array.from([...magic, 0, window]);
  yield* repeat(Uint8Array.from(rleBlock(128 * KiB, false)), blocks - 1);
  yield Uint8Array.from(rleBlock(128 * KiB, true));
}

/** Returns zstd frames that each declare their size, 8 MiB, and hold zeros. */
export function zeroFrames(total: number): Bytes {
  const count = 64;
  const blocks = Array.from({ length: count }, (_, i) => rleBlock(128 * KiB, i === count - 1)).flat();
  const size = [0, 0, 0x80, 0];
  const frame = Uint8Array.from([...magic, 0xa0, ...size, ...blocks]);
  return repeat(frame, Math.ceil(total / (8 * MiB)));
}

export function emptyFrames(count: number): Bytes {
  return repeat(Uint8Array.from([...magic, 0x20, 0, 1, 0, 0]), count);
}

export function emptyMembers(count: number): Bytes {
  return repeat(gzipSync(''), count);
}

/** Yields the start of a gzip member with a field (FNAME 0x08, FCOMMENT 0x10) that does not end. */
export function* longHeader(flag: number, length: number): Generator<Uint8Array> {
  yield Uint8Array.from([0x1f, 0x8b, 8, flag, 0, 0, 0, 0, 0, 3]);
  yield* repeat(new Uint8Array(MiB).fill(0x61), length / MiB);
}

/** Yields empty files, each under a name of its own. */
export function* manyEntries(count: number): Generator<Uint8Array> {
  const head = headerBlock({ name: 'f' });
  const perChunk = 2000;
  for (let first = 0; first < count; first += perChunk) {
    const chunk = Buffer.alloc(512 * Math.min(perChunk, count - first));
    for (let i = 0; i * 512 < chunk.length; i++) {
      chunk.set(head, i * 512);
      // Ten digits replace the ten NULs of the template, so that only they change the checksum.
      nameEntry(chunk, i * 512, String(first + i).padStart(10, '0'));
    }
    yield chunk;
  }
  yield new Uint8Array(1024);
}

function nameEntry(tar: Buffer, at: number, name: string): void {
  tar.write(name, at, 'latin1');
  tar.fill(0x20, at + 148, at + 156);
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += tar[at + i] as number;
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
}

/** Yields files in directories that no other file lies in: `7/d/d/d/…/x`. */
export function* deepNames(count: number, depth: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    const name = `${i}/${'d/'.repeat(depth)}x\0`;
    yield longNameEntry('L', name);
  }
  yield new Uint8Array(1024);
}

function longNameEntry(typeflag: 'L' | 'x', body: string): Uint8Array {
  const head = headerBlock({ name: '././@LongLink', typeflag, size: octal(body.length, 12) });
  const padded = Buffer.alloc(Math.ceil(body.length / 512) * 512);
  padded.write(body, 'latin1');
  return Buffer.concat([head, padded, headerBlock({ name: 'x' })]);
}

/** Yields an extended header that declares `size` bytes and has `length` of them. */
export function* longName(typeflag: 'L' | 'x' | 'g', size: number, length: number): Generator<Uint8Array> {
  yield headerBlock({ name: '././@LongLink', typeflag, size: octal(size, 12) });
  yield* repeat(Buffer.from('d/'.repeat(256)), Math.ceil(length / 512));
}

/** Yields a sparse file of old GNU tar, each of whose maps declares that another follows. */
export function* sparseMapEndless(blocks: number): Generator<Uint8Array> {
  const piece = (offset: number) => Buffer.concat([octal(offset, 12), octal(0, 12)]);
  const patches = [
    [386, piece(0)],
    [482, Uint8Array.of(1)],
    [483, octal(0, 12)],
  ] as const;
  yield headerBlock({ name: 's', typeflag: 'S', magic: 'ustar  \0', patches });
  const block = Buffer.alloc(512);
  for (let i = 0; i < 21; i++) block.set(piece(0), i * 24);
  block[504] = 1;
  yield* repeat(block, blocks);
}

function paxSparse(records: readonly (readonly [string, string])[], size: number): Uint8Array {
  const body = records.map(([key, value]) => paxRecord(key, value)).join('');
  const entry = Buffer.from(longNameEntry('x', body));
  const head = headerBlock({ name: 's', size: octal(size, 12) });
  entry.set(head, entry.length - 512);
  return entry;
}

/** Yields a sparse file in the form 1.0, whose map declares more numbers than a reader can hold. */
export function* sparseMapInBody(size: number): Generator<Uint8Array> {
  yield paxSparse(
    [
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 's'],
      ['GNU.sparse.realsize', '0'],
    ],
    size,
  );
  yield Buffer.from('999999999999\n'.padEnd(512, '0\n0\n'));
  yield* repeat(Buffer.from('0\n'.repeat(256)), size / 512 - 1);
}

/** Yields a sparse file in the form 0.1, whose map is longer than an extended header may be. */
export function* sparseMapInHeader(size: number): Generator<Uint8Array> {
  const numbers = size / 2;
  yield paxSparse(
    [
      ['GNU.sparse.major', '0'],
      ['GNU.sparse.minor', '1'],
      ['GNU.sparse.numblocks', String(numbers / 2)],
      ['GNU.sparse.map', Array.from({ length: numbers }, () => '0').join(',')],
    ],
    0,
  );
}
