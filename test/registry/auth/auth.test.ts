import { describe, expect, test } from 'vitest';
import type { Credential, CredentialLookup } from '../../../src/registry/auth/credential.ts';
import { RegistryClients } from '../../../src/registry/clients.ts';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { openRegistryTarget } from '../../../src/registry/target.ts';
import type { Source, Target } from '../../../src/place/place.ts';
import { sha256 } from '../../support/registry/content.ts';
import { type FakeOptions, FakeRegistry } from '../../support/registry/fake-registry.ts';
import { block, FakeClock, drain, never, noise, pieces, refer, setup } from '../../support/registry/setup.ts';
import { tokenAuth } from '../../support/registry/tokens.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };

async function start(options: Partial<FakeOptions>): Promise<FakeRegistry> {
  const fake = await startRegistry(options);
  fake.repository('app').addManifest(index, index.mediaType, 'v1');
  return fake;
}

const withCredential =
  (credential: Credential | null): CredentialLookup =>
  () =>
    Promise.resolve(credential);
const password: Credential = { kind: 'basic', username: 'bob', password: new Secret('pass:wörd') };

function sourceOf(fake: FakeRegistry, options: Partial<RegistryOptions> = {}, repository = 'app'): Source {
  const source = closing(openRegistrySource(refer(`${fake.host}/${repository}:v1`), setup(options).options));
  return source;
}

function targetOf(fake: FakeRegistry, options: Partial<RegistryOptions> = {}): Target {
  const target = closing(openRegistryTarget([refer(`${fake.host}/dst:v1`)], setup(options).options));
  return target;
}

describe('a registry with Basic logins', () => {
  const auth = { kind: 'basic', username: 'bob', password: 'pass:wörd' } as const;

  test('credentials are sent once the registry asks for them, then with every request', async () => {
    const fake = await start({ auth });
    const source = sourceOf(fake, { credentials: withCredential(password) });
    const root = await source.root(never);
    await source.referrers(root.descriptor.digest, never);
    const [first, ...others] = fake.requests;
    expect(first?.headers.authorization).toBeUndefined();
    expect(others.length).toBeGreaterThan(3);
    expect(new Set(others.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Basic ${Buffer.from('bob:pass:wörd').toString('base64')}`]),
    );
  });

  test('without credentials the error says how to log in', async () => {
    const fake = await start({ auth });
    await expect(sourceOf(fake).root(never)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: `source ${fake.host}/app: the registry wants a user name and password`,
      advice: expect.stringContaining(`docker login ${fake.host}`) as string,
    });
  });

  test('wrong credentials are tried once', async () => {
    const fake = await start({ auth });
    const wrong = sourceOf(fake, {
      credentials: withCredential({ ...password, password: new Secret('canary') }),
    });
    const failed = wrong.root(never);
    await expect(failed).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining(
        'does not accept the login for this (401 UNAUTHORIZED: authentication required)',
      ) as string,
    });
    await expect(failed).rejects.not.toThrow(/canary/);
    expect(fake.requests).toHaveLength(2);
  });

  test('unknown schemes are named in the error', async () => {
    const fake = await start({});
    const headers = { 'www-authenticate': ['Negotiate', 'NTLM'] };
    fake.fault({
      method: 'GET',
      path: /manifests/,
      times: 9,
      effect: { kind: 'answer', status: 401, headers },
    });
    await expect(sourceOf(fake).root(never)).rejects.toThrow(
      /a login by negotiate, ntlm, which is not supported/,
    );
  });
});

describe('a registry with a token server', () => {
  test('concurrent anonymous requests of one scope share one token', async () => {
    const fake = await start({ auth: tokenAuth() });
    const source = sourceOf(fake);
    const blobs = [1, 2, 3, 4].map((seed) => fake.repository('app').addBlob(noise(10_000, seed)));
    await Promise.all(blobs.map((blob) => drain(source.blob(blob, never))));
    await source.root(never);
    const asked = fake.sent('GET', /token/, 'tokens');
    expect(asked).toHaveLength(1);
    expect(asked[0]?.headers.authorization).toBeUndefined();
    expect(new URL(`http://x${asked[0]?.path}`).searchParams.getAll('scope')).toEqual([
      'repository:app:pull',
    ]);
    expect(new URL(`http://x${asked[0]?.path}`).searchParams.get('service')).toBe('fake');
  });

  test('a password goes to the token server, and its token to the registry', async () => {
    const fake = await start({ auth: tokenAuth({ username: 'bob', password: 'pass:wörd' }) });
    const target = targetOf(fake, { credentials: withCredential(password) });
    const bytes = noise(block + 20_000);
    const staged = await target.stage(() => pieces(bytes), never);
    await staged.commit(sha256(bytes), bytes.length, never);
    expect(fake.repository('dst').blobs.size).toBe(1);
    const basic = `Basic ${Buffer.from('bob:pass:wörd').toString('base64')}`;
    expect(
      fake.requests.filter(({ server }) => server === 'tokens').map(({ headers }) => headers.authorization),
    ).toEqual([basic]);
    const atRegistry = fake.requests
      .filter(({ server }) => server === 'registry')
      .map(({ headers }) => headers.authorization ?? '');
    expect(atRegistry.filter((value) => value.startsWith('Basic'))).toEqual([]);
    expect(atRegistry.slice(1).every((value) => value.startsWith('Bearer '))).toBe(true);
  });

  test('places that share clients share tokens', async () => {
    const fake = await start({ auth: tokenAuth() });
    const clients = new RegistryClients();
    const { options } = setup({ clients });
    const one = openRegistrySource(refer(`${fake.host}/app:v1`), options);
    const two = openRegistrySource(refer(`${fake.host}/app:v1`), options);
    await one.root(never);
    await one.close();
    // The connections live as long as somebody uses them.
    await two.root(never);
    await two.close();
    expect(fake.sent('GET', /token/, 'tokens')).toHaveLength(1);
  });

  test('a token is renewed before it expires, and after a 401 in the middle', async () => {
    const clock = new FakeClock();
    const auth = tokenAuth({ lifetime: 60, now: () => clock.now() });
    const fake = await start({ auth });
    const source = sourceOf(fake, { clock });
    const blob = fake.repository('app').addBlob(noise(1000));
    const read = (): Promise<Buffer> => drain(source.blob(blob, never));
    await read();
    await read();
    expect(auth.tokens.size).toBe(1);
    // Ten seconds before its end it is no longer used.
    clock.time += 51_000;
    await read();
    expect(auth.tokens.size).toBe(2);
    expect(fake.requests.filter(({ server }) => server === 'registry')).toHaveLength(4);
    // The registry forgets it early.
    auth.tokens.clear();
    await read();
    expect(auth.tokens.size).toBe(1);
  });

  test('an upload that takes longer than a token lives renews it', async () => {
    const clock = new FakeClock();
    const auth = tokenAuth({ username: 'bob', password: 'pass:wörd', lifetime: 2, now: () => clock.now() });
    const fake = await start({ auth });
    const target = targetOf(fake, { clock, credentials: withCredential(password) });
    const bytes = noise(900_000);
    async function* slow(): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces(bytes, 30_000)) {
        clock.time += 700;
        yield piece;
      }
    }
    const staged = await target.stage(() => slow(), never);
    clock.time += 10_000;
    await staged.commit(sha256(bytes), bytes.length, never);
    expect(fake.repository('dst').blobs.get(sha256(bytes))?.equals(bytes)).toBe(true);
    expect(auth.tokens.size).toBeGreaterThan(3);
  });

  test('a mount asks for the scopes of both repositories, that of the push first', async () => {
    const fake = await start({ auth: tokenAuth() });
    const source = sourceOf(fake);
    const target = targetOf(fake);
    const blob = fake.repository('app').addBlob(noise(1000));
    await source.root(never);
    expect(await target.adopt(blob, source, never)).toBe('mounted');
    const scopes = fake
      .sent('GET', /token/, 'tokens')
      .map(({ path }) => new URL(`http://x${path}`).searchParams.getAll('scope'));
    expect(scopes).toContainEqual(['repository:dst:pull,push', 'repository:app:pull']);
  });

  test('blobs of a repository that may not be mounted from are copied, after one attempt to mount', async () => {
    const fake = await start({
      auth: tokenAuth({ username: 'bob', password: 'pass:wörd', closed: ['app'] }),
    });
    const other = await start({});
    const blobs = [1, 2, 3].map((seed) => {
      other.repository('app').addBlob(noise(1000, seed));
      return fake.repository('app').addBlob(noise(1000, seed));
    });
    const target = targetOf(fake, { credentials: withCredential(password) });
    const elsewhere = sourceOf(other);
    // Its bytes come from elsewhere; it only claims to be in this registry.
    const source: Source = {
      unpacksLayers: false,
      names: async () => [],
      label: 'source',
      mountable: { registry: fake.origin('registry'), repository: 'app' },
      head: () => Promise.resolve(null),
      root: (signal) => elsewhere.root(signal),
      manifest: (descriptor, signal) => elsewhere.manifest(descriptor, signal),
      blob: (descriptor, signal) => elsewhere.blob(descriptor, signal),
      referrers: () => Promise.resolve([]),
      close: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    for (const blob of blobs) expect(await target.adopt(blob, source, never)).toBe('copied');
    expect(fake.sent('POST', /mount=/).length).toBeLessThanOrEqual(2);
    expect(fake.repository('dst').blobs.size).toBe(3);
  });

  test('an identity token goes by POST, and by GET if that is refused', async () => {
    const identity: Credential = {
      kind: 'identity',
      username: '<token>',
      token: new Secret('refresh-canary'),
    };
    const post = await start({
      auth: tokenAuth({ username: '<token>', password: 'refresh-canary', refreshToken: 'refresh-canary' }),
    });
    await sourceOf(post, { credentials: withCredential(identity) }).root(never);
    expect(post.requests.filter(({ server }) => server === 'tokens').map(({ method }) => method)).toEqual([
      'POST',
    ]);
    const get = await start({ auth: tokenAuth({ username: '<token>', password: 'refresh-canary' }) });
    await sourceOf(get, { credentials: withCredential(identity) }).root(never);
    expect(get.requests.filter(({ server }) => server === 'tokens').map(({ method }) => method)).toEqual([
      'POST',
      'GET',
    ]);
  });

  test('a registry token goes to the registry as it is', async () => {
    const auth = tokenAuth();
    auth.tokens.set('ready', { scopes: ['repository:app:pull'], until: Number.POSITIVE_INFINITY });
    const fake = await start({ auth });
    await sourceOf(fake, {
      credentials: withCredential({ kind: 'bearer', token: new Secret('ready') }),
    }).root(never);
    expect(fake.sent('GET', /./, 'tokens')).toEqual([]);
    const stale = sourceOf(fake, {
      credentials: withCredential({ kind: 'bearer', token: new Secret('stale') }),
    });
    await expect(stale.root(never)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('a refusal advises anonymous users to log in, and known accounts to check their rights', async () => {
    const fake = await start({
      auth: tokenAuth({ username: 'bob', password: 'pass:wörd', closed: ['app'] }),
    });
    await expect(sourceOf(fake).root(never)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining('answered 401 UNAUTHORIZED: authentication required') as string,
    });
    await expect(sourceOf(fake, { credentials: withCredential(password) }).root(never)).rejects.toMatchObject(
      {
        code: 'UNAUTHORIZED',
        advice: expect.stringContaining('Check that the account has the right to read app.') as string,
      },
    );
    const wrong = sourceOf(fake, {
      credentials: withCredential({ ...password, password: new Secret('canary') }),
    });
    await expect(wrong.root(never)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringMatching(
        /does not accept the credentials given: .* answered 401: incorrect username or password$/,
      ) as string,
    });
  });

  test('after a 401 without a challenge the base of the API is asked for one', async () => {
    const fake = await start({ auth: tokenAuth() });
    fake.fault({ method: 'GET', path: /manifests/, effect: { kind: 'answer', status: 401 } });
    await sourceOf(fake).root(never);
    expect(fake.requests.map(({ path }) => path.split('?')[0])).toEqual([
      '/v2/app/manifests/v1',
      '/v2/',
      '/token',
      '/v2/app/manifests/v1',
    ]);
  });

  test('after a 401 without a challenge, a request that another one has logged in for meanwhile is sent again', async () => {
    const fake = await start({ auth: tokenAuth() });
    const loggedIn = Promise.withResolvers<void>();
    const effect = { kind: 'answer', status: 401, after: loggedIn.promise } as const;
    fake.fault({ method: 'GET', path: /manifests/, effect });
    const source = sourceOf(fake);
    const roots = [source.root(never), source.root(never)];
    await Promise.race(roots);
    loggedIn.resolve();
    const digests = (await Promise.all(roots)).map(({ descriptor }) => descriptor.digest);
    expect(new Set(digests).size).toBe(1);
    expect(fake.sent('GET', /token/, 'tokens')).toHaveLength(1);
  });

  test('failures of the token server are retried', async () => {
    const fake = await start({ auth: tokenAuth() });
    fake.fault({
      method: 'GET',
      path: /token/,
      server: 'tokens',
      times: 2,
      effect: { kind: 'answer', status: 503, headers: { 'retry-after': '9' } },
    });
    fake.fault({ method: 'GET', path: /token/, server: 'tokens', effect: { kind: 'reset' } });
    const clock = new FakeClock();
    await sourceOf(fake, { clock }).root(never);
    expect(clock.sleeps).toEqual([9000, 9000, 2000]);
  });

  test('a request to the token server whose answer breaks off is repeated', async () => {
    const fake = await start({ auth: tokenAuth() });
    fake.fault({
      method: 'GET',
      path: /token/,
      server: 'tokens',
      times: 2,
      effect: { kind: 'cut', bytes: 20, ending: 'reset' },
    });
    await sourceOf(fake).root(never);
    expect(fake.sent('GET', /token/, 'tokens')).toHaveLength(3);
  });

  test.each<readonly [string, string | Uint8Array, RegExp]>([
    ['no JSON', 'canary{', /did not answer with JSON$/],
    ['no token', '{"expires_in": 5}', /gave no token$/],
    ['a token that is no header', JSON.stringify({ token: 'a\r\nX-Evil: 1' }), /gave no token$/],
    ['endless bytes', 'x'.repeat(1_000_000), /longer than 128 KiB$/],
  ])('an answer with %s is refused', async (_, body, sentence) => {
    const fake = await start({ auth: tokenAuth() });
    fake.fault({
      method: 'GET',
      path: /token/,
      server: 'tokens',
      effect: { kind: 'answer', status: 200, body },
    });
    await expect(sourceOf(fake).root(never)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringMatching(sentence) as string,
    });
  });

  test('an answer with access_token and without a lifetime is accepted', async () => {
    const auth = tokenAuth();
    const fake = await start({ auth });
    auth.tokens.set('given', { scopes: ['repository:app:pull'], until: Number.POSITIVE_INFINITY });
    fake.fault({
      method: 'GET',
      path: /token/,
      server: 'tokens',
      effect: { kind: 'answer', status: 200, body: '{"access_token":"given"}' },
    });
    await sourceOf(fake).root(never);
    expect(fake.sent('GET', /manifests/).at(-1)?.headers.authorization).toBe('Bearer given');
  });

  const ago = (seconds: number) => (server: number) => new Date(server - seconds * 1000).toISOString();
  test.each<readonly [string, Record<string, unknown>, ((server: number) => string) | null, number, number]>([
    ['says nothing: a minute', {}, null, 0, 60],
    ['writes it as text', { expires_in: '300' }, null, 0, 300],
    ['says nonsense: a minute', { expires_in: -5 }, null, 0, 60],
    ['gives out one that is partly used up', { expires_in: 300 }, ago(100), 0, 200],
    ['does so and is an hour ahead of us', { expires_in: 300 }, ago(100), 3600, 200],
    ['does so and is an hour behind us', { expires_in: 300 }, ago(100), -3600, 200],
    ['says that it comes from the future', { expires_in: 300 }, ago(-100), 0, 300],
    ['says that it ran out long ago', { expires_in: 300 }, () => '0001-01-01T00:00:00Z', 0, 300],
    ['names no time', { expires_in: 300 }, () => 'yesterday', 0, 300],
  ])('a token is used as long as it lasts when its server %s', async (_, said, issued, ahead, seconds) => {
    const clock = new FakeClock();
    const auth = tokenAuth({ now: () => clock.now() });
    const fake = await start({ auth });
    auth.tokens.set('given', { scopes: ['repository:app:pull'], until: Number.POSITIVE_INFINITY });
    const server = clock.now() + ahead * 1000;
    const issuedAt = issued === null ? {} : { issued_at: issued(server) };
    const body = JSON.stringify({ token: 'given', ...said, ...issuedAt });
    const headers = { date: new Date(server).toUTCString() };
    fake.fault({
      method: 'GET',
      path: /token/,
      server: 'tokens',
      times: 9,
      effect: { kind: 'answer', status: 200, headers, body },
    });
    const source = sourceOf(fake, { clock });
    const blob = fake.repository('app').addBlob(noise(1000));
    const asked = async (): Promise<number> => {
      await drain(source.blob(blob, never));
      return fake.sent('GET', /token/, 'tokens').length;
    };
    expect(await asked()).toBe(1);
    // It is not used in its last ten seconds.
    clock.time += (seconds - 11) * 1000;
    expect(await asked()).toBe(1);
    clock.time += 1000;
    expect(await asked()).toBe(2);
  });

  test('a wider challenge while a token is fetched is not answered with the narrow one', async () => {
    const fake = await start({ auth: tokenAuth() });
    const wide = `Bearer realm="${fake.origin('tokens')}/token",service="fake",scope="repository:app:pull repository:more:pull"`;
    // The first token is on its way when the second request hears that more is wanted.
    fake.fault({ method: 'GET', path: /token/, server: 'tokens', effect: { kind: 'answer', status: 503 } });
    fake.fault({
      method: 'GET',
      path: /blobs/,
      effect: { kind: 'answer', status: 401, headers: { 'www-authenticate': wide } },
    });
    const source = sourceOf(fake);
    const blob = fake.repository('app').addBlob(noise(1000));
    await Promise.all([source.root(never), drain(source.blob(blob, never))]);
    const scopes = fake
      .sent('GET', /token/, 'tokens')
      .map(({ path }) => new URL(`http://x${path}`).searchParams.getAll('scope').join(' '));
    expect(scopes).toContain('repository:app:pull repository:more:pull');
    expect(fake.sent('GET', /./).filter(({ status }) => status === 401)).toHaveLength(2);
  });

  test('credentials that have expired are looked up again, for the token server and for the registry', async () => {
    const clock = new FakeClock();
    const passwords = ['first', 'second'];
    let asked = 0;
    const credentials: CredentialLookup = () => {
      asked += 1;
      return Promise.resolve({
        kind: 'basic',
        username: 'oauth2accesstoken',
        password: new Secret(passwords[0] ?? ''),
      });
    };
    for (const kind of ['bearer', 'basic'] as const) {
      passwords.splice(0, 2, 'first', 'second');
      asked = 0;
      const account = { username: 'oauth2accesstoken', password: 'first' };
      const auth =
        kind === 'basic'
          ? { kind, ...account }
          : tokenAuth({ ...account, lifetime: 60, now: () => clock.now() });
      const fake = await start({ auth });
      const source = sourceOf(fake, { clock, credentials });
      const blob = fake.repository('app').addBlob(noise(1000));
      await drain(source.blob(blob, never));
      // An hour later the helper has another one, and the server takes no other.
      clock.time += 3_600_000;
      passwords.shift();
      Object.assign(auth, { password: 'second' });
      await drain(source.blob(blob, never));
      expect(asked).toBe(2);
      // The same credential again does not help: the refusal is thrown.
      clock.time += 3_600_000;
      Object.assign(auth, { password: 'third' });
      await expect(drain(source.blob(blob, never))).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      expect(asked).toBe(3);
    }
  });

  test.each([400, 401, 404, 405])(
    'an identity token whose POST is answered by %i goes by GET',
    async (status) => {
      const fake = await start({ auth: tokenAuth({ username: 'bob', password: 'refresh' }) });
      fake.fault({ method: 'POST', path: /token/, server: 'tokens', effect: { kind: 'answer', status } });
      const credential: Credential = { kind: 'identity', username: 'bob', token: new Secret('refresh') };
      await sourceOf(fake, { credentials: withCredential(credential) }).root(never);
      const [post, get] = fake.requests.filter(({ server }) => server === 'tokens');
      const form = new URLSearchParams(post?.body.toString());
      expect(Object.fromEntries(form)).toEqual({
        grant_type: 'refresh_token',
        client_id: 'ocislim',
        refresh_token: 'refresh',
        service: 'fake',
        scope: 'repository:app:pull',
      });
      expect(post?.headers.authorization).toBeUndefined();
      // It is a secret: not in a URL.
      expect(get?.path).not.toContain('refresh');
      expect(fake.faults.unused).toEqual([]);
    },
  );

  test.each([403, 418])('an identity token whose POST is answered by %i is refused', async (status) => {
    const fake = await start({ auth: tokenAuth({ username: 'bob', password: 'refresh' }) });
    fake.fault({ method: 'POST', path: /token/, server: 'tokens', effect: { kind: 'answer', status } });
    const credential: Credential = { kind: 'identity', username: 'bob', token: new Secret('refresh') };
    await expect(
      sourceOf(fake, { credentials: withCredential(credential) }).root(never),
    ).rejects.toMatchObject({ code: status === 403 ? 'UNAUTHORIZED' : 'REGISTRY' });
    expect(fake.requests.filter(({ server }) => server === 'tokens')).toHaveLength(1);
  });

  test('a token with too few rights is fetched once more with the scopes of the challenge, then refused', async () => {
    const fake = await start({ auth: tokenAuth() });
    const challenge = `Bearer realm="${fake.origin('tokens')}/token",service="fake",scope="repository:app:pull repository:base:pull",error="insufficient_scope"`;
    const effect = { kind: 'answer', status: 401, headers: { 'www-authenticate': challenge } } as const;
    fake.fault({ method: 'GET', path: /manifests/, skip: 1, effect });
    await expect(sourceOf(fake).root(never)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const blob = fake.repository('app').addBlob(noise(1000));
    const source = sourceOf(fake);
    await drain(source.blob(blob, never));
    fake.fault({ method: 'GET', path: /blobs/, effect });
    fake.requests.length = 0;
    await drain(source.blob(blob, never));
    expect(
      fake
        .sent('GET', /token/, 'tokens')
        .map(({ path }) => new URL(`http://x${path}`).searchParams.getAll('scope')),
    ).toEqual([['repository:app:pull', 'repository:base:pull']]);
    fake.fault({ method: 'GET', path: /blobs/, times: 2, effect });
    await expect(drain(source.blob(blob, never))).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(fake.faults.unused).toEqual([]);
  });
});
