/**
 * Awkward tars for threat T7: numbers in headers that programs read differently. The tests of the reader and the
 * comparison with Go run all of them.
 */
import { bytesOf, concat } from '../model/byte-string.ts';
import { base256, type HeaderFields, headerBlock, octal } from '../model/tar-bytes.ts';
import { after, gnuMagic, member, read, refused, tarOf, type TarCase, unwanted } from './tar-case.ts';

const field = (fields: HeaderFields) => tarOf(member({ name: 'f', ...fields }, 'abc'), after);
const asFile = ['file f 3', 'file after 1'] as const;
/** Returns a tar with an entry that has no body, whatever its size field says. */
const bodiless = (fields: HeaderFields) => tarOf(member({ name: 'd/', typeflag: '5', ...fields }), after);
const asDirectory = ['directory d/ 0', 'file after 1'] as const;

/** Returns a header whose checksum field holds these 8 bytes. */
function withSum(text: (sum: number) => string | Uint8Array, fields: HeaderFields = {}): Uint8Array {
  const block = headerBlock({ name: 'f', ...fields });
  const bare = block.slice();
  bare.fill(0x20, 148, 156);
  const written = text(bare.reduce((total, byte) => total + byte, 0));
  block.fill(0, 148, 156);
  block.set(typeof written === 'string' ? bytesOf(written) : written, 148);
  return tarOf(block, after);
}

const six = (sum: number) => sum.toString(8).padStart(6, '0');

/** T7: numbers in headers. */
export const numberCases: readonly TarCase[] = [
  read('octal with blanks around it', field({ size: bytesOf('         3 \0') }), ...asFile),
  read('octal with zeros and no end', field({ size: bytesOf('000000000003') }), ...asFile),
  read('octal after NULs', field({ size: bytesOf('\0\0\0\0\0\0\0\0\0\x003\0') }), ...asFile),
  read('octal that a NUL ends before more', field({ size: bytesOf('3\x00007777777\0') }), ...asFile),
  read(
    'fields of nothing',
    field({ mode: bytesOf('\0\0\0\0\0\0\0\0'), mtime: bytesOf(' '.repeat(12)) }),
    ...asFile,
  ),
  read('no size at all', bodiless({ size: new Uint8Array(12) }), ...asDirectory),
  read('a size in base 256', field({ size: base256(3, 12) }), ...asFile),
  read('a size of what has no body', bodiless({ size: octal(9999, 12) }), ...asDirectory),
  read('a negative owner', field({ uid: base256(-1, 8) }), ...asFile),
  read('a negative time', field({ mtime: base256(-1, 12) }), ...asFile),
  read('a large owner in base 256', field({ uid: base256(3_000_000_000, 8) }), ...asFile),
  read('owners to the last bit', field({ gid: bytesOf('77777777') }), ...asFile),
  read(
    'rubbish in the device numbers of a V7 header',
    field({ magic: '', devmajor: bytesOf('rubbish!') }),
    ...asFile,
  ),
  refused('a negative size', field({ size: base256(-3, 12) })),
  refused('the lowest negative size', field({ size: concat([Uint8Array.of(0xc0), new Uint8Array(11)]) })),
  refused(
    'a size beyond 2^63',
    field({ size: concat([Uint8Array.of(0x80), new Uint8Array(11).fill(0xff)]) }),
  ),
  refused('a size of 2^63', field({ size: base256(2n ** 63n, 12) })),
  refused('a size of 2^63 - 1', field({ size: base256(2n ** 63n - 1n, 12) })),
  refused('a size beyond 2^53', field({ size: base256(2n ** 53n + 1n, 12) })),
  refused('a size beyond the end', field({ size: octal(9999, 12) })),
  refused('a size with a sign', field({ size: bytesOf('-3\0\0\0\0\0\0\0\0\0\0') })),
  refused('a size with a digit that is not octal', field({ size: bytesOf('00000000008\0') })),
  refused('a size in hexadecimal', field({ size: bytesOf('0x3\0\0\0\0\0\0\0\0\0') })),
  refused('a size of two numbers', field({ size: bytesOf('3 3\0\0\0\0\0\0\0\0\0') })),
  refused('a mode that is no number', field({ mode: bytesOf('rwxr-xr-') })),
  refused('an owner that is no number', field({ uid: bytesOf('rubbish\0') })),
  refused('a group that is no number', field({ gid: bytesOf('rubbish\0') })),
  refused('a time that is no number', field({ mtime: bytesOf('rubbish\0\0\0\0\0') })),
  refused(
    'a time beyond 2^63',
    field({ mtime: concat([Uint8Array.of(0x80), new Uint8Array(11).fill(0xff)]) }),
  ),
  unwanted('a time beyond 2^53', field({ mtime: base256(2n ** 53n + 1n, 12) })),
  refused('a device number that is no number', field({ devmajor: bytesOf('rubbish\0') })),
  refused('a minor number that is no number', field({ devminor: bytesOf('9\0\0\0\0\0\0\0') })),
  refused(
    'a device number of a GNU header that is none',
    field({ magic: gnuMagic, devmajor: bytesOf('99999999') }),
  ),
  unwanted('a negative size of what has no body', bodiless({ size: base256(-1, 12) })),
  unwanted('an owner beyond 2^53', field({ uid: base256(2n ** 53n + 1n, 8) })),
  read(
    'a checksum of six digits, a NUL and a blank',
    withSum((sum) => `${six(sum)}\0 `),
    'file f 0',
    'file after 1',
  ),
  read(
    'a checksum of eight digits',
    withSum((sum) => `00${six(sum)}`),
    'file f 0',
    'file after 1',
  ),
  read(
    'a checksum among blanks',
    withSum((sum) => ` ${six(sum).slice(1)}  `),
    'file f 0',
    'file after 1',
  ),
  read(
    'a checksum of signed bytes',
    withSum((sum) => `${six(sum - 2 * 256)}\0 `, { name: 'f\xe9\xff' }),
    'file f\xe9\xff 0',
    'file after 1',
  ),
  refused(
    'a checksum of some signed bytes',
    withSum((sum) => `${six(sum - 256)}\0 `, { name: 'f\xe9\xff' }),
  ),
  refused(
    'a checksum in base 256',
    withSum((sum) => base256(sum, 8)),
  ),
  refused(
    'a checksum that is one off',
    withSum((sum) => `${six(sum + 1)}\0 `),
  ),
  refused(
    'no checksum',
    withSum(() => ''),
  ),
];
