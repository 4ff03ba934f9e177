/**
 * The target of our JSON reader. It agrees with `JSON.parse`, except that it refuses what programs could read
 * differently.
 */
import { encodeJson, parseJsonObject } from '../../src/oci/json.ts';
import { tryParseJson } from '../../src/bytes/json-value.ts';
import { jsonMutators } from '../json-mutators.ts';
import { flood } from '../mutate.ts';
import { holds, neverThrows, outcomeNow, same, type Target } from '../target.ts';
import { designedImage } from '../../test/support/small-image.ts';
import { KiB } from '../../src/units.ts';

/** Returns whether an object of this text has a key twice, or is deeper than 100. Slow and plain; the text is JSON. */
function isFlawed(text: string): boolean {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g) ?? [];
  let at = 0;
  let deepest = 0;
  let isRepeated = false;
  const value = (depth: number): void => {
    const token = tokens[at++];
    if (token !== '{' && token !== '[') return;
    deepest = Math.max(deepest, depth + 1);
    // Deeper levels do not change the answer.
    if (depth > 200) return;
    const keys: string[] = [];
    while (tokens[at] !== '}' && tokens[at] !== ']') {
      if (token === '{') {
        const key = JSON.parse(tokens[at] as string) as string;
        if (keys.includes(key)) isRepeated = true;
        keys.push(key);
        at += 2;
      }
      value(depth + 1);
      if (deepest > 200) return;
      if (tokens[at] === ',') at++;
    }
    at++;
  };
  value(0);
  return isRepeated || deepest > 100;
}

export const target: Target = {
  name: 'json',
  invariant:
    'accepted is what JSON.parse takes for an object without flaws, to the same value; writing and reading it again changes nothing; nothing lands in a prototype',
  seeds: () => {
    const { manifest, config } = designedImage({ history: 'with-empty-layers' });
    return [
      manifest,
      config,
      ...[
        '{"a":{"b":[1,2.5,-3e7,"\\u00e9\\n",null,true]},"c":[]}',
        '{"a":1,"\\u0061":2}',
        '{"__proto__":{"polluted":1}}',
        ` {"a" : "\\\\" , "b":"\\"" }\n`,
        `{"a":${'['.repeat(99)}${']'.repeat(99)}}`,
        '[]',
        '"text"',
      ].map((text) => Buffer.from(text)),
    ];
  },
  dictionary: [
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"a":',
    '__proto__',
    '\\u0061',
    '\xef\xbb\xbf',
    '\xed\xa0\x80',
    'null',
    '1e5',
  ],
  mutators: [...jsonMutators, flood],
  maxBytes: 64 * KiB,
  run: (bytes) => {
    const outcome = outcomeNow(() => parseJsonObject(bytes, 'it'));
    holds(Object.keys(Object.prototype).length === 0, 'the prototype of all objects has got a member');
    neverThrows('tryParseJson', () => tryParseJson(bytes));
    let text: string | null = null;
    let value: unknown;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      value = JSON.parse(text);
    } catch {
      holds(outcome.kind === 'refused', 'accepted, but no JSON');
      return;
    }
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    holds(
      (outcome.kind === 'accepted') === (isObject && !isFlawed(text)),
      'not the verdict that a plain look comes to',
    );
    if (outcome.kind === 'refused') return;
    // Numbers that a double cannot hold are kept as they are written.
    same(JSON.parse(JSON.stringify(outcome.value)), value, 'another value than that of JSON.parse');
    const again = parseJsonObject(encodeJson(outcome.value), 'it');
    same(again, outcome.value, 'written and read again it is another value');
  },
};
