/**
 * Writes an OCI layout whose image has one large layer, for measuring memory: `large-layer.ts DIR GIGABYTES [FILES]`.
 * Half of each file is noise and half is text, as in real layers; a second small layer overwrites a file of the first.
 * Everything is streamed.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createEncoderPool } from '../src/codec/encoder-pool.ts';
import { encode } from '../src/codec/encode.ts';
import { digestOf } from '../src/oci/digest.ts';
import { encodeJson } from '../src/oci/json.ts';
import { sealing } from '../src/stream/seal.ts';
import { makeHead, tarEnd } from '../src/tar/head.ts';
import { sealHeader } from '../src/tar/header.ts';

const [directory = 'large', gigabytes = '1', files = '200'] = process.argv.slice(2);
const blobs = join(directory, 'blobs', 'sha256');
mkdirSync(blobs, { recursive: true });

function fileHead(name: string, size: number): Uint8Array {
  const head = makeHead({ kind: 'whiteout', name, mtime: 1_700_000_000 });
  head.set(Buffer.from('0000644\0'), 100);
  head.set(Buffer.from(`${size.toString(8).padStart(11, '0')}\0`), 124);
  sealHeader(head);
  return head;
}

async function* tar(count: number, size: number, prefix: string): AsyncGenerator<Uint8Array> {
  const chunk = 1024 * 1024;
  const text = Buffer.from(
    'the quick brown fox jumps over the lazy dog, and the log says so again and again\n'.repeat(13_000),
  ).subarray(0, chunk);
  for (let i = 0; i < count; i++) {
    yield fileHead(`${prefix}${i}`, size);
    for (let at = 0; at < size; at += chunk) {
      // Cheap noise: a hash in counter mode would be slower than the disk.
      const block = (at / chunk) % 2 === 0 ? new Uint8Array(noise(i * 4096 + at / chunk)) : text;
      yield block.subarray(0, Math.min(chunk, size - at));
    }
  }
  yield tarEnd;
}

function noise(seed: number): ArrayBuffer {
  const words = new Uint32Array(262_144);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return words.buffer;
}

const pool = createEncoderPool({ jobs: 2 });

async function writeLayer(count: number, size: number, prefix: string) {
  const plain = sealing(tar(count, size, prefix));
  const packed = sealing(
    encode(
      plain.stream,
      { kind: 'gzip', level: 1, engine: 'libdeflate' },
      { signal: new AbortController().signal, pool },
    ),
  );
  const file = await open(join(blobs, 'partial'), 'w');
  for await (const chunk of packed.stream) await file.write(chunk);
  await file.close();
  const { digest, size: bytes } = packed.seal();
  renameSync(join(blobs, 'partial'), join(blobs, digest.slice(7)));
  return {
    descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: bytes },
    diffId: plain.seal().digest,
  };
}

function put(value: unknown) {
  const bytes = encodeJson(value);
  writeFileSync(join(blobs, digestOf(bytes).slice(7)), bytes);
  return { digest: digestOf(bytes), size: bytes.length };
}

const count = Number(files);
const each = Math.floor((Number(gigabytes) * 1024 ** 3) / count / 512) * 512;
const layers = [await writeLayer(count, each, 'file'), await writeLayer(1, 1024, 'file')];
const config = put({
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  config: {},
});
const mediaType = 'application/vnd.oci.image.manifest.v1+json';
const manifest = put({
  schemaVersion: 2,
  mediaType,
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
  layers: layers.map(({ descriptor }) => descriptor),
});
writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
writeFileSync(
  join(directory, 'index.json'),
  JSON.stringify({
    schemaVersion: 2,
    manifests: [{ mediaType, ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }],
  }),
);
await pool.close();
process.stdout.write(
  `${directory}: ${createHash('sha256').update(manifest.digest).digest('hex').slice(0, 8)}, ${gigabytes} GiB in ${count} files\n`,
);
