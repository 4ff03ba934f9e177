/**
 * Mutations that know headers, PAX records and sparse maps of tars. Targets that read tars use them beside the
 * general ones.
 */
import {
  gnuLong,
  headerBlock,
  octal,
  padded,
  paxHeader,
  paxRecord,
} from '../test/support/model/tar-bytes.ts';
import { isZeroBlock, sealHeader } from '../src/tar/header.ts';
import { readNumber } from '../src/tar/number.ts';
import { type Mutator, replacePart } from './mutate.ts';
import type { Random } from './random.ts';

const block = 512;

/** Returns the offsets of the headers of a tar, as far as its sizes can be followed. */
function headersOf(tar: Uint8Array): number[] {
  const headers: number[] = [];
  for (let at = 0; at + block <= tar.length && headers.length < 1000; ) {
    if (isZeroBlock(tar, at)) {
      at += block;
      continue;
    }
    headers.push(at);
    const type = String.fromCharCode(tar[at + 156] as number);
    at += block + ('123456'.includes(type) ? 0 : sizeAt(tar, at));
  }
  return headers;
}

function sizeAt(tar: Uint8Array, header: number): number {
  try {
    return Math.ceil(Math.max(0, readNumber(tar, header + 124, 12, 'size')) / block) * block;
  } catch {
    return 0;
  }
}

const numbers = [
  '00000000000\0',
  '00000001000\0',
  '00000000777\0',
  '00000000001\0',
  '77777777777\0',
  ' 12 \0       ',
  '            ',
  '-0000000001\0',
  '1\x002\0\0\0\0\0\0\0\0',
  '+0000000001\0',
  '\x80\0\0\0\0\0\0\0\0\0\x02\0',
  '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff',
  '\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff',
  '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\0',
];
const names = [
  'a',
  './a',
  '/a',
  'a/',
  'a//b',
  'a/./b',
  '..',
  '../a',
  '.',
  '',
  '.wh.a',
  '.wh.',
  '.wh..wh..opq',
  'a/.wh..',
  '.wh..wh.plnk',
  'd',
  'd/b',
  'd/sym/x',
  'hard',
  'srv/doomed',
  'srv/.wh..wh..opq',
  'd/.wh.b',
  '.wh.d',
  'b/c',
  '\xff',
  'n'.repeat(100),
];
const types = [
  '0',
  '\0',
  '1',
  '2',
  '3',
  '4',
  '5',
  '6',
  '7',
  'S',
  'x',
  'g',
  'L',
  'K',
  'D',
  'M',
  'N',
  'V',
  'X',
  'A',
  'Z',
  '\xff',
];
const keys = [
  'path',
  'linkpath',
  'size',
  'uid',
  'gid',
  'mtime',
  'uname',
  'comment',
  'hdrcharset',
  'SCHILY.xattr.user.a',
  'SCHILY.xattr.security.capability',
  'GNU.sparse.major',
  'GNU.sparse.minor',
  'GNU.sparse.name',
  'GNU.sparse.realsize',
  'GNU.sparse.size',
  'GNU.sparse.numblocks',
  'GNU.sparse.offset',
  'GNU.sparse.numbytes',
  'GNU.sparse.map',
];
const values = [
  '',
  '0',
  '1',
  '-1',
  '+1',
  '512',
  '1e3',
  '0x10',
  ' 1',
  '1.5',
  '9'.repeat(20),
  '9007199254740992',
  'a',
  'a/b',
  '..',
  '0,1',
  '0,1,2',
  'x\0y',
  '\xff',
  'y'.repeat(150),
];

const fields: readonly (readonly [offset: number, length: number, texts: readonly string[]])[] = [
  [0, 100, names],
  [100, 8, numbers],
  [108, 8, numbers],
  [116, 8, numbers],
  [124, 12, numbers],
  [124, 12, numbers],
  [136, 12, numbers],
  [148, 8, numbers],
  [156, 1, types],
  [156, 1, types],
  [157, 100, names],
  [257, 8, ['ustar\x0000', 'ustar  \0', 'ustar\0\0\0', '\0\0\0\0\0\0\0\0', 'ustar   ']],
  [345, 155, [...names, '00000000000\0', 'p'.repeat(155)]],
  [482, 1, ['\0', '\x01']],
  [483, 12, numbers],
  [386, 12, numbers],
  [398, 12, numbers],
  [508, 4, ['tar\0', '\0\0\0\0']],
];

const setField: Mutator = (tar, random) => {
  const headers = headersOf(tar);
  if (headers.length === 0) return tar;
  const [offset, length, texts] = random.pick(fields);
  const put = new Uint8Array(length);
  put.set(Buffer.from(random.pick(texts), 'latin1').subarray(0, length));
  const at = random.pick(headers) + offset;
  return at + length > tar.length ? tar : replacePart(tar, at, length, put);
};

function recordOf(random: Random): readonly [string, string] {
  return [random.pick(keys), random.pick(values)];
}

const insertHead: Mutator = (tar, random) => {
  const headers = headersOf(tar);
  const at =
    random.once(4) || headers.length === 0
      ? block * random.below(tar.length / block + 1)
      : random.pick(headers);
  return replacePart(tar, Math.min(at, tar.length), 0, headOf(random));
};

function headOf(random: Random): Uint8Array {
  switch (random.below(6)) {
    case 0:
      return paxHeader(
        Array.from({ length: 1 + random.below(3) }, () => recordOf(random)),
        random.once(4) ? 'g' : 'x',
      );
    case 1:
      return gnuLong(random.pick(['L', 'K']), random.pick([...names, 'l'.repeat(200)]));
    case 2:
      return new Uint8Array(block * (1 + random.below(2)));
    case 3:
      return headerBlock({
        name: random.pick(names).slice(0, 100),
        typeflag: random.pick(types),
        linkname: random.pick(names),
      });
    case 4: {
      // Two records in one go, of which the last counts.
      const both = [recordOf(random), recordOf(random)];
      return Buffer.concat(both.map((record) => paxHeader([record])));
    }
    default: {
      const body = new Uint8Array(random.below(700));
      return Buffer.concat([
        headerBlock({ name: random.pick(names).slice(0, 100), size: octal(body.length, 12) }),
        padded(body),
      ]);
    }
  }
}

/** Adds a record to a PAX header, or changes the length of one. */
const editPax: Mutator = (tar, random) => {
  const found = headersOf(tar).filter((at) => tar[at + 156] === 0x78 || tar[at + 156] === 0x67);
  if (found.length === 0) return insertHead(tar, random, tar);
  const at = random.pick(found);
  const size = sizeAt(tar, at);
  const [key, value] = recordOf(random);
  const text = Buffer.from(tar.subarray(at + block, at + block + size))
    .toString('latin1')
    .replace(/\0+$/, '');
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => `${line}\n`);
  lines.splice(random.below(lines.length + 1), random.below(2), paxRecord(key, value));
  if (random.once(5))
    lines.push(random.pick(['9 a=b\n', '6 a=b', '0 a=b\n', '6 =bb\n', '-6 a=b\n', '06 a=b\n', '7 a=b\n\n']));
  const body = Buffer.from(lines.join(''), 'latin1');
  const out = replacePart(tar, at + block, Math.min(size, tar.length - at - block), padded(body));
  out.set(octal(body.length, 12), at + 124);
  return out;
};

const moveBlock: Mutator = (tar, random) => {
  const blocks = Math.floor(tar.length / block);
  const from = block * random.below(blocks + 1);
  const taken = tar.slice(from, from + block * (1 + random.below(3)));
  const rest = random.once(2) ? tar : replacePart(tar, from, taken.length, new Uint8Array(0));
  return replacePart(rest, Math.min(block * random.below(blocks + 1), rest.length), 0, taken);
};

/** Mutations that know the structure of a tar. */
export const tarMutators: readonly Mutator[] = [setField, setField, setField, insertHead, editPax, moveBlock];

/** Writes the right checksum into all headers. */
export const mendTar: Mutator = (tar) => {
  const out = new Uint8Array(tar);
  for (const at of headersOf(out)) sealHeader(out.subarray(at, at + block));
  return out;
};
