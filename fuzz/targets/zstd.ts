/** The target of zstd. The scanner and the decoder must agree with Node's zstd on any bytes. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { decode } from '../../src/codec/decode.ts';
import { ZstdFrameScanner } from '../../src/codec/zstd-frame.ts';
import { checkCodec } from '../codec.ts';
import { type Mutator, replacePart } from '../mutate.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';
import { MiB } from '../../src/units.ts';

const text = Buffer.from('what is packed, is packed, is packed\n'.repeat(20));

function skippable(length: number, nibble = 0): Uint8Array {
  const frame = new Uint8Array(8 + length);
  frame.set([0x50 + nibble, 0x2a, 0x4d, 0x18]);
  new DataView(frame.buffer).setUint32(4, length, true);
  return frame;
}

/** Returns a frame of raw and RLE blocks, whatever the header says (RFC 8878 section 3.1.1). */
function frame(
  descriptor: number,
  header: readonly number[],
  blocks: readonly (readonly [type: number, size: number])[],
): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, descriptor, ...header)];
  for (const [i, [type, size]] of blocks.entries()) {
    const word = (size << 3) | (type << 1) | (i === blocks.length - 1 ? 1 : 0);
    parts.push(Uint8Array.of(word & 0xff, (word >> 8) & 0xff, word >> 16));
    parts.push(new Uint8Array(type === 1 ? 1 : Math.min(size, 300)).fill(0x61));
  }
  return Buffer.concat(parts);
}

function anyFrame(random: Random): Uint8Array {
  const descriptor = random.pick([
    0x00, 0x20, 0x24, 0x40, 0x60, 0x80, 0xa0, 0xc0, 0xe0, 0x04, 0x08, 0x01, 0x10,
  ]);
  const header = [...random.bytes(random.below(14))].map((byte) => (random.once(2) ? 0 : byte));
  const blocks = Array.from(
    { length: 1 + random.below(4) },
    () => [random.below(4), random.pick([0, 1, 50, 128, 131_072])] as const,
  );
  return frame(descriptor, header, blocks);
}

const append: Mutator = (bytes, random, other) => {
  const parts = [
    skippable(random.below(20), random.below(16)),
    zstdCompressSync(other.subarray(0, random.below(500))),
    anyFrame(random),
    new Uint8Array(random.below(20)),
  ];
  return random.once(2)
    ? Buffer.concat([bytes, random.pick(parts)])
    : Buffer.concat([random.pick(parts), bytes]);
};

const repack: Mutator = (_, random, other) =>
  zstdCompressSync(other.subarray(0, random.below(2000)), {
    params: {
      [constants.ZSTD_c_compressionLevel]: 1 + random.below(5),
      [constants.ZSTD_c_checksumFlag]: random.below(2),
      [constants.ZSTD_c_contentSizeFlag]: random.below(2),
    },
  });

const ownFrame: Mutator = (_, random) => anyFrame(random);

const setDescriptor: Mutator = (bytes, random) =>
  bytes.length < 5 ? bytes : replacePart(bytes, 4, 1, random.bytes(1));

/** Decompresses as Node 26 does it, on every supported Node: each frame by itself, where the scanner finds it. */
function decompress(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const scanner = new ZstdFrameScanner();
    const start = at;
    while (!scanner.done) at = scanner.push(bytes, at);
    if (scanner.header?.kind === 'frame')
      parts.push(
        zstdDecompressSync(bytes.subarray(start, at), {
          maxOutputLength: maxBytes,
          params: { [constants.ZSTD_d_windowLogMax]: 31 },
        }),
      );
  }
  return Buffer.concat(parts);
}

export const target: Target = {
  name: 'zstd',
  invariant:
    'what is accepted, zstd accepts and unpacks to the same bytes; chunks change neither verdict nor bytes; threads come to the same',
  seeds: () => [
    zstdCompressSync(text),
    zstdCompressSync(''),
    zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
    zstdCompressSync(text, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } }),
    Buffer.concat([zstdCompressSync(text), skippable(5), zstdCompressSync('more'), skippable(0, 15)]),
    Buffer.concat([skippable(3), zstdCompressSync(text)]),
    Buffer.concat([zstdCompressSync(text), new Uint8Array(100)]),
    zstdCompressSync(Buffer.alloc(300_000, text)),
    zstdCompressSync(new Uint8Array(MiB)),
    frame(0x20, [50], [[1, 50]]),
    frame(
      0x00,
      [0x58],
      [
        [0, 50],
        [1, 128],
        [0, 0],
      ],
    ),
    new Uint8Array(0),
  ],
  dictionary: ['\x28\xb5\x2f\xfd', '\x50\x2a\x4d\x18', '\x01\0\0'],
  mutators: [append, repack, ownFrame, setDescriptor],
  run: (bytes) => checkCodec(bytes, 'zstd', (maxBytes) => decompress(bytes, maxBytes), decode),
};
