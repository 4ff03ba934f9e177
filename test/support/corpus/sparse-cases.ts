/**
 * Awkward tars for threat T6: sparse files in each of their forms. The tests of the reader and the comparison with
 * Go run all of them.
 */
import { bytesOf, concat } from '../model/byte-string.ts';
import { encodeEntry, octal, padded, paxHeader, type Sparse } from '../model/tar-bytes.ts';
import { after, extension, gnuMagic, member, read, refused, tarOf, type TarCase } from './tar-case.ts';

type Records = readonly (readonly [string, string])[];

const pax = (records: Records, body = 'abcdef', typeflag = '0') =>
  tarOf(
    paxHeader(records.map(([key, value]) => [`GNU.sparse.${key}`, value])),
    member({ name: 'stored', typeflag }, body),
    after,
  );

const one: Records = [
  ['major', '1'],
  ['minor', '0'],
  ['name', 'real'],
  ['realsize', '9000'],
];
/** Returns a file in the form 1.0 with this map. `stored` follows its blocks. */
const mapped = (map: string, stored = 'abcdef', records = one) =>
  pax(records, Buffer.from(concat([padded(bytesOf(map)), bytesOf(stored)])).toString('latin1'));
const zeroOne: Records = [
  ['name', 'real'],
  ['size', '9000'],
  ['numblocks', '2'],
  ['map', '512,3,1024,3'],
];
const without = (records: Records, key: string): Records => records.filter(([name]) => name !== key);
const other = (records: Records, key: string, value: string): Records => [
  ...without(records, key),
  [key, value],
];

/** Returns a GNU header with a map of these pairs of 12-byte fields. */
const gnu = (pieces: readonly string[], realSize = '00000021450\0', magic = gnuMagic, more = '') =>
  tarOf(
    member(
      {
        name: 'f',
        typeflag: 'S',
        magic,
        size: octal(6, 12),
        patches: [
          [386, bytesOf(pieces.join(''))],
          [483, bytesOf(realSize)],
          ...(more === '' ? [] : [[482, Uint8Array.of(1)] as const]),
        ],
      },
      more === '' ? 'abcdef' : `${more.padEnd(512, '\0')}abcdef`,
    ),
    after,
  );
const piece = (offset: number, length: number) =>
  Buffer.from(concat([octal(offset, 12), octal(length, 12)])).toString('latin1');
const sparse = (format: Sparse['format'], pieces: number) =>
  tarOf(
    encodeEntry({
      name: 'dir/f',
      body: new Uint8Array(pieces).fill(7),
      ...(format === 'gnu' ? { format: 'gnu' as const } : {}),
      sparse: {
        format,
        size: 2000 * pieces + 1,
        map: Array.from({ length: pieces }, (_, i) => [i * 2000, 1] as const),
      },
    }),
    after,
  );
const asReal = (stored: number) => [`file real ${stored}`, 'file after 1'] as const;

/** T6: sparse files, in each of their forms. */
export const sparseCases: readonly TarCase[] = [
  ...(['gnu', '0.0', '0.1'] as const).flatMap((format) => [
    read(`a sparse file, ${format}`, sparse(format, 3), 'file dir/f 3', 'file after 1'),
    read(`a sparse file of many pieces, ${format}`, sparse(format, 100), 'file dir/f 100', 'file after 1'),
    // Without a map Go does not see a sparse file, and so it keeps the stand-in name.
    read(
      `a sparse file of nothing, ${format}`,
      sparse(format, 0),
      format === '0.1' ? 'file dir/GNUSparseFile.0/f 0' : 'file dir/f 0',
      'file after 1',
    ),
  ]),
  read('a sparse file, 1.0', sparse('1.0', 3), 'file dir/f 515', 'file after 1'),
  read('a sparse file of many pieces, 1.0', sparse('1.0', 100), 'file dir/f 1124', 'file after 1'),
  read('a sparse file of nothing, 1.0', sparse('1.0', 0), 'file dir/f 512', 'file after 1'),
  read('a map', mapped('2\n512\n3\n1024\n3\n'), ...asReal(518)),
  read('a piece of nothing at the end', mapped('2\n512\n6\n9000\n0\n'), ...asReal(518)),
  read('pieces that touch', mapped('2\n512\n3\n515\n3\n'), ...asReal(518)),
  read(
    'no name of its own',
    mapped('1\n0\n6\n', 'abcdef', without(one, 'name')),
    'file stored 518',
    'file after 1',
  ),
  read(
    'an empty size, and a real one',
    mapped('1\n0\n6\n', 'abcdef', [...one, ['size', '']]),
    ...asReal(518),
  ),
  refused('a map that does not end', mapped('9\n512\n3\n')),
  refused('a map that is cut off by its file', pax(one, '1\n0\n6\n')),
  refused('a map of more pieces than there are numbers', mapped('2\n512\n6\n')),
  refused('a map of a negative number of pieces', mapped('-1\n')),
  refused('a map of 2^62 pieces', mapped('4611686018427387904\n512\n6\n')),
  refused('a map of letters', mapped('1\na\n6\n')),
  refused('a map with a piece too long', mapped('1\n8999\n6\n')),
  refused('a map with a negative piece', mapped('1\n-6\n6\n')),
  refused('a map with overlapping pieces', mapped('2\n512\n3\n513\n3\n')),
  refused('a map out of order', mapped('2\n1024\n3\n512\n3\n')),
  refused('a map that says less than is stored', mapped('1\n512\n5\n')),
  refused('a map that says more than is stored', mapped('1\n512\n7\n')),
  refused('a piece beyond 2^63', mapped('1\n9223372036854775807\n6\n')),
  refused('a size that is no number', mapped('1\n0\n6\n', 'abcdef', other(one, 'realsize', 'all'))),
  refused('a negative size', mapped('1\n0\n6\n', 'abcdef', other(one, 'realsize', '-1'))),
  refused('a map above a mebibyte', mapped(`600000\n${'0\n'.repeat(1200000)}`), 'LIMIT'),
  read('a map in a record', pax(zeroOne), ...asReal(6)),
  read('a map in a record, and the version', pax([...zeroOne, ['major', '0'], ['minor', '1']]), ...asReal(6)),
  read(
    'a version and an empty map',
    pax(
      [
        ['major', '0'],
        ['minor', '0'],
        ['size', '9'],
        ['numblocks', '0'],
      ],
      '',
    ),
    'file stored 0',
    'file after 1',
  ),
  read('half a version: no sparse file', pax([...zeroOne, ['major', '0']]), 'file stored 6', 'file after 1'),
  read(
    'a version to come: no sparse file',
    pax([...zeroOne, ['major', '2'], ['minor', '0']]),
    'file stored 6',
    'file after 1',
  ),
  read(
    'a number of pieces and no map: no sparse file',
    pax(without(zeroOne, 'map')),
    'file stored 6',
    'file after 1',
  ),
  read('a name and nothing else: no sparse file', pax([['name', 'real']]), 'file stored 6', 'file after 1'),
  read(
    'an empty map and no version: no sparse file',
    pax(other(zeroOne, 'map', '')),
    'file stored 6',
    'file after 1',
  ),
  refused('a map of a half piece', pax(other(zeroOne, 'map', '512,3,1024'))),
  refused('a map of fewer pieces than stated', pax(other(zeroOne, 'numblocks', '3'))),
  refused('no number of pieces', pax(without(zeroOne, 'numblocks'))),
  refused('a map in a record that says more than is stored', pax(other(zeroOne, 'map', '512,3,1024,30'))),
  refused('a map in a record that is out of order', pax(other(zeroOne, 'map', '1024,3,512,3'))),
  refused('a map in a record with blanks', pax(other(zeroOne, 'map', '512, 3,1024,3'))),
  refused('a number of bytes without an offset', pax([['numbytes', '6']])),
  refused(
    'two offsets',
    pax([
      ['offset', '1'],
      ['offset', '2'],
    ]),
  ),
  refused('a comma in an offset', pax([['offset', '1,2']])),
  refused('a sparse directory', pax(zeroOne, '', '5')),
  refused('a sparse symlink', pax(zeroOne, '', '2')),

  read(
    'a sparse name, a long one and a PAX one: the sparse one counts',
    tarOf(
      extension('L', 'gnu\0'),
      paxHeader([['path', 'pax'], ...zeroOne.map(([key, value]) => [`GNU.sparse.${key}`, value] as const)]),
      member({ name: 'f' }, 'abcdef'),
      after,
    ),
    ...asReal(6),
  ),
  read('an old file', pax(zeroOne, 'abcdef', '\0'), ...asReal(6)),
  read(
    'a real name with a slash is still a file',
    pax(other(zeroOne, 'name', 'real/'), 'abcdef', '\0'),
    'file real/ 6',
    'file after 1',
  ),
  read('GNU pieces', gnu([piece(512, 3), piece(1024, 3)]), 'file f 6', 'file after 1'),
  read(
    'GNU pieces in base 256',
    gnu(['\x80\0\0\0\0\0\0\0\0\0\x02\0', '00000000006\0']),
    'file f 6',
    'file after 1',
  ),
  refused('GNU pieces in another format', gnu([piece(512, 6)], undefined, 'ustar\x0000')),
  refused('GNU pieces in a V7 header', gnu([piece(512, 6)], undefined, '')),
  refused('a GNU piece that is no number', gnu(['rubbish\0\0\0\0\0', '00000000006\0'])),
  refused('a GNU piece of a length that is no number', gnu(['00000000000\0', 'rubbish\0\0\0\0\0'])),
  refused('a negative GNU piece', gnu([`\xff${'\xff'.repeat(11)}`, '00000000006\0'])),
  refused('GNU pieces that overlap', gnu([piece(512, 3), piece(513, 3)])),
  refused('GNU pieces that say less than is stored', gnu([piece(512, 5)])),
  refused('GNU pieces that say more than is stored', gnu([piece(512, 7)])),
  refused('a GNU piece beyond the file', gnu([piece(9000, 6)])),
  refused('a GNU file without a size', gnu([piece(512, 6)], '\0')),
  refused('a GNU file of a size that is no number', gnu([piece(512, 6)], 'rubbish')),
  refused('a GNU file of a negative size', gnu([], `\xff${'\xff'.repeat(11)}`)),
];

/** Returns a GNU sparse file with a map of so many blocks. */
export function longGnuMap(blocks: number): Uint8Array {
  const header = member({
    name: 'f',
    typeflag: 'S',
    magic: gnuMagic,
    patches: [
      [482, Uint8Array.of(1)],
      [483, bytesOf('00000000001\0')],
    ],
  });
  const extensions = new Uint8Array(512 * blocks);
  for (let i = 0; i < blocks - 1; i++) extensions[512 * i + 504] = 1;
  return tarOf(header, extensions, after);
}
