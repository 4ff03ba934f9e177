import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from '../../src/registry/printable.ts';

test('control characters, direction marks, invisible characters and line ends become escapes', () => {
  expect(printable('a\u001b[2Jb\r\nc\u202ed\u200be\u2028f\u009bg\u{e0041}\ud800')).toBe(
    'a\\u{1b}[2Jb\\u{d}\\u{a}c\\u{202e}d\\u{200b}e\\u{2028}f\\u{9b}g\\u{e0041}\\u{d800}',
  );
});

test('other text is unchanged, and is cut when it is long', () => {
  expect(printable('größer, 大, 😀')).toBe('größer, 大, 😀');
  expect(printable('x'.repeat(300))).toBe(`${'x'.repeat(200)}…`);
});

test('the result is one line of printable characters for any text', () => {
  const property = fc.property(fc.string({ unit: 'binary' }), (text) => {
    expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
  });
  fc.assert(property);
});
