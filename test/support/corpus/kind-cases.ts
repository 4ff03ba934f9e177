/**
 * Awkward tars for threat T6: types of entries, extension headers, and the formats of headers. The tests of the
 * reader and the comparison with Go run all of them.
 */
import { bytesOf } from '../model/byte-string.ts';
import { octal, paxHeader } from '../model/tar-bytes.ts';
import {
  after,
  extension,
  file,
  gnuMagic,
  member,
  read,
  refused,
  tarOf,
  type TarCase,
  unwanted,
} from './tar-case.ts';
import { MiB } from '../../../src/units.ts';

const typed = (typeflag: string, body = 'abc') =>
  tarOf(member({ name: 'f', typeflag, magic: gnuMagic }, body), after);
const named = (name: string, typeflag: string, magic = 'ustar\x0000') =>
  tarOf(member({ name, typeflag, magic }), after);
/** Returns a header with these bytes in the field that is a prefix in ustar and two times in GNU. */
const at345 = (magic: string, text: string, patches: readonly (readonly [number, Uint8Array])[] = []) =>
  tarOf(member({ name: 'f', magic, patches: [[345, bytesOf(text)], ...patches] }), after);
const asFile = (name: string) => [`file ${name} 0`, 'file after 1'] as const;
const globalOf = (body: string) => tarOf(extension('g', body), file('f'), after);

/** T6: types, extensions, and the formats of headers. */
export const kindCases: readonly TarCase[] = [
  read('a global header of a comment', globalOf('13 comment=x\n'), expectGlobal(13), ...asFile('f')),
  read('a global header of nothing', globalOf(''), expectGlobal(0), ...asFile('f')),
  read(
    'a comment after the files',
    tarOf(file('f'), extension('g', '13 comment=x\n')),
    'file f 0',
    expectGlobal(13),
  ),
  unwanted('a global path', globalOf('10 path=x\n')),
  unwanted('a global size', globalOf('11 size=99\n')),
  unwanted('a global owner', globalOf('9 uid=99\n')),
  refused('a global header that is malformed', globalOf('99 comment=x\n')),
  refused('a global header above a mebibyte', globalOf(`1048577 comment=${'x'.repeat(1048560)}\n`), 'LIMIT'),
  unwanted(
    'a PAX header before a global one',
    tarOf(extension('x', '10 path=x\n'), extension('g', ''), file('f')),
  ),
  unwanted('a long name before a global header', tarOf(extension('L', 'x\0'), extension('g', ''), file('f'))),
  read('a long name', tarOf(extension('L', 'long\0'), file('f'), after), ...asFile('long')),
  read('a long name without a NUL', tarOf(extension('L', 'long'), file('f'), after), ...asFile('long')),
  read(
    'a long name with a NUL inside',
    tarOf(extension('L', 'long\0more'), file('f'), after),
    ...asFile('long'),
  ),
  read('an empty long name', tarOf(extension('L', ''), file('f'), after), ...asFile('f')),
  read(
    'two long names: the last counts',
    tarOf(extension('L', 'one\0'), extension('L', 'two\0'), file('f'), after),
    ...asFile('two'),
  ),
  read(
    'an empty long name after another',
    tarOf(extension('L', 'one\0'), extension('L', '\0'), file('f'), after),
    ...asFile('f'),
  ),
  read(
    'a long name, then a PAX path',
    tarOf(extension('L', 'gnu\0'), extension('x', '12 path=pax\n'), file('f'), after),
    ...asFile('gnu'),
  ),
  read(
    'a PAX path, then a long name',
    tarOf(extension('x', '12 path=pax\n'), extension('L', 'gnu\0'), file('f'), after),
    ...asFile('gnu'),
  ),
  read(
    'a long link name',
    tarOf(
      extension('K', 'target\0'),
      member({ name: 's', typeflag: '2', linkname: 'x', magic: gnuMagic }),
      after,
    ),
    'symlink s 0 -> target',
    'file after 1',
  ),
  read(
    'a long link name and a PAX one',
    tarOf(
      extension('x', '16 linkpath=pax\n'),
      extension('K', 'gnu\0'),
      extension('L', 'name\0'),
      member({ name: 's', typeflag: '1', linkname: 'x' }),
      after,
    ),
    'link name 0 -> gnu',
    'file after 1',
  ),
  read('a long link name of a file', tarOf(extension('K', 'target\0'), file('f'), after), ...asFile('f')),
  refused('a long name above a mebibyte', tarOf(extension('L', 'x'.repeat(MiB + 1)), file('f')), 'LIMIT'),
  ...['V', 'D', 'M', 'N', 'X', 'A', 'I', 'E', 'Z', '8', ' ', '\xff'].map((typeflag) =>
    unwanted(`the type ${JSON.stringify(typeflag)}`, typed(typeflag)),
  ),
  read('a contiguous file', typed('7'), 'file f 3', 'file after 1'),
  read('an old file', typed('\0'), 'file f 3', 'file after 1'),
  read('an old directory', named('d/', '\0', ''), 'directory d/ 0', 'file after 1'),
  read('an old directory in a new header', named('d/', '\0'), 'directory d/ 0', 'file after 1'),
  read(
    'an old directory by its PAX path',
    tarOf(paxHeader([['path', 'd/']]), member({ name: 'f', typeflag: '\0' }), after),
    'directory d/ 0',
    'file after 1',
  ),
  read('a file with a slash', named('d/', '0'), 'file d/ 0', 'file after 1'),
  read('a directory without a slash', named('d', '5'), 'directory d 0', 'file after 1'),
  read(
    'a link with a size',
    tarOf(member({ name: 'l', typeflag: '1', linkname: 'f', size: octal(512, 12) }), after),
    'link l 0 -> f',
    'file after 1',
  ),
  read('a prefix', at345('ustar\x0000', 'p/q'), ...asFile('p/q/f')),
  read('a prefix in ustar of another version', at345('ustar\x0099', 'p'), ...asFile('p/f')),
  read('a prefix of 155 bytes', at345('ustar\x0000', 'p'.repeat(155)), ...asFile(`${'p'.repeat(155)}/f`)),
  read('a prefix in a V7 header, which has none', at345('', 'p'), ...asFile('f')),
  read('a prefix in a header that is neither ustar nor GNU', at345('ustar \0\0', 'p'), ...asFile('f')),
  read(
    'a prefix in a star header',
    at345('ustar\x0000', 'p'.repeat(131), [[508, bytesOf('tar\0')]]),
    ...asFile(`${'p'.repeat(131)}/f`),
  ),
  read(
    'times in a star header',
    at345('ustar\x0000', 'p', [
      [476, bytesOf('00000000001\x0000000000001\0')],
      [508, bytesOf('tar\0')],
    ]),
    ...asFile('p/f'),
  ),
  refused(
    'rubbish for a time in a star header',
    at345('ustar\x0000', 'p', [
      [476, bytesOf('rubbish')],
      [508, bytesOf('tar\0')],
    ]),
  ),
  read(
    'nearly a star header',
    at345('ustar\x0000', 'p'.repeat(155), [[508, bytesOf('tarx')]]),
    ...asFile(`${'p'.repeat(155)}/f`),
  ),
  read('times in a GNU header', at345(gnuMagic, '00000000001\x0000000000001\0'), ...asFile('f')),
  read('times in a GNU header, in base 256', at345(gnuMagic, '\x80\0\0\0\0\0\0\0\0\0\0\x01'), ...asFile('f')),
  read('a prefix in a GNU header, as an old writer left it', at345(gnuMagic, 'p/q'), ...asFile('p/q/f')),
  read('a prefix of digits in a GNU header is a time', at345(gnuMagic, '777'), ...asFile('f')),
  read(
    'a prefix of digits that is no time',
    at345(gnuMagic, '00000000001 1234567 1 1 1'),
    ...asFile('00000000001 1234567 1 1 1/f'),
  ),
  read(
    'a good time and a bad one in a GNU header',
    at345(gnuMagic, '00000000001\0rubbish'),
    ...asFile('00000000001/f'),
  ),
  read('a bad time alone in a GNU header', at345(gnuMagic, '', [[357, bytesOf('rubbish')]]), ...asFile('f')),
  read('a prefix in a GNU header that is not ASCII', at345(gnuMagic, 'p\xe9'), ...asFile('f')),
  read('a time beyond 2^63 in a GNU header', at345(gnuMagic, `\x80${'\xff'.repeat(11)}`), ...asFile('f')),
  read(
    'owner names in a header that is neither ustar nor GNU',
    tarOf(member({ name: 'f', magic: 'ustar \0\0', uname: 'u' }), after),
    ...asFile('f'),
  ),
];

function expectGlobal(size: number): string {
  return `global PaxHeaders.0/f ${size}`;
}
