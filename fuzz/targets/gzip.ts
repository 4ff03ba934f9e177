/** The target of gzip. The decoder must agree with Node's zlib on any bytes. */
import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import { decode } from '../../src/codec/decode.ts';
import { type Mutator, replacePart } from '../mutate.ts';
import { checkCodec } from '../codec.ts';
import type { Target } from '../target.ts';
import { MiB } from '../../src/units.ts';

const text = Buffer.from('what is packed, is packed, is packed\n'.repeat(20));
const flags = [0, 1, 2, 4, 8, 16, 32, 0x80];

/** Returns a member with the optional fields of its header (RFC 1952 section 2.3). */
function member(flag: number, fields: string, body: Uint8Array): Uint8Array {
  const trailer = gzipSync(body).subarray(-8);
  return Buffer.concat([
    Uint8Array.of(0x1f, 0x8b, 8, flag, 0, 0, 0, 0, 0, 3),
    Buffer.from(fields, 'latin1'),
    deflateRawSync(body),
    trailer,
  ]);
}

const setFlags: Mutator = (bytes, random) =>
  bytes.length < 4 ? bytes : replacePart(bytes, 3, 1, Uint8Array.of(random.pick(flags)));

/** Replaces the content of a member, compressed correctly. */
const repack: Mutator = (bytes, random, other) => {
  const body = random.once(2) ? other.subarray(0, random.below(2000)) : random.bytes(random.below(50));
  const packed = gzipSync(body, { level: random.below(10) });
  return random.once(2) ? packed : Buffer.concat([bytes, packed]);
};

const append: Mutator = (bytes, random) =>
  Buffer.concat([
    bytes,
    random.once(2) ? new Uint8Array(1 + random.below(600)) : random.bytes(1 + random.below(20)),
  ]);

const endings = [2, 4, 8];

const damageTrailer: Mutator = (bytes, random) => {
  const at = bytes.length - random.pick(endings);
  return at < 0 ? bytes : replacePart(bytes, at, 1, random.bytes(1));
};

export const target: Target = {
  name: 'gzip',
  invariant:
    'what is accepted, zlib accepts and unpacks to the same bytes; chunks, threads and the native engine change neither verdict nor bytes',
  seeds: () => [
    gzipSync(text),
    gzipSync(''),
    gzipSync(text, { level: 0 }),
    Buffer.concat([gzipSync(text), gzipSync(''), gzipSync('more')]),
    Buffer.concat([gzipSync(text), new Uint8Array(512)]),
    Buffer.concat([gzipSync(text), Buffer.from('stray')]),
    member(8, 'name\0', text),
    member(4, '\x04\0AB\0\0', text),
    member(16, 'comment\0', text),
    gzipSync(new Uint8Array(MiB)),
    new Uint8Array(0),
  ],
  dictionary: ['\x1f\x8b\x08', '\0\0\xff\xff', '\x03\0'],
  mutators: [setFlags, repack, append, damageTrailer],
  run: (bytes) =>
    checkCodec(bytes, 'gzip', (maxBytes) => gunzipSync(bytes, { maxOutputLength: maxBytes }), decode),
};
