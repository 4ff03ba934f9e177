/**
 * Awkward tars for threats T1 and T3: names that lead out of a folder or are read in different ways, and whiteouts.
 * The tests of the reader, the comparison with Go and the tests with umoci run all of them.
 */
import { paxHeader } from '../model/tar-bytes.ts';
import { after, extension, file, member, read, tarOf, type TarCase, unwanted } from './tar-case.ts';

const named = (name: string) => tarOf(paxHeader([['path', name]]), file('decoy'), after);
const kept = (what: string, name: string) => read(what, named(name), `file ${name} 0`, 'file after 1');
const linked = (target: string) =>
  tarOf(paxHeader([['linkpath', target]]), member({ name: 'l', typeflag: '1', linkname: 'decoy' }), after);

/** T1: names that a program may read differently, or that lead it out of its folder. */
export const nameCases: readonly TarCase[] = [
  kept('a drive', 'C:\\x'),
  kept('a drive without a slash', 'C:x'),
  kept('a backslash', 'a\\..\\b'),
  kept('a network path', '\\\\host\\share'),
  kept('an absolute name', '/etc/passwd'),
  kept('dots and a blank at the end', 'a. .'),
  kept('three dots', '.../a'),
  kept('a device of DOS', 'NUL.txt'),
  kept('a composed letter', '\xc3\xa9'),
  kept('a decomposed letter', 'e\xcc\x81'),
  kept('a ligature', '\xef\xac\x80'),
  kept('a slash of full width', '..\xef\xbc\x8fa'),
  kept('two bytes that spell a slash to nobody', '..\xc0\xafa'),
  kept('a byte order mark', '\xef\xbb\xbfa'),
  kept('an escape sequence', '\x1b[2J'),
  kept('a newline', 'a\nb'),
  kept('a component of 300 bytes', 'x'.repeat(300)),
  kept('a path of 4,095 bytes', `${'x/'.repeat(2047)}x`),
  unwanted('a path of 5,000 bytes', named(`${'x/'.repeat(2500)}x`), 'LIMIT'),
  kept('a symlink that leads out', 'x'),
  read(
    'a symlink to anywhere: it is never followed',
    tarOf(member({ name: 's', typeflag: '2', linkname: '../../../etc/passwd' }), after),
    'symlink s 0 -> ../../../etc/passwd',
    'file after 1',
  ),
  unwanted('a parent', named('../a'), 'LAYER_INVALID'),
  unwanted('a parent inside', named('a/../b'), 'LAYER_INVALID'),
  unwanted('a parent at the end', named('a/..'), 'LAYER_INVALID'),
  unwanted('a parent of the root', named('/../a'), 'LAYER_INVALID'),
  unwanted('a hard link to a parent', linked('../../etc/passwd'), 'LAYER_INVALID'),
  unwanted('a hard link to the root', linked('./'), 'LAYER_INVALID'),
  unwanted('a hard link to nothing', tarOf(member({ name: 'l', typeflag: '1' }), after), 'LAYER_INVALID'),
  unwanted('a file in the place of the root', named('.'), 'LAYER_INVALID'),
  unwanted('a file without a name', tarOf(file(''), after), 'LAYER_INVALID'),
  unwanted(
    'a symlink in the place of the root',
    tarOf(member({ name: './', typeflag: '2', linkname: '/etc' }), after),
    'LAYER_INVALID',
  ),
  unwanted(
    'a NUL in the name of a sparse file',
    tarOf(
      paxHeader([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 'a\0b'],
        ['GNU.sparse.size', '0'],
      ]),
      member({ name: 'f' }, '0\n'.padEnd(512, '\0')),
      after,
    ),
    'LAYER_INVALID',
  ),
  read('what a NUL hides in a field', tarOf(member({ name: 'a\0../b' }), after), 'file a 0', 'file after 1'),
  read(
    'what a NUL hides in a long name',
    tarOf(extension('L', 'a\0/../b'), file('f'), after),
    'file a 0',
    'file after 1',
  ),
  read(
    'the root, in its spellings',
    tarOf(...['./', '/', '.', '/.', '././'].map((name) => member({ name, typeflag: '5' })), after),
    'directory ./ 0',
    'directory / 0',
    'directory . 0',
    'directory /. 0',
    'directory ././ 0',
    'file after 1',
  ),
];

const whiteout = (name: string) => tarOf(file(name), after);

/** T3: whiteouts that name nothing. */
export const whiteoutCases: readonly TarCase[] = [
  ...['.wh.', 'a/.wh.', '.wh..', 'a/.wh..', '.wh...', 'a/.wh.../', './.wh.', '.wh.a/b', 'x/.wh.a/.wh.b'].map(
    (name) => unwanted(`the whiteout ${name}`, whiteout(name), 'LAYER_INVALID'),
  ),
  ...['.wh....', '.wh..wh', '.wh..wh..opq', '.wh..wh.plnk', 'x.wh.', '.wh.\xff', '.wh..wh.plnk/.wh.x'].map(
    (name) => read(`the name ${name}`, whiteout(name), `file ${name} 0`, 'file after 1'),
  ),
];
