import { type AddressInfo, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createProxyLookup, proxyFor } from '../../../src/registry/http/proxy.ts';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { openRegistryTarget } from '../../../src/registry/target.ts';
import { makeAuthority } from '../../support/registry/authority.ts';
import { type FakeOptions, FakeRegistry } from '../../support/registry/fake-registry.ts';
import { type ProxyOptions, ProxyServer } from '../../support/registry/proxy-server.ts';
import { drain, never, noise, pieces, refer, setup } from '../../support/registry/setup.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

const proxy = 'http://proxy.example:3128';

/** The proxy of a URL with this `NO_PROXY`, as a yes or no. */
function isProxied(url: string, noProxy: string): boolean {
  return proxyFor(new URL(url), { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: noProxy }) !== null;
}

describe('N18: the proxy of a URL', () => {
  test.each([
    ['https://registry.example/v2/', { HTTPS_PROXY: 'http://a', HTTP_PROXY: 'http://b' }, 'http://a'],
    ['http://registry.example/v2/', { HTTPS_PROXY: 'http://a', HTTP_PROXY: 'http://b' }, 'http://b'],
    ['https://registry.example/v2/', { HTTP_PROXY: 'http://b' }, null],
    ['https://registry.example/v2/', { https_proxy: 'http://a' }, 'http://a'],
    ['https://registry.example/v2/', { HTTPS_PROXY: 'http://a', https_proxy: 'http://b' }, 'http://a'],
    ['https://registry.example/v2/', { HTTPS_PROXY: '', https_proxy: 'http://b' }, 'http://b'],
    ['https://registry.example/v2/', { HTTPS_PROXY: 'proxy:3128' }, 'http://proxy:3128'],
    ['https://registry.example/v2/', { HTTPS_PROXY: '10.1.2.3' }, 'http://10.1.2.3'],
    ['https://registry.example/v2/', { HTTPS_PROXY: 'https://proxy' }, 'https://proxy'],
    ['http://registry.example/v2/', { HTTP_PROXY: 'http://b', REQUEST_METHOD: 'GET' }, null],
    [
      'http://registry.example/v2/',
      { HTTP_PROXY: 'http://b', http_proxy: 'http://c', REQUEST_METHOD: 'GET' },
      'http://c',
    ],
    ['https://registry.example/v2/', { HTTPS_PROXY: 'http://a', no_proxy: 'registry.example' }, null],
    ['https://registry.example/v2/', { HTTPS_PROXY: 'http://a', NO_PROXY: 'x', no_proxy: '*' }, 'http://a'],
    ['https://localhost:5000/v2/', { HTTPS_PROXY: 'http://a' }, null],
    ['https://127.8.0.1/v2/', { HTTPS_PROXY: 'http://a' }, null],
    ['https://[::1]:5000/v2/', { HTTPS_PROXY: 'http://a' }, null],
    ['https://registry.example/v2/', {}, null],
  ] satisfies [string, Record<string, string>, string | null][])(
    'of %s with %j is %s',
    (url, env, expected) => {
      expect(proxyFor(new URL(url), env)?.url.origin ?? null).toBe(expected);
    },
  );

  test.each([
    ['https://foo.example', 'foo.example', false],
    ['https://bar.foo.example', 'foo.example', false],
    ['https://barfoo.example', 'foo.example', true],
    ['https://foo.example', '.foo.example', true],
    ['https://bar.foo.example', '.foo.example', false],
    ['https://foo.example', '*.foo.example', true],
    ['https://a.b.foo.example', '*.foo.example', false],
    ['https://FOO.example', 'Foo.Example', false],
    ['https://foo.example', 'other, foo.example ,', false],
    ['https://foo.example', '*', false],
    ['https://foo.example', 'other,*', false],
    ['https://foo.example', '', true],
    ['https://foo.example', ',, ,', true],
    ['https://foo.example', 'foo.example:443', false],
    ['https://foo.example:5000', 'foo.example:443', true],
    ['https://foo.example:5000', 'foo.example:5000', false],
    ['http://foo.example', 'foo.example:80', false],
    ['https://a.foo.example:5000', '.foo.example:5000', false],
    ['https://foo.example', ':443', true],
    ['https://10.1.2.3', '10.1.2.3', false],
    ['https://10.1.2.3', '10.1.2.4', true],
    ['https://10.1.2.3:5000', '10.1.2.3:5000', false],
    ['https://10.1.2.3:5000', '10.1.2.3:443', true],
    ['https://10.1.2.3', '10.0.0.0/8', false],
    ['https://11.1.2.3', '10.0.0.0/8', true],
    ['https://10.1.2.3', '10.0.0.0/33', true],
    ['https://10.1.2.3', '3', true],
    ['https://[fd00::1]', 'fd00::1', false],
    ['https://[fd00::1]:5000', '[fd00::1]:5000', false],
    ['https://[fd00::1]', '[fd00::1]', false],
    ['https://[fd00::1]', 'fd00::/8', false],
    ['https://[fe00::1]', 'fd00::/16', true],
    ['https://[::ffff:10.1.2.3]', '10.0.0.0/8', false],
    ['https://foo.example', '10.0.0.0/8', true],
    ['https://xn--bcher-kva.example', 'bücher.example', false],
  ])('of %s with NO_PROXY=%s is %s', (url, noProxy, expected) => {
    expect(isProxied(url, noProxy)).toBe(expected);
  });

  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));

  test('a name in NO_PROXY excludes itself and its subdomains, whatever is beside it', () => {
    fc.assert(
      fc.property(name, fc.array(label, { maxLength: 3 }), fc.array(name), (base, below, others) => {
        const list = [...others, base].join(', ');
        expect(isProxied(`https://${[...below, base].join('.')}`, list)).toBe(false);
      }),
    );
  });

  test('a name in NO_PROXY excludes no other name', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        fc.pre(one !== other && !one.endsWith(`.${other}`));
        expect(isProxied(`https://${one}`, other)).toBe(true);
      }),
    );
  });

  test('a range in NO_PROXY excludes the addresses in it', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const address = fc.tuple(fc.integer({ min: 11, max: 126 }), byte, byte, byte);
    const bits = (parts: readonly number[]) =>
      parts.map((each) => each.toString(2).padStart(8, '0')).join('');
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 32 }), (one, network, length) => {
        const same = bits(one).slice(0, length) === bits(network).slice(0, length);
        expect(isProxied(`https://${one.join('.')}`, `${network.join('.')}/${length}`)).toBe(!same);
      }),
    );
  });

  test('no environment makes the look-up throw anything but a refusal, and no password is quoted', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (value, list) => {
        try {
          proxyFor(new URL('https://registry.example'), {
            HTTPS_PROXY: `http://user:canary%@${value}`,
            NO_PROXY: list,
          });
        } catch (error) {
          expect(error).toMatchObject({ code: 'USAGE' });
          expect(String(error)).not.toContain('canary');
        }
      }),
    );
  });

  test.each([
    ['socks5://proxy:1080', 'UNSUPPORTED'],
    ['ftp://proxy', 'USAGE'],
    ['http://', 'USAGE'],
    ['http://pro xy', 'USAGE'],
    ['http://a:%zz@proxy', 'USAGE'],
  ])('a proxy of %s is refused', (value, code) => {
    expect(() => proxyFor(new URL('https://registry.example'), { HTTPS_PROXY: value })).toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });

  test('user name and password are removed from the URL, and become a header', () => {
    const found = proxyFor(new URL('https://registry.example'), {
      HTTPS_PROXY: 'http://us%40er:p%C3%A4ss@proxy:1/x',
    });
    expect(found?.url).toEqual(new URL('http://proxy:1'));
    expect(found?.authorization?.reveal()).toBe(`Basic ${Buffer.from('us@er:päss').toString('base64')}`);
  });
});

const authority = makeAuthority('A proxied CA');
const tls = authority.issue({ names: ['registry.test'] });
const login = `Basic ${Buffer.from('user:proxy-canary').toString('base64')}`;

async function start(options: Partial<FakeOptions> = {}): Promise<{ fake: FakeRegistry; host: string }> {
  const fake = await startRegistry(options);
  const layer = fake.repository('app').addBlob(noise(1000));
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };
  fake.repository('app').addManifest(index, index.mediaType, 'v1');
  expect(layer.size).toBe(1000);
  // The proxy takes every name for this machine.
  return { fake, host: fake.host.replace('127.0.0.1', 'registry.test') };
}

async function startProxy(options: ProxyOptions = {}): Promise<ProxyServer> {
  const server = closing(await ProxyServer.start(options));
  return server;
}

function sourceOf(host: string, env: Record<string, string>, overrides: Partial<RegistryOptions> = {}) {
  const made = setup({ authorities: [authority.cert], proxies: createProxyLookup(env), ...overrides });
  const source = closing(openRegistrySource(refer(`${host}/app:v1`), made.options));
  return { ...made, source };
}

describe('N18: through a proxy', () => {
  test('https goes through a tunnel, in which the proxy sees a name only, and the registry no password of the proxy', async () => {
    const { fake, host } = await start({ tls });
    const server = await startProxy({ authorization: login });
    const { source } = sourceOf(host, { HTTPS_PROXY: `http://user:proxy-canary@${server.host}` });
    await source.root(never);
    expect(server.passages).toMatchObject([{ method: 'CONNECT', target: host, authorization: login }]);
    expect(fake.requests.length).toBeGreaterThan(0);
    for (const { headers } of fake.requests) {
      expect(headers['proxy-authorization']).toBeUndefined();
      expect(headers.host).toBe(host);
    }
  });

  test('the proxy gets requests in plain HTTP with their whole URL, and alone the password for it', async () => {
    const { fake, host } = await start();
    const server = await startProxy({ authorization: login });
    const env = {
      HTTPS_PROXY: `http://user:proxy-canary@${server.host}`,
      HTTP_PROXY: `http://user:proxy-canary@${server.host}`,
    };
    const { source } = sourceOf(host, env, { insecure: true });
    const bytes = await drain(source.blob(fake.repository('app').addBlob(noise(300_000, 2)), never));
    expect(bytes).toEqual(noise(300_000, 2));
    const passed = server.passages.filter(({ method }) => method === 'GET');
    expect(passed.map(({ target }) => target)).toEqual([
      expect.stringContaining(`http://${host}/v2/app/blobs/`),
    ]);
    expect(passed[0]?.headers.host).toBe(host);
    expect(fake.requests[0]?.headers['proxy-authorization']).toBeUndefined();
  });

  test.each([true, false])('several downloads stay open while an upload goes on (tls: %s)', async (isTls) => {
    const { fake, host } = await start({ tls: isTls ? tls : null });
    const server = await startProxy();
    const env = { HTTPS_PROXY: server.host, HTTP_PROXY: server.host };
    const { source, options } = sourceOf(host, env, { insecure: !isTls });
    const target = closing(openRegistryTarget([refer(`${host}/out:v1`)], options));
    const content = fake.repository('app');
    const readers = [3, 4, 5].map((seed) =>
      source.blob(content.addBlob(noise(2_000_000, seed)), never)[Symbol.asyncIterator](),
    );
    for (const reader of readers) expect((await reader.next()).done).toBe(false);
    const staged = await target.stage(() => pieces(noise(500_000, 9)), never);
    const descriptor = fake.repository('elsewhere').addBlob(noise(500_000, 9));
    await staged.commit(descriptor.digest, descriptor.size, never);
    expect(fake.repository('out').blobs.has(descriptor.digest)).toBe(true);
    for (const reader of readers) while ((await reader.next()).done !== true);
  });

  test('a proxy that is reached by https is verified even where the registry is not', async () => {
    const { host } = await start({ tls });
    const good = await startProxy({ tls: authority.issue() });
    const known = sourceOf(host, { HTTPS_PROXY: `https://${good.host}` });
    expect((await known.source.root(never)).bytes.length).toBeGreaterThan(0);
    const plain = await start();
    const env = { HTTPS_PROXY: `https://${good.host}`, HTTP_PROXY: `https://${good.host}` };
    const passedOn = sourceOf(plain.host, env, { insecure: true });
    expect((await passedOn.source.root(never)).bytes.length).toBeGreaterThan(0);
    expect(good.passages.at(-1)?.target).toBe(`http://${plain.host}/v2/app/manifests/v1`);
    const stranger = sourceOf(
      host,
      { HTTPS_PROXY: `https://${good.host}` },
      { authorities: [], insecure: true },
    );
    await expect(stranger.source.root(never)).rejects.toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining(`cannot get through the proxy https://${good.host}: `) as string,
    });
    expect(stranger.clock.sleeps).toEqual([]);
  });

  test("the registry's certificate is verified inside the tunnel", async () => {
    const { fake, host } = await start({ tls: authority.issue({ names: ['other.test'] }) });
    const server = await startProxy();
    const { source } = sourceOf(host, { HTTPS_PROXY: server.host });
    await expect(source.root(never)).rejects.toThrow(/it is for other\.test, not for registry\.test$/);
    expect(fake.requests).toEqual([]);
  });

  test.each([
    ['no password', 'http://', /wants a user name and password \(407\)/],
    ['a wrong one', 'http://user:wrong-canary@', /does not accept the user name and password/],
  ])('%s is an error that names the proxy, without a retry', async (_, prefix, sentence) => {
    const { host } = await start({ tls });
    const server = await startProxy({ authorization: login });
    const { source, clock } = sourceOf(host, { HTTPS_PROXY: `${prefix}${server.host}` });
    const error: unknown = await source.root(never).catch((each: unknown) => each);
    expect(error).toMatchObject({ code: 'NETWORK', message: expect.stringMatching(sentence) as string });
    expect(String(error)).toContain(`http://${server.host}`);
    expect(JSON.stringify(error) + String(error)).not.toContain('canary');
    expect(clock.sleeps).toEqual([]);
  });

  test('a proxy for plain HTTP that wants a password is an error that says so', async () => {
    const { host } = await start();
    const server = await startProxy({ authorization: login });
    const env = { HTTP_PROXY: `http://user:proxy-canary@${server.host}`, HTTPS_PROXY: server.host };
    const refused = sourceOf(host, { ...env, HTTP_PROXY: server.host }, { insecure: true });
    await expect(refused.source.root(never)).rejects.toThrow(/wants a user name and password \(407\)/);
  });

  test('a proxy that does not connect is an error, after retries where the failure may pass', async () => {
    const { host } = await start({ tls });
    const strict = await startProxy({ refuse: 403 });
    const first = sourceOf(host, { HTTPS_PROXY: strict.host });
    await expect(first.source.root(never)).rejects.toThrow(
      `the proxy http://${strict.host} gives no connection to ${host}: it answered 403`,
    );
    expect(first.clock.sleeps).toEqual([]);
    const busy = await startProxy({ refuse: 503 });
    const second = sourceOf(host, { HTTPS_PROXY: busy.host });
    await expect(second.source.root(never)).rejects.toThrow(/it answered 503/);
    expect(second.clock.sleeps).toHaveLength(4);
  });

  test('a proxy that cannot be reached is named without its password', async () => {
    const gone = createServer();
    gone.listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    for (const insecure of [true, false]) {
      const { source, clock } = sourceOf(
        'registry.test:5000',
        { HTTPS_PROXY: `http://user:canary@127.0.0.1:${port}` },
        { insecure },
      );
      const error: unknown = await source.root(never).catch((each: unknown) => each);
      expect(error).toMatchObject({
        message: expect.stringContaining(`cannot get through the proxy http://127.0.0.1:${port}: `) as string,
        advice: expect.stringContaining('NO_PROXY=registry.test') as string,
      });
      expect(String(error)).not.toContain('canary');
      expect(clock.sleeps).toEqual([]);
    }
  });

  test('a proxy that does not answer is given up after the timeout', async () => {
    const silent = createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closing({ close: () => void silent.close() });
    const { port } = silent.address() as AddressInfo;
    const env = { HTTPS_PROXY: `127.0.0.1:${port}` };
    const { source } = sourceOf('registry.test:5000', env, { timeoutMs: 100, retryTimes: 0 });
    await expect(source.root(never)).rejects.toThrow(/cannot get through the proxy .*: no answer in 100 ms/);
  });

  test('closing ends a tunnel that is being made', async () => {
    const silent = createServer((socket) => void socket.resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closing({ close: () => void silent.close() });
    const { port } = silent.address() as AddressInfo;
    const { source } = sourceOf('registry.test:5000', { HTTPS_PROXY: `127.0.0.1:${port}` });
    const connected = once(silent, 'connection') as Promise<[Socket]>;
    const asked = source.root(never).catch((error: unknown) => error);
    const [socket] = await connected;
    await source.close();
    expect(await asked).toBeInstanceOf(Error);
    if (!socket.closed) await once(socket, 'close');
  });

  test('a malformed environment is wrong usage', async () => {
    const { source } = sourceOf('registry.test:5000', { HTTPS_PROXY: 'socks5://127.0.0.1:1' });
    await expect(source.root(never)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test.each(['localhost', '169.254.169.254', '127.0.0.1', '[::ffff:169.254.169.254]'])(
    'a local address by its letters is refused before any proxy is asked: %s',
    async (name) => {
      const { fake, host } = await start({ tls });
      const server = await startProxy();
      const { source } = sourceOf(host, { HTTPS_PROXY: server.host });
      const location = `https://${name}:1/latest/meta-data`;
      const effect = { kind: 'answer', status: 307, headers: { location } } as const;
      fake.fault({ method: 'GET', path: /manifests/, effect });
      await expect(source.root(never)).rejects.toThrow(/a local address; refused/);
      expect(server.passages.map(({ target }) => target)).toEqual([host]);
    },
  );
});
