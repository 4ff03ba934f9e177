import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeJson, parseJsonObject } from '../../src/oci/json.ts';

const read = (text: string): unknown => parseJsonObject(Buffer.from(text), 'it');
const again = (text: string): string => Buffer.from(encodeJson(read(text))).toString();
function refusal(bytes: string | Uint8Array): string {
  try {
    parseJsonObject(Buffer.from(bytes), 'it');
  } catch (error) {
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID' });
    return (error as Error).message;
  }
  return 'none';
}

describe('N11: numbers that a double cannot hold', () => {
  test.each([
    '9007199254740993',
    '-9007199254740993',
    '18446744073709551615',
    '1e999',
    '-1E+999',
    '1e-999',
    '-0',
    '-0.0',
    '0.12345678901234567890123',
    '3.14159265358979323846264338327950288',
    '123456789012345678901234567890',
    '1.234567890123456789e10',
    '4.94e-324',
  ])('%s is written as it was read', (number) => {
    for (const text of [`{"a":${number}}`, `{"a":[{"b":[1,${number}]}],"c":"${number}"}`])
      expect(again(text)).toBe(text);
  });

  test.each([
    ['0', 0],
    ['0.0', 0],
    ['0e5', 0],
    ['5', 5],
    ['-1.5', -1.5],
    ['1e3', 1000],
    ['1.0', 1],
    ['10000000000000000000000', 1e22],
    ['0.000000000000000000000001', 1e-24],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992],
    ['0.1', 0.1],
  ])('%s is a plain number', (text, value) => {
    const found = (read(`{"a":${text}}`) as { a: unknown }).a;
    if (text === '9007199254740992') expect(again(`{"a":${text}}`)).toBe(`{"a":${text}}`);
    else expect(found).toBe(value);
  });

  const digits = fc.stringMatching(/^[0-9]{1,40}$/).map((text) => text.replace(/^0+(?=.)/, ''));
  const numbers = fc
    .tuple(
      fc.constantFrom('', '-'),
      digits,
      fc.option(fc.stringMatching(/^[0-9]{1,40}$/)),
      fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.integer({ min: 0, max: 400 }))),
    )
    .map(
      ([sign, whole, fraction, exponent]) =>
        `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : exponent.join('')}`,
    );

  /** The value of a decimal number: its digits without zeros at either end, and where the last of them stands. */
  function valueOf(text: string): string {
    const [, sign = '', whole = '', fraction = '', exponent = '0'] =
      /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
    const all = `${whole}${fraction}`.replace(/^0+/, '');
    const short = all.replace(/0+$/, '');
    const place = Number(exponent) - fraction.length + (all.length - short.length);
    return short === '' ? `${sign}0` : `${sign}${short}e${place}`;
  }

  test('every number has the same value after parsing and writing', () => {
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1 }), (list) => {
        const written = again(`{"a":[${list.join(',')}]}`);
        const out = written.slice('{"a":['.length, -']}'.length).split(',');
        expect(out.map(valueOf)).toEqual(list.map(valueOf));
      }),
      { numRuns: 500 },
    );
  });
});

describe('N11: parsing and writing', () => {
  const odd = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'toJSON', 'then', '');
  const keys = fc.oneof(
    odd,
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\u2028', '\ufeff', '"', '\\', '/'),
  );
  const leaves = fc.oneof(
    fc.constantFrom('null', 'true', 'false', '1e999', '-0', '9007199254740993', '0.30000000000000004441'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    // A lone surrogate as JSON.stringify writes it: an escape.
    fc.oneof(keys, fc.constantFrom('\ud800', '\udfff\ud800', 'a\ud83d')).map((text) => JSON.stringify(text)),
  );
  /** JSON texts as JSON.stringify would lay them out, but with numbers of any length. */
  const texts = fc.letrec<{ value: string; object: string }>((tie) => ({
    value: fc.oneof({ maxDepth: 5, depthIdentifier: 'json' }, leaves, tie('object'), list(tie('value'))),
    object: fc
      .uniqueArray(fc.tuple(keys, tie('value')), { selector: ([key]) => key, maxLength: 5 })
      // Keys that are numbers would move to the front, which changes no value.
      .map((members) => members.filter(([key]) => !/^\d+$/.test(key)))
      .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
  })).object;
  function list(values: fc.Arbitrary<string>): fc.Arbitrary<string> {
    return fc.array(values, { maxLength: 5 }).map((each) => `[${each.join(',')}]`);
  }

  test('gives back any compact object byte for byte', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(again(text)).toBe(text);
      }),
      { numRuns: 1000 },
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  // V8 shows a reviver the source of a number, but not here: so nothing may be built on that.
  test.each([
    '{"__proto__":null,"a":{"__proto__":[1e999]},"b":[]}',
    '{"a":{"__proto__":{"__proto__":{},"b":[1e999],"c":null}}}',
  ])('gives back %s', (text) => expect(again(text)).toBe(text));

  // V8 compares a key as it is written, escapes and all, with one that it has met in an object of that form.
  test.each([
    ['{"a":0,"\\\\":1}', '{"a":0,"\\"":1}', { a: 0, '"': 1 }],
    ['{"a":0,"\\\\u006c":1}', '{"a":0,"\\u006c\\u0061\\u0079\\u0065\\u0072\\u0073":1}', { a: 0, layers: 1 }],
    ['{"a":0,"\\\\u006d\\\\u0":1}', '{"a":0,"\\u006d\\u0061nifests":1}', { a: 0, manifests: 1 }],
  ])('reads a key as it is written, whatever was read before: %s, then %s', (before, text, value) => {
    read(before);
    expect(read(text)).toEqual(value);
    expect(JSON.stringify(read(text))).toBe(JSON.stringify(value));
  });

  test('ignores spaces and line ends between tokens', () => {
    expect(read('\n{ "a" :\t[ 1 ,\r\n 2 ] , "b" : 18446744073709551615 }\n')).toMatchObject({ a: [1, 2] });
  });
});

describe('N11: documents that are not JSON, or could be read in two ways', () => {
  const deep = (n: number): string => `{"a":${'['.repeat(n)}${']'.repeat(n)}}`;
  test.each<readonly [string, string | Uint8Array, RegExp]>([
    ['a key twice', '{"a":1,"a":1}', /the key "a" twice/],
    ['a key twice, far down', '{"a":[{"b":{"c":1,"d":2,"c":3}}]}', /the key "c" twice/],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', /"__proto__" twice/],
    ['a key that is escaped', '{"a\\u0062":1,"ab":2}', /"ab" twice/],
    ['100 lists', deep(100), /more than 100/],
    ['10,000 lists', deep(10_000), /more than 100/],
    ['a million lists', deep(1_000_000), /more than 100/],
    ['a million lists that do not end', `{"a":${'['.repeat(1_000_000)}`, /is not JSON/],
    ['a million objects that do not end', '{"a":'.repeat(1_000_000), /is not JSON/],
    ['a mark of byte order', '\ufeff{}', /is not JSON/],
    ['UTF-16', Buffer.from('{}', 'utf16le'), /is not JSON/],
    ['a byte that is not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1'), /is not JSON/],
    ['half of a character', Buffer.from('{"a":"\xe2\x82"}', 'latin1'), /is not JSON/],
    ['an overlong character', Buffer.from('{"a":"\xc0\xaf"}', 'latin1'), /is not JSON/],
    ['a surrogate in UTF-8', Buffer.from('{"a":"\xed\xa0\x80"}', 'latin1'), /is not JSON/],
    ['a second object', '{}{}', /is not JSON/],
    ['a NUL at the end', '{}\0', /is not JSON/],
    ['a comment', '{}//', /is not JSON/],
    ['a comma at the end', '{"a":1,}', /is not JSON/],
    ['NaN', '{"a":NaN}', /is not JSON/],
    ['a number with a zero before it', '{"a":01}', /is not JSON/],
    ['a string', '"a"', /is not a JSON object/],
    ['a list', '[{}]', /is not a JSON object/],
    ['a number', '1e999', /is not a JSON object/],
    ['null', 'null', /is not a JSON object/],
    ['nothing', '', /is not JSON/],
  ])('%s is refused', (_, bytes, sentence) => {
    expect(refusal(bytes)).toMatch(sentence);
  });

  test('accepts 99 lists in an object', () => {
    expect(refusal(deep(99))).toBe('none');
  });

  test('any bytes give an object or an error with a code', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\\',
      'a',
      '1e9',
      '-',
      ' ',
      '\0',
      '\ud800',
      'null',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 100 }),
          fc.array(pieces, { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))),
        ),
        (bytes) => {
          const told = refusal(bytes);
          if (told === 'none')
            expect(() => JSON.parse(Buffer.from(bytes).toString()) as unknown).not.toThrow();
          else expect(told).toMatch(/^it (?:is not|has)/);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
