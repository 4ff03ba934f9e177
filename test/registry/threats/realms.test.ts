import { describe, expect, test } from 'vitest';
import type { Credential } from '../../../src/registry/auth/credential.ts';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import type { Source } from '../../../src/place/place.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { parseRealm } from '../../../src/registry/auth/realm.ts';
import { makeCertificate } from '../../support/registry/certificate.ts';
import { type FakeOptions, FakeRegistry } from '../../support/registry/fake-registry.ts';
import { never, refer, setup } from '../../support/registry/setup.ts';
import { tokenAuth } from '../../support/registry/tokens.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };

async function start(options: Partial<FakeOptions>): Promise<FakeRegistry> {
  const fake = await startRegistry(options);
  fake.repository('app').addManifest(index, index.mediaType, 'v1');
  return fake;
}

const password: Credential = { kind: 'basic', username: 'bob', password: new Secret('canary') };
const identity: Credential = { kind: 'identity', username: 'bob', token: new Secret('canary') };

function sourceOf(
  host: string,
  credential: Credential | null,
  options: Partial<RegistryOptions> = {},
): Source {
  const credentials = () => Promise.resolve(credential);
  const source = closing(
    openRegistrySource(refer(`${host}/app:v1`), setup({ credentials, ...options }).options),
  );
  return source;
}

/** Lets the registry ask for a login at a realm. */
function challenge(fake: FakeRegistry, realm: string, more = ',service="fake"', times = 1): void {
  fake.fault({
    method: 'GET',
    path: /manifests/,
    times,
    effect: {
      kind: 'answer',
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="${realm}"${more}` },
    },
  });
}

describe('which realms are asked', () => {
  const party = { side: 'source', host: 'registry.example', repository: 'app' } as const;
  const check = (realm: string, registry: string, insecure = false): string => {
    try {
      return parseRealm(realm, new URL(registry), insecure, party).href;
    } catch (error) {
      return (error as Error).message.replace(/^.* names a token server that /, '');
    }
  };
  const noTls = (url: string): string => `is not reached by https: ${url}`;
  const local = (url: string): string => `is at a local address: ${url}`;

  test.each([
    ['https://auth.example/token', 'https://registry.example', 'https://auth.example/token'],
    ['https://auth.example/token?a=b', 'http://registry.example', 'https://auth.example/token?a=b'],
    ['http://auth.example/token', 'http://registry.example', 'http://auth.example/token'],
    ['http://127.0.0.1:9/token', 'http://127.0.0.1:5000', 'http://127.0.0.1:9/token'],
    ['http://localhost:9/token', 'http://127.0.0.1:5000', 'http://localhost:9/token'],
    ['https://127.0.0.1:9/token', 'https://127.0.0.1:5000', 'https://127.0.0.1:9/token'],
    // A registry on loopback speaks plain HTTP unasked; that does not take a password over the network.
    ['http://auth.example/token', 'http://127.0.0.1:5000', noTls('http://auth.example/token')],
    ['http://auth.example/token', 'http://localhost:5000', noTls('http://auth.example/token')],
    // CVE-2019-10214
    ['http://auth.example/token?secret=1', 'https://registry.example', noTls('http://auth.example/token?…')],
    ['http://registry.example/token', 'https://registry.example', noTls('http://registry.example/token')],
    ['http://169.254.169.254/latest', 'http://registry.example', local('http://169.254.169.254/latest')],
    ['https://localhost/token', 'https://registry.example', local('https://localhost/token')],
    ['https://[::ffff:127.0.0.1]/token', 'https://registry.example', local('https://[::ffff:7f00:1]/token')],
    ['https://2130706433/token', 'https://registry.example', local('https://127.0.0.1/token')],
    ['https://0x7f.1/token', 'https://registry.example', local('https://127.0.0.1/token')],
    ['https://0.0.0.0/token', 'https://registry.example', local('https://0.0.0.0/token')],
    [
      'https://registry.example@evil.example/',
      'https://registry.example',
      'carries a user name: https://evil.example/',
    ],
    ['file:///etc/passwd', 'http://registry.example', noTls('file:///etc/passwd')],
    ['gopher://auth.example/', 'http://registry.example', noTls('gopher://auth.example/')],
    ['/token', 'https://registry.example', 'is not a URL'],
    ['//auth.example/token', 'https://registry.example', 'is not a URL'],
    ['', 'https://registry.example', 'is not a URL'],
  ])('N4: %s of %s', (realm, registry, wanted) => {
    expect(check(realm, registry)).toBe(wanted);
  });

  test('N4: --insecure allows what it says', () => {
    const realm = 'http://auth.example/token';
    expect(check(realm, 'http://localhost:5000', true)).toBe(realm);
    expect(check(realm, 'https://localhost:5000', true)).toBe(noTls(realm));
  });
});

describe('what a realm is sent', () => {
  test.each([
    ['a password', password],
    ['an identity token', identity],
  ])('N4: %s does not go to a realm that is refused, nor does anything else', async (_, credential) => {
    const certificate = makeCertificate();
    const fake = await start({ tls: certificate });
    const thief = await start({});
    const realms = [
      `${thief.origin('registry')}/token`,
      `https://bob@${thief.host}/token`,
      'file:///etc/passwd',
      'not a URL',
    ];
    for (const realm of realms) {
      challenge(fake, realm);
      await expect(
        sourceOf(fake.host, credential, { authorities: [certificate.cert] }).root(never),
      ).rejects.toMatchObject({ code: 'REGISTRY' });
    }
    expect(thief.requests).toEqual([]);
    expect(fake.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  test.each(['GET', 'POST'])(
    'N4: a token server that redirects a %s gets no second request',
    async (method) => {
      for (const status of [301, 302, 303, 307, 308]) {
        const fake = await start({
          auth: tokenAuth({ username: 'bob', password: 'canary', refreshToken: 'canary' }),
        });
        const thief = await start({});
        fake.fault({
          method,
          path: /token/,
          server: 'tokens',
          effect: { kind: 'answer', status, headers: { location: `${thief.origin('registry')}/` } },
        });
        await expect(
          sourceOf(fake.host, method === 'POST' ? identity : password).root(never),
        ).rejects.toThrow(/redirects, which is not followed/);
        expect(fake.faults.unused).toEqual([]);
        expect(thief.requests).toEqual([]);
      }
    },
  );

  test('N4: what the challenge says is data, not part of the request', async () => {
    const fake = await start({ auth: tokenAuth({ username: 'bob', password: 'canary' }) });
    challenge(
      fake,
      `${fake.origin('tokens')}/token?x=1#fragment`,
      ',service="a&account=admin#\\\\\\"+%0d%0aX-Evil: 1",scope="repository:app:pull&scope=evil"',
    );
    await sourceOf(fake.host, password).root(never);
    const [asked] = fake.sent('GET', /token/, 'tokens');
    const query = new URL(`http://x${asked?.path}`).searchParams;
    expect(query.get('x')).toBe('1');
    expect(query.get('service')).toBe('a&account=admin#\\"+%0d%0aX-Evil: 1');
    expect(query.getAll('account')).toEqual(['bob']);
    expect(query.getAll('scope')).toEqual(['repository:app:pull&scope=evil,pull']);
    expect(asked?.headers['x-evil']).toBeUndefined();
    expect(asked?.path).not.toContain('fragment');
  });

  test('N4: nor in the form of a POST', async () => {
    const fake = await start({
      auth: tokenAuth({ username: 'bob', password: 'canary', refreshToken: 'canary' }),
    });
    challenge(fake, `${fake.origin('tokens')}/token`, ',service="a&grant_type=password&refresh_token=x"');
    await sourceOf(fake.host, identity).root(never);
    const [asked] = fake.sent('POST', /token/, 'tokens');
    const form = new URLSearchParams(asked?.body.toString());
    expect(form.getAll('grant_type')).toEqual(['refresh_token']);
    expect(form.getAll('refresh_token')).toEqual(['canary']);
    expect(form.get('service')).toBe('a&grant_type=password&refresh_token=x');
  });

  test('N4: credentials are those of the registry that asks, not those of the host of the realm', async () => {
    const known = await start({ auth: tokenAuth({ username: 'bob', password: 'canary' }) });
    const evil = await start({});
    challenge(evil, `${known.origin('tokens')}/token`, ',scope="repository:app:pull,push"', 2);
    const credentials = (host: string) => Promise.resolve(host === evil.host ? null : password);
    const source = closing(openRegistrySource(refer(`${evil.host}/app:v1`), setup({ credentials }).options));
    await expect(source.root(never)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const asked = known.sent('GET', /token/, 'tokens');
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    // The token that it gets for itself is good for nothing.
    const [token] = known.options.auth.kind === 'bearer' ? [...known.options.auth.tokens.values()] : [];
    expect(token?.scopes).toEqual(['repository:app:']);
  });

  test('N4: a registry that says first Bearer and then Basic does not get an identity token', async () => {
    const fake = await start({
      auth: tokenAuth({ username: 'bob', password: 'canary', refreshToken: 'canary' }),
    });
    const source = sourceOf(fake.host, identity);
    fake.fault({
      method: 'GET',
      path: /manifests/,
      times: 9,
      effect: { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
    });
    await expect(source.root(never)).rejects.toThrow(/wants a password, and a token is all there is/);
    expect(fake.requests.filter(({ headers }) => headers.authorization?.startsWith('Basic'))).toEqual([]);
  });
});
