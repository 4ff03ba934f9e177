import { expect, test } from 'vitest';
import { Extensions } from '../../src/tar/extensions.ts';
import { encodePax } from '../../src/tar/pax.ts';
import { b } from '../support/bytes.ts';

const read = (key: string, value: string) => () => {
  const extensions = new Extensions();
  extensions.add('x', encodePax([[b(key), b(value)]]));
  return extensions.finish();
};

test('T8: a number with a mebibyte of zeros is read in one pass', () => {
  const zeros = '0'.repeat(1_000_000);
  for (const key of ['gid', 'mtime']) {
    expect(read(key, `${zeros}7`)).not.toThrow();
    expect(read(key, zeros)).not.toThrow();
    expect(read(key, `-${zeros}`)).not.toThrow();
    expect(read(key, `${zeros}x`)).toThrow(`unreadable ${key}`);
  }
});

test.each([
  ['9223372036854775807', true],
  ['-9223372036854775808', true],
  ['9223372036854775808', false],
  ['+12', true],
  ['+', false],
  ['1 ', false],
])('a group of %j, as Go has it: %s', (text, valid) => {
  if (valid) expect(read('gid', text)).not.toThrow();
  else expect(read('gid', text)).toThrow('unreadable gid');
});
