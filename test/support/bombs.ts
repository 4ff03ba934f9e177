import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { digestOf, jsonBytes, MEDIA_TYPES } from './image-builder.ts';
import { headerBlock, octal } from './model/tar-bytes.ts';

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** Bytes that are made as they are written: what they come to never stands in memory, nor in the repository. */
export type Bytes = Iterable<Uint8Array>;

/** Writes a layout with one image: an empty layer, and one of these bytes, whose DiffID is made up unless given. */
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

/** The same bytes, packed with gzip as they come. */
export async function gzipped(bytes: Bytes, file: string): Promise<Bytes> {
  await pipeline(Readable.from(bytes), createGzip({ level: 1 }), createWriteStream(file));
  return readBack(file);
}

async function* read(file: string) {
  yield* createReadStream(file, { highWaterMark: MiB }) as AsyncIterable<Uint8Array>;
}

function readBack(file: string): Bytes {
  return read(file) as unknown as Bytes;
}

export function* repeat(part: Uint8Array, times: number): Bytes {
  const perChunk = Math.max(1, Math.floor(MiB / part.length));
  const chunk = Buffer.concat(Array.from({ length: Math.min(perChunk, times) }, () => part));
  for (let left = times; left > 0; left -= perChunk)
    yield left >= perChunk ? chunk : chunk.subarray(0, left * part.length);
}

export function* chain(...all: readonly Bytes[]): Bytes {
  for (const bytes of all) yield* bytes;
}

/** The head of a file of `size` bytes: what comes behind it is the body, however much that is. */
export function fileHead(name: string, size: number): Uint8Array {
  return headerBlock({ name, size: octal(size, 12), typeflag: '0' } as never);
}

/** Members of zeros: 1,028 times smaller. */
export function zeroMembers(total: number): Bytes {
  const member = gzipSync(new Uint8Array(64 * MiB), { level: 9 });
  return repeat(member, Math.ceil(total / (64 * MiB)));
}

const magic = [0x28, 0xb5, 0x2f, 0xfd];

function rleBlock(size: number, last: boolean): number[] {
  const word = (size << 3) | 2 | (last ? 1 : 0);
  return [word & 255, (word >> 8) & 255, word >> 16, 0];
}

/** One zstd frame of zeros in RLE blocks, 32,768 times smaller; `window` is the window descriptor (0xa8: 2 GiB). */
export function* zeroFrame(total: number, window: number): Bytes {
  const blocks = Math.ceil(total / (128 * KiB));
  yield Uint8Array.from([...magic, 0, window]);
  yield* repeat(Uint8Array.from(rleBlock(128 * KiB, false)), blocks - 1);
  yield Uint8Array.from(rleBlock(128 * KiB, true));
}

/** Many frames that each say their size, 8 MiB, and hold zeros. */
export function zeroFrames(total: number): Bytes {
  const count = 64;
  const blocks = Array.from({ length: count }, (_, i) => rleBlock(128 * KiB, i === count - 1)).flat();
  const size = [0, 0, 0x80, 0];
  const frame = Uint8Array.from([...magic, 0xa0, ...size, ...blocks]);
  return repeat(frame, Math.ceil(total / (8 * MiB)));
}
