/**
 * Makes random changes in tars that leave most of their headers readable. The comparison with Go's reader runs
 * thousands of them.
 */
import fc from 'fast-check';
import { bytesOf, concat } from '../model/byte-string.ts';
import { base256, octal } from '../model/tar-bytes.ts';

/** Fields of a header: offset and length. The last ones are those of GNU and star headers. */
const fields: readonly (readonly [number, number])[] = [
  [0, 100],
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [136, 12],
  [156, 1],
  [157, 100],
  [257, 8],
  [265, 32],
  [297, 32],
  [329, 8],
  [337, 8],
  [345, 155],
  [357, 12],
  [386, 24],
  [398, 12],
  [476, 12],
  [482, 1],
  [483, 12],
  [488, 12],
  [508, 4],
];

const numbers = [
  0n,
  1n,
  3n,
  6n,
  511n,
  512n,
  513n,
  1024n,
  -1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
];
const texts = [
  '',
  ' ',
  '0',
  '7',
  '8',
  '-1',
  '0 7',
  '\x007',
  'ustar\x0000',
  'ustar  \0',
  'tar\0',
  'a/',
  '..',
  '.wh.',
  '/a',
  '\xff',
  '\x80',
  'rubbish',
  '7'.repeat(200),
];

/** Returns the offsets of blocks whose checksum is right: headers, wherever they stand. */
export function headersIn(tar: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = 0; at + 512 <= tar.length; at += 512) {
    const stated = Buffer.from(tar.subarray(at + 148, at + 156)).toString('latin1');
    if (Number.parseInt(stated, 8) === sumOf(tar.subarray(at, at + 512))) found.push(at);
  }
  return found;
}

function sumOf(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += block[i] ?? 0;
  return sum;
}

/** Writes the right checksum into a header block, and returns it. */
export function seal(block: Uint8Array): Uint8Array {
  block.set(bytesOf(`${sumOf(block).toString(8).padStart(6, '0')}\0 `), 148);
  return block;
}

/** A change as four numbers, each taken modulo the number of choices. */
type Change = readonly [what: number, where: number, which: number, how: number];

function apply(
  tar: Uint8Array,
  [what, where, which, how]: Change,
  others: readonly Uint8Array[],
): Uint8Array {
  const headers = headersIn(tar);
  const at = headers[where % Math.max(headers.length, 1)];
  const out = tar.slice();
  const blocks = Math.max(1, Math.floor(tar.length / 512));
  const block = 512 * (where % blocks);
  switch (what % 10) {
    case 0:
      // Cuts the tar off, mostly within a header.
      return tar.subarray(
        0,
        at === undefined || how % 4 === 0 ? which % (tar.length + 1) : at + (which % 513),
      );
    case 1:
    case 2: {
      if (at === undefined) return out;
      const [offset, length] = fields[which % fields.length] ?? [0, 1];
      out.set(valueOf(how, length), at + offset);
      seal(out.subarray(at, at + 512));
      return out;
    }
    case 3:
    case 4: {
      if (at === undefined) return out;
      const place = at + (which % 512);
      out[place] = (out[place] ?? 0) ^ (1 << (how % 8));
      // The checksum is nearly always right again.
      if (how % 16 !== 0) seal(out.subarray(at, at + 512));
      return out;
    }
    case 5: {
      // Extension bodies are short: the bytes at the start of a block matter most.
      const interesting = bytesOf('0123456789 =\n\0,.-+x');
      out[(block + (which % 64)) % Math.max(out.length, 1)] = interesting[how % interesting.length] ?? 0;
      return out;
    }
    case 6:
      return concat([tar.subarray(0, block), tar.subarray(block + 512)]);
    case 7:
      return concat([tar.subarray(0, block + 512), tar.subarray(block)]);
    case 8:
      return concat([tar.subarray(0, block), new Uint8Array(512), tar.subarray(block)]);
    default: {
      const other = others[how % others.length] ?? new Uint8Array();
      const from = 512 * (which % Math.max(1, Math.floor(other.length / 512)));
      return concat([tar.subarray(0, block), other.subarray(from), tar.subarray(block)]);
    }
  }
}

function valueOf(how: number, length: number): Uint8Array {
  const number = numbers[how % numbers.length] ?? 0n;
  const value = new Uint8Array(length);
  const text =
    how % 3 === 0 || length < 8
      ? bytesOf(texts[how % texts.length] ?? '')
      : how % 3 === 1 && number >= 0n && number < 8n ** BigInt(length - 1)
        ? octal(number, length)
        : base256(number, length);
  value.set(text.subarray(0, length));
  return value;
}

/** Returns `count` tars, each made of a base by one to three changes. The same seed gives the same tars. */
export function mutate(bases: readonly Uint8Array[], count: number, seed: number): readonly Uint8Array[] {
  const any = fc.nat(0xffffff);
  const plan = fc.tuple(any, fc.array(fc.tuple(any, any, any, any), { minLength: 1, maxLength: 3 }));
  return fc
    .sample(plan, { numRuns: count, seed })
    .map(([base, changes]) =>
      changes.reduce(
        (tar, change) => apply(tar, change, bases),
        bases[base % bases.length] ?? new Uint8Array(),
      ),
    );
}
