import { expect, test } from 'vitest';
import { secretsOf, withoutSecrets } from '../../../src/registry/http/secrets.ts';

const password = 'p:ä ss+/=word';
const encoded = Buffer.from(`bob:${password}`).toString('base64');
const form = { 'content-type': 'application/x-www-form-urlencoded' };

test.each([
  ['a password', { authorization: `Basic ${encoded}` }, null, [password, encoded]],
  ['a token', { authorization: 'Bearer abc.def' }, null, ['abc.def']],
  [
    'an identity token',
    form,
    new TextEncoder().encode(new URLSearchParams({ a: 'b', refresh_token: password }).toString()),
    [password],
  ],
])('%s is found in each form, and masked in what a server says', (_what, headers, body, told) => {
  const secrets = secretsOf(headers, body);
  const forms = told.flatMap((each) => [
    each,
    encodeURIComponent(each),
    Buffer.from(each, 'utf8').toString('base64'),
  ]);
  for (const each of forms) expect(withoutSecrets(`<${each}> said bob`, secrets)).toBe('<***> said bob');
});

test('short secrets and other words are not masked', () => {
  expect(secretsOf({ authorization: `Basic ${Buffer.from('me:a').toString('base64')}` }, null)).not.toContain(
    'a',
  );
  expect(secretsOf({ accept: 'application/json' }, new Uint8Array(9))).toEqual([]);
  expect(withoutSecrets('a plain text', [])).toBe('a plain text');
});

test('a secret within another one leaves nothing of either', () => {
  expect(withoutSecrets('long-secret and secret', ['secret', 'long-secret'])).toBe('*** and ***');
});
