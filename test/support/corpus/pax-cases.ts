/**
 * Awkward tars for threats T4 and T5: PAX records that contradict the header, are malformed, or set what they may
 * not. The tests of the reader and the comparison with Go run all of them.
 */
import { concat } from '../model/byte-string.ts';
import { octal, paxHeader, paxRecord } from '../model/tar-bytes.ts';
import { after, extension, file, member, read, refused, tarOf, type TarCase, unwanted } from './tar-case.ts';
import { MiB } from '../../../src/units.ts';

const inner = concat([file('smuggled', 'x'), file('smuggled2', 'x')]);
const innerText = Buffer.from(inner).toString('latin1');

const withSize = (size: string, header: number, body: string) =>
  tarOf(paxHeader([['size', size]]), member({ name: 'f', size: octal(header, 12) }, body), after);

/** T4: a size in PAX that differs from the header's. */
export const paxSizeCases: readonly TarCase[] = [
  read('a PAX size above the header’s', withSize('3', 0, 'abc'), 'file f 3', 'file after 1'),
  read('a PAX size below the header’s', withSize('3', 2048, 'abc'), 'file f 3', 'file after 1'),
  read(
    'a header without a size, and a tar as long as PAX says',
    withSize(String(inner.length), 0, innerText),
    `file f ${inner.length}`,
    'file after 1',
  ),
  read(
    'a header as long as a tar, and no size in PAX: the tar is what follows',
    withSize('0', inner.length, innerText),
    'file f 0',
    'file smuggled 1',
    'file smuggled2 1',
    'file after 1',
  ),
  read('an empty PAX size', withSize('', 3, 'abc'), 'file f 3', 'file after 1'),
  read(
    'two sizes in one header: the last counts',
    tarOf(
      paxHeader([
        ['size', '9999'],
        ['size', '3'],
      ]),
      member({ name: 'f' }, 'abc'),
      after,
    ),
    'file f 3',
    'file after 1',
  ),
  read(
    'two headers: the last one counts as a whole',
    tarOf(
      paxHeader([
        ['size', '9999'],
        ['path', 'first'],
      ]),
      paxHeader([['mtime', '1']]),
      file('f', 'abc'),
      after,
    ),
    'file f 3',
    'file after 1',
  ),
  read(
    'a PAX size before a long name: the name has a size of its own',
    tarOf(paxHeader([['size', '3']]), extension('L', 'long-name\0'), member({ name: 'f' }, 'abc'), after),
    'file long-name 3',
    'file after 1',
  ),
  read(
    'a PAX size before another PAX header, which has a size of its own',
    tarOf(paxHeader([['size', '4096']]), paxHeader([['path', 'p']]), file('f', 'abc'), after),
    'file p 3',
    'file after 1',
  ),
  read(
    'a PAX size of what has no body',
    tarOf(
      paxHeader([['size', '512']]),
      member({ name: 's', typeflag: '2', linkname: 'f' }),
      paxHeader([['size', '512']]),
      member({ name: 'd/', typeflag: '5' }),
      after,
    ),
    'symlink s 0 -> f',
    'directory d/ 0',
    'file after 1',
  ),
  refused('a PAX size beyond the end', withSize('9999', 3, 'abc')),
  refused('a negative PAX size', withSize('-1', 3, 'abc')),
  refused('a PAX size beyond 2^63', withSize('9223372036854775808', 3, 'abc')),
  refused('a PAX size beyond 2^53', withSize('9007199254740993', 3, 'abc')),
  refused('a PAX size in hexadecimal', withSize('0x3', 3, 'abc')),
  refused('a PAX size with a blank', withSize(' 3', 3, 'abc')),
  refused('a PAX size with a fraction', withSize('3.0', 3, 'abc')),
  unwanted('a PAX size with a plus', withSize('+3', 3, 'abc')),
  unwanted(
    'a negative PAX size of what has no body',
    tarOf(paxHeader([['size', '-1']]), member({ name: 'd/', typeflag: '5' }), after),
  ),
];

const records = (body: string) => tarOf(extension('x', body), file('f', 'abc'), after);
const asFile = (name: string) => [`file ${name} 3`, 'file after 1'] as const;
const record = (key: string, value: string) => records(paxRecord(key, value));

/** T5: records that are malformed, or set what they may not. */
export const paxRecordCases: readonly TarCase[] = [
  refused('a record without a newline', records('9 path=ab')),
  refused('a record that ends in something else', records('11 path=ab ')),
  refused('a record longer than the header', records('99 path=ab\n')),
  refused('a record shorter than it says', records('9 path=ab\n')),
  refused('a length of none', records('0 path=ab\n')),
  refused('a negative length', records('-10 path=ab\n')),
  refused('a length that is no number', records('ten path=ab\n')),
  refused('a length with a blank before it', records(' 11 path=ab\n')),
  refused('a length beyond 2^64', records(`${'9'.repeat(30)} path=ab\n`)),
  refused('a length in the way of its own record', records('4 a\n')),
  refused('no blank', records('10-path=a\n')),
  refused('no equals sign', records('10 path-a\n')),
  refused('no key', records('5 =a\n')),
  refused('a NUL in a key', records('10 pa\0h=b\n')),
  refused('a NUL in a path', record('path', 'a\0b')),
  refused('a NUL in a link path', record('linkpath', 'a\0b')),
  refused('a NUL in an owner’s name', record('uname', 'a\0b')),
  refused('a NUL in a group’s name', record('gname', 'a\0b')),
  refused('padding within the stated size', records(`${paxRecord('path', 'ab')}\0\0\0`)),
  refused('a good record and then a bad one', records(`${paxRecord('path', 'ab')}nonsense\n`)),
  refused('an owner that is no number', record('uid', 'root')),
  refused('an owner beyond 2^63', record('uid', '9223372036854775808')),
  refused('a group that is no number', record('gid', '0x7')),
  refused('a time that is no number', record('mtime', 'yesterday')),
  refused('a time without seconds', record('mtime', '.5')),
  refused('a time with two points', record('mtime', '1.5.5')),
  refused('a time with an exponent', record('mtime', '1e9')),
  refused('a time beyond 2^63', record('mtime', '9223372036854775808')),
  refused('a bad access time', record('atime', 'never')),
  refused('a bad change time', record('ctime', '1.x')),
  unwanted('a length with a plus', records('+12 path=ab\n')),
  unwanted('an owner with a plus', record('uid', '+5')),
  unwanted('an owner beyond 2^53', record('uid', '9007199254740993')),
  read('a length with zeros before it', records('0013 path=ab\n'), ...asFile('ab')),
  read('a header of no records', records(''), ...asFile('f')),
  read('an equals sign and a newline in a value', record('comment', 'a=b\nc=d\n'), ...asFile('f')),
  read('a NUL in an attribute', record('SCHILY.xattr.user.a', 'a\0b'), ...asFile('f')),
  read('an empty path', record('path', ''), ...asFile('f')),
  read(
    'two paths: the last counts',
    records(paxRecord('path', 'a') + paxRecord('path', 'b')),
    ...asFile('b'),
  ),
  read(
    'two paths, the last of them empty: the header counts',
    records(paxRecord('path', 'a') + paxRecord('path', '')),
    ...asFile('f'),
  ),
  read('a path that is not UTF-8', record('path', 'a\xff'), ...asFile('a\xff')),
  read('a path that is not UTF-8, and said to be', record('hdrcharset', 'BINARY'), ...asFile('f')),
  read('keys in capitals, which are others', record('PATH', 'other'), ...asFile('f')),
  read('a negative owner', record('uid', '-5'), ...asFile('f')),
  read('a time before 1970', record('mtime', '-1.5'), ...asFile('f')),
  read('a time with a point and no fraction', record('mtime', '1.'), ...asFile('f')),
  read('a time with a plus', record('mtime', '+1.5'), ...asFile('f')),
  read('a time in picoseconds', record('mtime', '1.123456789123'), ...asFile('f')),
  read('the longest header', record('comment', 'x'.repeat(MiB - 17)), ...asFile('f')),
  refused('a header above a mebibyte', record('comment', 'x'.repeat(MiB)), 'LIMIT'),
];
