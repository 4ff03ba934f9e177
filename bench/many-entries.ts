/**
 * Writes an OCI layout whose layers have many small entries: `many-entries.ts DIR ENTRIES [LAYERS] [same]`. Names
 * are as deep and long as in a tree of node_modules; of 100 entries 5 are directories, 1 a symlink, 1 a hard link,
 * the others files of 0 to 600 bytes. Layers have different paths, or the same ones with `same`. A small layer on
 * top overwrites a file in a thousand of the layer below. Everything is streamed.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from '../src/codec/encode.ts';
import { createEncoderPool } from '../src/codec/encoder-pool.ts';
import { digestOf } from '../src/oci/digest.ts';
import { encodeJson } from '../src/oci/json.ts';
import { coalesce } from '../src/stream/coalesce.ts';
import { sealing } from '../src/stream/seal.ts';
import { makeHead, tarEnd } from '../src/tar/head.ts';
import { sealHeader } from '../src/tar/header.ts';
import { b } from '../test/support/bytes.ts';

const [directory = 'many', entries = '1000000', stack = '1', paths = 'different'] = process.argv.slice(2);
const blobs = join(directory, 'blobs', 'sha256');
mkdirSync(blobs, { recursive: true });
const pool = createEncoderPool({ jobs: 2 });
const text = Buffer.from('module.exports = require("./lib/index.js");\n'.repeat(20));

function head(type: '0' | '1' | '2' | '5', name: string, size: number, link = ''): Uint8Array {
  const block = makeHead({ kind: 'directory', name: b(name.replace(/\/$/, '')), mtime: 1_700_000_000 });
  block[156] = type.charCodeAt(0);
  block.set(Buffer.from(`${name}\0`), 0);
  block.set(Buffer.from(type === '5' ? '0000755\0' : '0000644\0'), 100);
  block.set(Buffer.from(`${size.toString(8).padStart(11, '0')}\0`), 124);
  block.set(Buffer.from(link), 157);
  sealHeader(block);
  return block;
}

/** Returns the directory of entry `i`: twenty entries in each, a hundred directories in each package. */
function folderOf(i: number, root: string): string {
  const folder = Math.floor(i / 20);
  return `usr/lib/${root}/node_modules/package-${Math.floor(folder / 100)}/lib/part-${folder % 100}/`;
}

function* tar(count: number, root: string, layer: number, step = 1): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    const at = step === 1 ? i : i * step + 3;
    const folder = folderOf(at, root);
    const name = `${folder}component-${at}.js`;
    const size = (at * 7919 + layer) % 601;
    if (at % 20 === 0 && step === 1) yield head('5', folder, 0);
    else if (at % 100 === 1) yield head('2', name, 0, `component-${at + 1}.js`);
    else if (at % 100 === 19) yield head('1', name, 0, `${folder}component-${at - 2}.js`);
    else {
      yield head('0', name, size);
      const body = new Uint8Array(Math.ceil(size / 512) * 512);
      body.set(text.subarray(0, size));
      yield body;
    }
  }
  yield tarEnd;
}

async function* stream(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function writeLayer(pieces: Iterable<Uint8Array>) {
  const plain = sealing(coalesce(stream(pieces)));
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
  const { digest, size } = packed.seal();
  renameSync(join(blobs, 'partial'), join(blobs, digest.slice(7)));
  return {
    descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size },
    diffId: plain.seal().digest,
  };
}

function put(value: unknown) {
  const bytes = encodeJson(value);
  writeFileSync(join(blobs, digestOf(bytes).slice(7)), bytes);
  return { digest: digestOf(bytes), size: bytes.length };
}

const count = Number(entries);
const layers = [];
for (let i = 0; i < Number(stack); i++)
  layers.push(await writeLayer(tar(count, paths === 'same' ? 'app' : `app-${i}`, i)));
const top = paths === 'same' ? 'app' : `app-${Number(stack) - 1}`;
if (Number(stack) < 127) layers.push(await writeLayer(tar(Math.ceil(count / 1000), top, 300, 1000)));
await pool.close();
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
process.stdout.write(`${directory}: ${count} entries in each of ${stack} layers\n`);
