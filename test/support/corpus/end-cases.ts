import { bytesOf, concat } from '../model/byte-string.ts';
import { after, end, extension, file, read, refused, tarOf, type TarCase, unwanted } from './tar-case.ts';

const zeros = (count: number) => new Uint8Array(count);
const whole = concat([file('f', 'abc'), after]);
const entries = ['file f 3', 'file after 1'] as const;
const cut = (bytes: number) => whole.subarray(0, whole.length - bytes);

/** T11: how a tar ends. `resolve` decides about data after the end mark: see the tests of squash and prune. */
export const endCases: readonly TarCase[] = [
  read('nothing', zeros(0)),
  read('nothing but the end mark', end),
  read('nothing but one zero block', zeros(512)),
  read('no end mark', whole, ...entries),
  read('one zero block', concat([whole, zeros(512)]), ...entries),
  read('two zero blocks', concat([whole, end]), ...entries),
  read('a record of twenty blocks', concat([whole, zeros(8192)]), ...entries),
  read('zeros of an odd length', concat([whole, zeros(1024 + 13)]), ...entries),
  read('another tar after the end mark', concat([whole, end, file('hidden', 'x'), end]), ...entries),
  read('rubbish after the end mark', concat([whole, end, bytesOf('rubbish')]), ...entries),
  read('no padding after the last file', cut(511), ...entries),
  read('half of the padding after the last file', cut(200), ...entries),
  read(
    'padding that is not zero',
    tarOf(concat([file('f', 'abc').subarray(0, 515), zeros(509).fill(7)]), after),
    ...entries,
  ),
  refused('half a zero block after a zero block', concat([whole, zeros(512 + 100)])),
  refused('half a zero block', concat([whole, zeros(100)])),
  refused('one zero byte', zeros(1)),
  refused('one zero block, and then more', concat([file('f'), zeros(512), after, end])),
  refused('one zero block, and then rubbish', concat([whole, zeros(512), bytesOf('x'.repeat(512))])),
  refused('a header cut short', concat([whole, file('g').subarray(0, 511)])),
  refused('a body cut short', concat([whole, file('g', 'abc').subarray(0, 514)])),
  refused('rubbish in the place of a header', concat([whole, bytesOf('x'.repeat(512)), end])),
  refused('an extension cut short', concat([whole, extension('x', '12 path=abc\n').subarray(0, 520)])),
  unwanted('an extension and no entry', concat([whole, extension('x', '10 path=a\n')])),
  unwanted(
    'an extension without its padding, and no entry',
    concat([whole, extension('x', '10 path=a\n').subarray(0, 522)]),
  ),
  unwanted('an extension before the end mark', tarOf(whole, extension('x', '10 path=a\n'))),
  unwanted('a long name before the end mark', tarOf(whole, extension('L', 'name\0'))),
];
