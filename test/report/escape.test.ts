import * as fc from 'fast-check';
import { readJson } from '../../src/oci/json-reader.ts';
import { describe, expect, it } from 'vitest';
import { displayPath, escapeText, pathFields, readDisplayed, safeJsonText } from '../../src/report/escape.ts';
import { b } from '../support/bytes.ts';

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('escapeText', () => {
  it.each([
    ['plain naïve 日本 😀', 'plain naïve 日本 😀'],
    ['a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['\u001b[2J\u001b]8;;http://x\u0007', '\\x1b[2J\\x1b]8;;http://x\\x07'],
    ['\u009b31m', '\\u{9b}31m'],
    ['\u007f\0', '\\x7f\\x00'],
    ['gnp\u202e.exe', 'gnp\\u{202e}.exe'],
    ['\u2066a\u2069\u200f\u061c', '\\u{2066}a\\u{2069}\\u{200f}\\u{61c}'],
    ['a\u2028b\ufeff\u200b\u00ad', 'a\\u{2028}b\\u{feff}\\u{200b}\\u{ad}'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\u3164', '\\u{3164}'],
    ['\ud800x', '\\u{d800}x'],
    ['::set-output name=x::y', '\\x3a:set-output name=x::y'],
    ['  ::add-mask::y', '  \\x3a:add-mask::y'],
    ['std::string', 'std::string'],
    ['\n::error::x', '\\n::error::x'],
    ['x ##vso[task.setvariable]y', 'x \\x23#vso[task.setvariable]y'],
    ['##[error]', '\\x23#[error]'],
    ['###[x]', '#\\x23#[x]'],
    ['##teamcity[x]', '\\x23#teamcity[x]'],
    ['## heading', '## heading'],
    ['a\\b', 'a\\b'],
  ])('shows %j as one line of harmless text', (text, expected) => expect(escapeText(text)).toBe(expected));

  it('leaves nothing that a terminal or a CI log acts on, and is idempotent', () => {
    const nasty = fc.constantFrom(
      '\u001b',
      '\r',
      '\n',
      ':',
      ' ',
      '#',
      'vso',
      '[',
      '\u202e',
      '\u200d',
      '\ud83d',
      '\ude00',
      '\u0085',
      '\u2029',
      'a',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(nasty, fc.string({ unit: 'grapheme' }))).map((parts) => parts.join('')),
        (text) => {
          const safe = escapeText(text);
          expect(safe).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
          expect(safe.trimStart().startsWith('::')).toBe(false);
          expect(safe).not.toMatch(/##\w*\[/);
          expect(escapeText(safe)).toBe(safe);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('displayPath', () => {
  it.each([
    [bytes('app/naïve-日本.txt'), 'app/naïve-日本.txt'],
    ['app/bad\xff\xfeutf8', 'app/bad\\xff\\xfeutf8'],
    ['cut\xe6\x97', 'cut\\xe6\\x97'],
    ['over\xc0\xaflong', 'over\\xc0\\xaflong'],
    ['surrogate\xed\xa0\x80', 'surrogate\\xed\\xa0\\x80'],
    ['beyond\xf4\x90\x80\x80', 'beyond\\xf4\\x90\\x80\\x80'],
    [bytes('last\u{10ffff}'), 'last\u{10ffff}'],
    ['esc\x1b[31m', 'esc\\x1b[31m'],
    [bytes('a\u009bb\u202e'), 'a\\u{9b}b\\u{202e}'],
    ['system-\\x2d', 'system-\\\\x2d'],
    ['::x', '\\x3a:x'],
  ])('shows the name %j', (path, expected) => expect(displayPath(b(path))).toBe(expected));

  it('shows different names differently', () => {
    const name = fc.string({
      unit: fc.constantFrom(
        '\\',
        'x',
        'f',
        '\xff',
        '\xc3',
        '\xa9',
        '\x1b',
        'u',
        '{',
        ':',
        '#',
        '[',
        '1',
        'b',
      ),
    });
    fc.assert(
      fc.property(name, name, (one, other) => {
        // An escaped "::" or "##[" at the front looks like no other name either, since a backslash shows as two.
        expect(displayPath(b(one)) === displayPath(b(other))).toBe(one === other);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('pathFields', () => {
  it('gives the exact name of UTF-8, with or without escapes', () => {
    expect(pathFields(b(bytes('a\\é\u202e\n')))).toEqual({ path: 'a\\é\u202e\n' });
  });
  it('gives the bytes of a name that is not UTF-8', () => {
    expect(pathFields(b('bad\xff'))).toEqual({
      path: 'bad\\xff',
      pathBase64: Buffer.from([0x62, 0x61, 0x64, 0xff]).toString('base64'),
    });
  });
  it('gives fields from which every name can be recovered', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (name) => {
        const fields = pathFields(b(Buffer.from(name).toString('latin1')));
        const told =
          fields.pathBase64 === undefined
            ? Buffer.from(fields.path, 'utf8')
            : Buffer.from(fields.pathBase64, 'base64');
        expect([...told]).toEqual([...name]);
      }),
    );
  });
});

it('safe JSON keeps its value and its lines, without anything that a terminal or a CI log acts on', () => {
  const odd = fc.constantFrom(
    '\u001b[2J',
    '\u0085',
    '\u2028',
    '\u202e',
    '\ud800',
    '\u{e0041}',
    '##vso[x',
    '##[',
    '\n::a',
    '"',
    '\\',
  );
  const text = fc
    .array(fc.oneof(odd, fc.string({ unit: 'binary' })), { maxLength: 5 })
    .map((parts) => parts.join(''));
  const values = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, text, fc.array(tie('value')), fc.dictionary(text, tie('value'))),
  })).value;
  fc.assert(
    fc.property(values, (value) => {
      const json = JSON.stringify(value, null, 2);
      const safe = safeJsonText(json);
      // JSON.parse of V8 may take a key with escapes for another (SN-090).
      expect(JSON.stringify(readJson(safe, 'safe JSON'))).toBe(JSON.stringify(value));
      expect(safe.split('\n')).toHaveLength(json.split('\n').length);
      expect(safe.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(safe).not.toMatch(/##\w*\[|^\s*::/m);
    }),
  );
});

describe('readDisplayed', () => {
  it('law: reads every name as displayPath has rendered it', () => {
    const odd = fc.constantFrom(
      '\\',
      '\n',
      '\xff',
      '::',
      '##[',
      '\u00c3',
      '\u00a9',
      '\x00',
      '\x1b',
      'x41',
      'u{41}',
    );
    const piece = fc.oneof(
      odd,
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) }),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const name = b(pieces.join(''));
        expect(readDisplayed(displayPath(name))).toBe(name);
      }),
    );
  });

  it.each([
    ['naïve 日本', bytes('naïve 日本')],
    ['bad\\xff', 'bad\xff'],
    ['a\\q', 'a\\q'],
    ['\\u{110000}', '\\u{110000}'],
  ])('takes %j as a person means it', (text, name) => expect(readDisplayed(text)).toBe(name));
});
