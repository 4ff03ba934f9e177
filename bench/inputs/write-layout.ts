/**
 * Writes OCI layouts for the benchmarks without any code of ocislim. Layers are gzip of one member, as most
 * builders write them.
 */
import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** The bytes of a tar. */
export type Tar = AsyncIterable<Uint8Array>;

const mib = 1024 * 1024;

/** Writes a layout whose image v1 has these layers, the lowest first, as streams. Returns the manifest's digest. */
export async function writeLayout(
  directory: string,
  layers: Iterable<Tar>,
  { level = 6, signal }: { readonly level?: number; readonly signal: AbortSignal },
): Promise<string> {
  const blobs = join(directory, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (value: unknown): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const written = [];
  for (const tar of layers) {
    const [plain, packed] = [hashing(), hashing()];
    const gzip = createGzip({ level, chunkSize: mib });
    const partial = join(blobs, 'partial');
    const source = Readable.from(tar, { objectMode: true, highWaterMark: 2 });
    await pipeline(source, plain.stream, gzip, packed.stream, createWriteStream(partial), { signal });
    const { hex, size } = packed.sum();
    renameSync(partial, join(blobs, hex));
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
    written.push({
      descriptor: { mediaType, digest: `sha256:${hex}`, size },
      diffId: `sha256:${plain.sum().hex}`,
    });
  }
  const config = put({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: written.map(({ diffId }) => diffId) },
    history: written.map((_, i) => ({ created_by: `layer ${i + 1} of bench/inputs` })),
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = put({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: written.map(({ descriptor }) => descriptor),
  });
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const annotations = { 'org.opencontainers.image.ref.name': 'v1' };
  const index = { schemaVersion: 2, manifests: [{ mediaType, ...manifest, annotations }] };
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
  return manifest.digest;
}

/** Passes bytes on, and counts and hashes them. */
function hashing(): { stream: Transform; sum: () => { hex: string; size: number } } {
  const hash = createHash('sha256');
  let size = 0;
  const stream = new Transform({
    highWaterMark: mib,
    transform(chunk: Uint8Array, _, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, sum: () => ({ hex: hash.digest('hex'), size }) };
}
