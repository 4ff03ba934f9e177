import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../../src/registry/auth/challenge.ts';

function plain(headers: readonly string[]): unknown {
  return parseChallenges(headers).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

describe('challenges (RFC 9110, 11.6.1)', () => {
  test('the challenge of a registry is parsed', () => {
    expect(
      plain([
        'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
      ]),
    ).toEqual([
      [
        'bearer',
        {
          realm: 'https://auth.example/token',
          service: 'registry.example',
          scope: 'repository:a/b:pull,push',
        },
      ],
    ]);
  });

  test('several challenges in one header are parsed, with commas and quotes inside quotes', () => {
    expect(
      plain([
        'Basic realm="a, \\"b\\", Bearer realm=x", Negotiate, NTLM abc==, Bearer realm="https://t/x?a=b,c" , service=plain',
      ]),
    ).toEqual([
      ['basic', { realm: 'a, "b", Bearer realm=x' }],
      ['negotiate', {}],
      ['ntlm', {}],
      ['bearer', { realm: 'https://t/x?a=b,c', service: 'plain' }],
    ]);
  });

  test('several headers are parsed, with odd spacing and case', () => {
    expect(plain(['bEaReR  Realm = "r" ,, SCOPE="s"', 'basic'])).toEqual([
      ['bearer', { realm: 'r', scope: 's' }],
      ['basic', {}],
    ]);
  });

  test('malformed text ends its header only', () => {
    expect(plain(['Bearer realm="unterminated', 'Basic realm="x"', '="', ''])).toEqual([
      ['bearer', {}],
      ['basic', { realm: 'x' }],
    ]);
  });

  test('a parameter that is repeated keeps its first value', () => {
    expect(plain(['Bearer realm="first",realm="second"'])).toEqual([['bearer', { realm: 'first' }]]);
  });

  test('a parsed value is what was quoted', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
    const parameters = fc.dictionary(name, fc.string({ unit: 'binary-ascii', maxLength: 30 }), {
      minKeys: 1,
      maxKeys: 4,
    });
    const challenges = fc.array(fc.record({ scheme: name, parameters }), { minLength: 1, maxLength: 4 });
    const property = fc.property(challenges, (list) => {
      const quote = (value: string): string => `"${value.replace(/[\\"]/g, '\\$&')}"`;
      const header = list
        .map(({ scheme, parameters }) => {
          const pairs = Object.entries(parameters).map(([key, value]) => `${key}=${quote(value)}`);
          return `${scheme} ${pairs.join(', ')}`;
        })
        .join(', ');
      expect(plain([header])).toEqual(list.map(({ scheme, parameters }) => [scheme, { ...parameters }]));
    });
    fc.assert(property);
  });

  test('parsing never throws and always ends', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii' })), (headers) => void parseChallenges(headers)),
    );
  });
});
