/** Makes new inputs from old ones. The general mutations are here; targets add those that know a format. */
import type { Random } from './random.ts';
import { KiB } from '../src/units.ts';

/** Makes another input of one. `other` is a second input of the corpus, to take parts from. Neither is written to. */
export type Mutator = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const oddBytes = [0, 1, 2, 7, 9, 10, 13, 0x20, 0x22, 0x2f, 0x30, 0x5c, 0x7b, 0x7f, 0x80, 0xc2, 0xfe, 0xff];
const oddNumbers = [
  0n,
  1n,
  2n,
  3n,
  7n,
  8n,
  127n,
  128n,
  255n,
  256n,
  511n,
  512n,
  513n,
  1023n,
  4096n,
  32767n,
  65535n,
  65536n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x1fffffffffffffn,
  0x20000000000000n,
  0x7fffffffffffffffn,
  0xffffffffffffffffn,
];
const oddTexts = ['-1', '00', '+5', '1e3', '0x10', '9'.repeat(25), '1.5', ' 7', ''];

/** Returns the start and the length of a part of the input, mostly a short one. */
function part(bytes: Uint8Array, random: Random): [start: number, length: number] {
  const start = random.below(bytes.length + 1);
  const longest = random.once(4) ? bytes.length - start : Math.min(bytes.length - start, 16);
  return [start, random.below(longest + 1)];
}

/** Returns the input with another text in place of a part. */
export function replacePart(bytes: Uint8Array, start: number, length: number, put: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length - length + put.length);
  out.set(bytes.subarray(0, start));
  out.set(put, start);
  out.set(bytes.subarray(start + length), start + put.length);
  return out;
}

function overwrite(bytes: Uint8Array, start: number, put: Uint8Array): Uint8Array {
  return replacePart(bytes, start, Math.min(put.length, bytes.length - start), put);
}

const flipBit: Mutator = (bytes, random) => {
  const out = bytes.slice();
  const at = random.below(out.length);
  if (out.length > 0) out[at] = (out[at] as number) ^ (1 << random.below(8));
  return out;
};

const setByte: Mutator = (bytes, random) => {
  const out = bytes.slice();
  if (out.length > 0)
    out[random.below(out.length)] = random.once(2) ? random.below(256) : random.pick(oddBytes);
  return out;
};

const addToByte: Mutator = (bytes, random) => {
  const out = bytes.slice();
  const at = random.below(out.length);
  if (out.length > 0) out[at] = (out[at] as number) + random.below(33) - 16;
  return out;
};

const remove: Mutator = (bytes, random) => {
  const [start, length] = part(bytes, random);
  return replacePart(bytes, start, length, new Uint8Array(0));
};

const repeat: Mutator = (bytes, random) => {
  const [start, length] = part(bytes, random);
  const again = bytes.subarray(start, start + length);
  const times = random.once(8) ? 1 + random.below(64) : 1;
  const put = new Uint8Array(Math.min(again.length * times, 16_384));
  for (let at = 0; at < put.length; at += again.length) put.set(again.subarray(0, put.length - at), at);
  return replacePart(bytes, start, 0, put);
};

/** Repeats a short part many times now and then, so that readers of text that take more than linear time show it. */
export const flood: Mutator = (bytes, random) => {
  if (!random.once(40)) return bytes;
  const start = random.below(bytes.length + 1);
  const again = bytes.subarray(start, start + 1 + random.below(8));
  const put = new Uint8Array(again.length === 0 ? 0 : 48 * KiB);
  for (let at = 0; at < put.length; at += again.length) put.set(again.subarray(0, put.length - at), at);
  return replacePart(bytes, start, 0, put);
};

const move: Mutator = (bytes, random) => {
  const [start, length] = part(bytes, random);
  const moved = bytes.slice(start, start + length);
  const rest = replacePart(bytes, start, length, new Uint8Array(0));
  return replacePart(rest, random.below(rest.length + 1), 0, moved);
};

const insertRandom: Mutator = (bytes, random) =>
  replacePart(bytes, random.below(bytes.length + 1), 0, random.bytes(1 + random.below(8)));

const cut: Mutator = (bytes, random) => bytes.slice(0, random.below(bytes.length + 1));

const setNumber: Mutator = (bytes, random) => {
  const width = random.pick([2, 4, 8]);
  if (bytes.length < width) return bytes.slice();
  const put = new DataView(new ArrayBuffer(8));
  const little = random.once(2);
  const value = random.pick(oddNumbers);
  put.setBigUint64(0, little ? value : value << BigInt(64 - 8 * width), little);
  return overwrite(bytes, random.below(bytes.length - width + 1), new Uint8Array(put.buffer, 0, width));
};

/** Replaces a number by another one. */
const setDigits: Mutator = (bytes, random) => {
  const runs = [
    ...Buffer.from(bytes)
      .toString('latin1')
      .matchAll(/[0-9]+/g),
  ];
  if (runs.length === 0) return insertRandom(bytes, random, bytes);
  const found = random.pick(runs);
  const digits = found[0];
  const near = BigInt(digits.slice(0, 30)) + BigInt(random.below(5) - 2);
  const text = random.once(3)
    ? random.pick(oddTexts)
    : String(random.once(2) ? near : random.pick(oddNumbers));
  return replacePart(bytes, found.index, digits.length, Buffer.from(text));
};

const swapLines: Mutator = (bytes, random) => {
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  const [a, b] = [random.below(lines.length), random.below(lines.length)];
  [lines[a], lines[b]] = [lines[b] as string, lines[a] as string];
  return Buffer.from(lines.join('\n'), 'latin1');
};

/** Joins the beginning of one input and the end of another. */
const splice: Mutator = (bytes, random, other) =>
  Buffer.concat([
    bytes.subarray(0, random.below(bytes.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);

const graft: Mutator = (bytes, random, other) => {
  const [from, length] = part(other, random);
  const [start, gone] = part(bytes, random);
  return replacePart(bytes, start, random.once(2) ? 0 : gone, other.subarray(from, from + length));
};

const general: readonly Mutator[] = [
  flipBit,
  setByte,
  setByte,
  addToByte,
  remove,
  remove,
  repeat,
  move,
  insertRandom,
  cut,
  setNumber,
  setDigits,
  swapLines,
  splice,
  graft,
];

/** The means of a target to make inputs. */
export interface Means {
  readonly dictionary: readonly string[];
  readonly mutators?: readonly Mutator[];
  /** Whether general mutations are of little use, since hardly any input survives them. Default: no. */
  readonly isFragile?: boolean;
  readonly mend?: Mutator;
  readonly maxBytes?: number;
}

/** Returns a new input: one to eight mutations of an old one, as often those of the format as the general ones. */
export function mutate(bytes: Uint8Array, random: Random, other: Uint8Array, means: Means): Uint8Array {
  const { dictionary, mutators = [], mend, maxBytes = 16 * KiB, isFragile = false } = means;
  const word: Mutator = (bytes, random) => {
    const put = Buffer.from(random.pick(dictionary), 'latin1');
    const start = random.below(bytes.length + 1);
    return random.once(2) ? replacePart(bytes, start, 0, put) : overwrite(bytes, start, put);
  };
  const plain = dictionary.length === 0 ? general : [...general, word, word, word, word];
  const isOwn = (): boolean => mutators.length > 0 && (isFragile ? !random.once(20) : random.once(2));
  let out: Uint8Array = bytes;
  for (let left = 1 << random.below(4); left > 0; left--) {
    const mutator = isOwn() ? random.pick(mutators) : random.pick(plain);
    out = mutator(out, random, other).subarray(0, maxBytes);
  }
  if (mend !== undefined && !random.once(8)) out = mend(out, random, other).subarray(0, maxBytes);
  return new Uint8Array(out);
}
