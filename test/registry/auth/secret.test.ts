import { format, inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Credential, isSameCredential } from '../../../src/registry/auth/credential.ts';
import { createCredentialLookup } from '../../../src/registry/auth/credentials.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';
import { proxyFor } from '../../../src/registry/http/proxy.ts';
import { openPkcs12 } from '../../../src/registry/tls/pkcs12.ts';
import { makeAuthority, writePkcs12 } from '../../support/registry/authority.ts';
import { never } from '../../support/registry/setup.ts';

const word = 'canary';

/** Every way in which a value becomes text or another value. */
const ways: Readonly<Record<string, (value: unknown) => string>> = {
  'JSON.stringify': (value) => JSON.stringify(value),
  'util.inspect': (value) => inspect(value, { depth: null, showHidden: true, getters: true }),
  'a log with %o': (value) => format('%o %O %j %s', value, value, value, value),
  structuredClone: (value) => inspect(cloneOf(value), { depth: null, showHidden: true }),
  'a spread copy': (value) => inspect({ ...(value as object) }, { depth: null, showHidden: true }),
  'Object.entries': (value) => JSON.stringify(Object.entries(value as object)),
};

/** Clones a value; one that cannot be cloned (a URL) part by part. */
function cloneOf(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return Object.values(value as object).map(cloneOf);
  }
}

async function holders(): Promise<Readonly<Record<string, unknown>>> {
  const secret = new Secret(word);
  const identity = makeAuthority('A CA').issue({ names: ['client'] });
  const lookUp = createCredentialLookup({
    creds: new Secret(`bob:${word}`),
    authfile: null,
    env: {},
    home: null,
  });
  const credentials: readonly Credential[] = [
    { kind: 'basic', username: 'bob', password: secret },
    { kind: 'identity', username: 'bob', token: secret },
    { kind: 'bearer', token: secret },
  ];
  return {
    'a secret': secret,
    'settings with secrets': { creds: secret, nested: [{ passphrase: secret }] },
    credentials,
    'a credential that was looked up': await lookUp('registry.example', 'app', never),
    'a proxy': proxyFor(new URL('https://a.example'), { HTTPS_PROXY: `http://bob:${word}@proxy:1` }),
    'a client certificate': await openPkcs12(writePkcs12(identity, word, 'aes256'), secret, 'me.p12'),
  };
}

describe('a value that holds a secret', () => {
  test.each(Object.keys(ways))('does not show it in %s', async (name) => {
    const inBase64 = Buffer.from(`bob:${word}`).toString('base64');
    for (const [holder, value] of Object.entries(await holders())) {
      const shown = ways[name]?.(value) ?? '';
      expect(shown.includes(word) || shown.includes(inBase64), `${holder}: ${shown.slice(0, 500)}`).toBe(
        false,
      );
    }
  });

  test('shows it in no template literal or concatenation', () => {
    const secret = new Secret(word);
    expect(`${String(secret)} ${[secret].join()}`).toBe('*** ***');
  });

  test('reveals it where it is asked for', () => {
    expect(new Secret(word).reveal()).toBe(word);
  });
});

test('credentials are the same when all of their parts are, secrets included', () => {
  const all: readonly (Credential | null)[] = [
    null,
    ...['a', 'b'].flatMap((text): readonly Credential[] => [
      { kind: 'basic', username: 'u', password: new Secret(text) },
      { kind: 'basic', username: 'v', password: new Secret(text) },
      { kind: 'identity', username: 'u', token: new Secret(text) },
      { kind: 'bearer', token: new Secret(text) },
    ]),
  ];
  all.forEach((one, i) =>
    all.forEach((other, j) => expect(isSameCredential(one, other), `${i} and ${j}`).toBe(i === j)),
  );
  const again: Credential = { kind: 'bearer', token: new Secret('a') };
  expect(isSameCredential(again, { kind: 'bearer', token: new Secret('a') })).toBe(true);
});
