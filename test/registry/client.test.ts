import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { RegistryOptions } from '../../src/registry/lease.ts';
import { openRegistrySource } from '../../src/registry/source.ts';
import { openRegistryTarget } from '../../src/registry/target.ts';
import type { Source, Target } from '../../src/place/place.ts';
import { makeCertificate } from '../support/registry/certificate.ts';
import { type FakeOptions, FakeRegistry } from '../support/registry/fake-registry.ts';
import type { Effect } from '../support/registry/faults.ts';
import { drain, never, noise, refer, type Setup, setup } from '../support/registry/setup.ts';
import { closing, notClosing, startRegistry } from '../support/registry/opened.ts';

const config = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };

async function withImage(options: Partial<FakeOptions> = {}): Promise<FakeRegistry> {
  const fake = await startRegistry(options);
  fake.repository('app').addManifest(config, config.mediaType, 'v1');
  return fake;
}

function sourceOf(
  host: string,
  overrides: Partial<RegistryOptions> = {},
): Setup & { readonly source: Source } {
  const made = setup(overrides);
  const source = closing(openRegistrySource(refer(`${host}/app:v1`), made.options));
  return { ...made, source };
}

function targetOf(host: string): Setup & { readonly target: Target } {
  const made = setup();
  const target = closing(openRegistryTarget([refer(`${host}/app:v1`)], made.options));
  return { ...made, target };
}

/** A name for this machine that is not loopback's. */
const elsewhere = (fake: FakeRegistry): string => fake.host.replace('127.0.0.1', '0.0.0.0');

describe('N16: HTTPS first', () => {
  const certificate = makeCertificate();

  test('a certificate of a known CA is accepted', async () => {
    const fake = await withImage({ tls: certificate });
    const { source } = sourceOf(fake.host, { authorities: [certificate.cert] });
    expect((await source.root(never)).bytes.length).toBeGreaterThan(0);
    expect(source.mountable?.registry).toBe(`https://${fake.host}`);
  });

  test('an unknown CA is an error even on loopback, and nothing is sent, not even in plain HTTP', async () => {
    const fake = await withImage({ tls: certificate });
    const { source, clock } = sourceOf(fake.host);
    await expect(source.root(never)).rejects.toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining('cannot be trusted: it is self-signed') as string,
      advice: expect.stringContaining('--tls-verify=false') as string,
    });
    expect(fake.requests).toEqual([]);
    expect(clock.sleeps).toEqual([]);
    expect(source.mountable?.registry).toBe(`https://${fake.host}`);
  });

  test('NODE_TLS_REJECT_UNAUTHORIZED has no effect', async () => {
    const fake = await withImage({ tls: certificate });
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      await expect(sourceOf(fake.host).source.root(never)).rejects.toThrow(/cannot be trusted/);
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
  });

  test.each([
    [
      'another name',
      makeCertificate({ dns: 'registry.example' }),
      /it is for registry\.example, not for 127\.0\.0\.1$/,
    ],
    ['the past', makeCertificate({ from: 2001, to: 2002 }), /it expired on 2002-01-01$/],
    ['the future', makeCertificate({ from: 2110 }), /it is not valid before 2110-01-01/],
  ])('the refusal of a certificate of %s says what is wrong with it', async (_, tls, sentence) => {
    const fake = await withImage({ tls });
    const { source } = sourceOf(fake.host, { authorities: [tls.cert] });
    await expect(source.root(never)).rejects.toThrow(sentence);
    expect(fake.requests).toEqual([]);
  });

  test.each([{ tlsVerify: false }, { insecure: true }])(
    'with %j any certificate is accepted, with a warning beyond loopback',
    async (overrides) => {
      const fake = await withImage({ tls: certificate });
      const { source, events } = sourceOf(elsewhere(fake), overrides);
      await source.root(never);
      expect(source.mountable?.registry).toMatch(/^https:/);
      expect(events.filter(({ type }) => type === 'warning')).toEqual([
        {
          type: 'warning',
          code: 'INSECURE',
          message: `the certificate of ${elsewhere(fake)} is not verified`,
        },
      ]);
    },
  );

  test('a registry on loopback that does not speak TLS is asked in plain HTTP', async () => {
    const fake = await withImage();
    const { source, events } = sourceOf(fake.host);
    await Promise.all([
      source.root(never),
      source.referrers((await source.root(never)).descriptor.digest, never),
    ]);
    expect(source.mountable?.registry).toBe(`http://${fake.host}`);
    expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
  });

  test('no CA is read for a registry on loopback that does not speak TLS', async () => {
    const fake = await withImage();
    let read = 0;
    const { source } = sourceOf(fake.host, {
      certificates: {
        areGiven: false,
        known: async () => {
          read += 1;
          return [];
        },
        of: async () => ({ authorities: [], clients: [] }),
      },
    });
    await source.root(never);
    expect(read).toBe(0);
  });

  test('elsewhere plain HTTP is refused, unless it is allowed', async () => {
    const fake = await withImage();
    const strict = sourceOf(elsewhere(fake));
    await expect(strict.source.root(never)).rejects.toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining('does not speak TLS') as string,
      advice: expect.stringContaining('--insecure') as string,
    });
    expect(fake.requests).toEqual([]);
    const allowed = sourceOf(elsewhere(fake), { insecure: true });
    await allowed.source.root(never);
    expect(allowed.events).toContainEqual({
      type: 'warning',
      code: 'INSECURE',
      message: expect.stringContaining('plain HTTP') as string,
    });
  });

  test('a registry that has spoken TLS is never asked in plain HTTP', async () => {
    const fake = await withImage({ tls: certificate });
    const { source } = sourceOf(fake.host, { authorities: [certificate.cert], retryTimes: 0 });
    const { digest } = (await source.root(never)).descriptor;
    const port = Number(new URL(`http://${fake.host}`).port);
    await fake.close();
    notClosing(fake);
    const plain = createServer((_request, response) => response.end());
    plain.listen(port, '127.0.0.1');
    closing({ close: () => void plain.close() });
    let asked = 0;
    plain.on('request', () => {
      asked += 1;
    });
    await once(plain, 'listening');
    await expect(source.referrers(digest, never)).rejects.toMatchObject({ code: 'NETWORK' });
    expect(asked).toBe(0);
  });
});

describe('failures that may pass', () => {
  const answer = (status: number, headers: Record<string, string> = {}): Effect => ({
    kind: 'answer',
    status,
    headers,
  });

  test.each([408, 429, 499, 500, 502, 503, 504, 522])(
    'a request that is answered by %i is retried',
    async (status) => {
      const fake = await withImage();
      fake.fault({ method: 'GET', path: /manifests/, times: 3, effect: answer(status) });
      const { source, clock } = sourceOf(fake.host);
      await source.root(never);
      expect(clock.sleeps).toEqual([500, 1000, 2000]);
      expect(fake.faults.unused).toEqual([]);
    },
  );

  test('a request whose connection breaks is retried', async () => {
    const fake = await withImage();
    fake.fault({ method: 'GET', path: /manifests/, times: 2, effect: { kind: 'reset' } });
    fake.fault({ method: 'GET', path: /manifests/, effect: { kind: 'cut', bytes: 10, ending: 'reset' } });
    const { source } = sourceOf(fake.host);
    await source.root(never);
    expect(fake.sent('GET', /manifests/)).toHaveLength(4);
  });

  test('Retry-After is obeyed in both forms', async () => {
    const fake = await withImage();
    const { source, clock } = sourceOf(fake.host);
    fake.fault({ method: 'GET', path: /manifests/, effect: answer(429, { 'retry-after': '17' }) });
    fake.fault({
      method: 'GET',
      path: /manifests/,
      effect: answer(503, { 'retry-after': new Date(clock.now() + 40_000).toUTCString() }),
    });
    await source.root(never);
    expect(clock.sleeps).toEqual([17_000, 23_000]);
  });

  test('after the last retry the error says what the registry said', async () => {
    const fake = await withImage();
    const body = JSON.stringify({
      errors: [{ code: 'TOOMANYREQUESTS', message: 'you have reached your limit\u001b[31m\n::set-output' }],
    });
    fake.fault({
      method: 'GET',
      path: /manifests/,
      times: 99,
      effect: { kind: 'answer', status: 429, body },
    });
    const { source, clock } = sourceOf(fake.host);
    await expect(source.root(never)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: `source ${fake.host}/app: manifest v1: ${fake.host} answered 429 TOOMANYREQUESTS: you have reached your limit\\u{1b}[31m\\u{a}::set-output; tried 5 times`,
      advice: expect.stringContaining('log in') as string,
    });
    expect(clock.sleeps).toHaveLength(4);
  });

  test.each([
    [400, 'REGISTRY'],
    [403, 'DENIED'],
    [404, 'NOT_FOUND'],
    [405, 'REGISTRY'],
    [410, 'REGISTRY'],
  ])('status %i is not retried, and is the error %s', async (status, code) => {
    const fake = await withImage();
    fake.fault({ method: 'GET', path: /manifests/, effect: answer(status) });
    const { source, clock } = sourceOf(fake.host);
    await expect(source.root(never)).rejects.toMatchObject({ code });
    expect(clock.sleeps).toEqual([]);
  });

  test('a server that was never reached is not retried; one that was is', async () => {
    const fake = await withImage();
    const absent = sourceOf('127.0.0.1:1');
    await expect(absent.source.root(never)).rejects.toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining('cannot reach') as string,
    });
    expect(absent.clock.sleeps).toEqual([]);
    const gone = sourceOf(fake.host);
    const root = await gone.source.root(never);
    await fake.close();
    notClosing(fake);
    await expect(gone.source.referrers(root.descriptor.digest, never)).rejects.toMatchObject({
      code: 'NETWORK',
    });
    expect(gone.clock.sleeps).toHaveLength(4);
  });

  test('a request that is not answered fails after the timeout', async () => {
    const silent = createTcpServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const { source } = sourceOf(`127.0.0.1:${port}`, { timeoutMs: 100, retryTimes: 0 });
    await expect(source.root(never)).rejects.toMatchObject({ code: 'NETWORK' });
    silent.close();
  });

  test('error bodies are read up to 64 KiB, and web pages not at all', async () => {
    const fake = await withImage();
    fake.fault({
      method: 'GET',
      path: /manifests/,
      effect: { kind: 'answer', status: 400, body: 'x'.repeat(10_000_000) },
    });
    fake.fault({
      method: 'GET',
      path: /manifests/,
      effect: {
        kind: 'answer',
        status: 400,
        body: '<h1>Bad gateway</h1>',
        headers: { 'content-type': 'text/html' },
      },
    });
    const { source } = sourceOf(fake.host);
    await expect(source.root(never)).rejects.toThrow(new RegExp(`answered 400: x{200}…$`));
    await expect(source.root(never)).rejects.toThrow(/answered 400$/);
  });
});

describe('redirects', () => {
  const to = (location: string, status = 307): Effect => ({ kind: 'answer', status, headers: { location } });

  test.each([301, 302, 303, 307, 308])('a redirect by %i is followed', async (status) => {
    const fake = await withImage();
    fake.fault({ method: 'GET', path: /manifests\/v1$/, effect: to('/v2/app/manifests/v1?again', status) });
    const { source } = sourceOf(fake.host);
    await source.root(never);
    expect(fake.requests.map(({ path }) => path)).toEqual([
      '/v2/app/manifests/v1',
      '/v2/app/manifests/v1?again',
    ]);
  });

  test('at most five redirects are followed', async () => {
    const fake = await withImage();
    fake.fault({ method: 'GET', path: /manifests/, times: 99, effect: to('/v2/app/manifests/v1?secret=1') });
    const { source } = sourceOf(fake.host);
    await expect(source.root(never)).rejects.toThrow(
      /more than 5 redirects, the last one to http:\/\/127\.0\.0\.1:\d+\/v2\/app\/manifests\/v1\?…, and the limit redirects is 5$/,
    );
    expect(fake.requests).toHaveLength(6);
  });

  test('redirects of a write are followed only if they keep method and body', async () => {
    const fake = await startRegistry();
    const bytes = Buffer.from('{}');
    const descriptor = fake.repository('elsewhere').addBlob(bytes);
    fake.fault({
      method: 'PUT',
      path: /uploads/,
      effect: { kind: 'answer', status: 301, headers: { location: '/v2/' } },
    });
    const { target } = targetOf(fake.host);
    await expect(target.put(bytes, descriptor, never)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining('301') as string,
    });
    expect(fake.sent('GET', /^\/v2\/$/)).toEqual([]);
  });
});

describe('cancellation', () => {
  test('an aborted signal ends a request, a wait and a download at once', async () => {
    const fake = await withImage();
    const blob = fake.repository('app').addBlob(noise(200_000));
    const { source } = sourceOf(fake.host);
    await source.root(never);

    const waiting = new AbortController();
    /** A wait without end, which is aborted as soon as it has begun. */
    const pending = (_: number, signal: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        waiting.abort(new Error('waited enough'));
      });
    const slow = closing(
      openRegistrySource(
        refer(`${fake.host}/app:v1`),
        setup({ clock: { now: () => 0, random: () => 0.5, sleep: pending } }).options,
      ),
    );
    fake.fault({ method: 'GET', path: /manifests/, effect: { kind: 'answer', status: 503 } });
    await expect(slow.root(waiting.signal)).rejects.toThrow('waited enough');

    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'cut', bytes: 1000, ending: 'stall' } });
    const reading = new AbortController();
    const download = (async () => {
      for await (const chunk of source.blob(blob, reading.signal)) {
        if (chunk.length > 0) reading.abort(new Error('read enough'));
      }
    })();
    await expect(download).rejects.toThrow('read enough');

    const gone = AbortSignal.abort(new Error('never began'));
    const before = fake.requests.length;
    await expect(source.manifest((await source.root(never)).descriptor, never)).resolves.toBeDefined();
    await expect(drain(source.blob(blob, gone))).rejects.toThrow('never began');
    expect(fake.requests).toHaveLength(before);
  });
});

test("N14: the registry's warnings are passed on once, made harmless", async () => {
  const fake = await withImage();
  const headers = { warning: '299 - "this image is \u00e9vil \\"quoted\\" and ends soon"' };
  fake.fault({ method: 'GET', path: /manifests/, times: 2, effect: { kind: 'change', headers } });
  fake.fault({
    method: 'HEAD',
    path: /manifests/,
    effect: { kind: 'change', headers: { 'ratelimit-remaining': '99;w=21600' } },
  });
  const { source, events } = sourceOf(fake.host);
  const { descriptor } = await source.root(never);
  await source.referrers(descriptor.digest, never);
  expect(events.filter(({ type }) => type === 'warning')).toEqual([
    {
      type: 'warning',
      code: 'REGISTRY_WARNING',
      message: expect.stringContaining('"quoted" and ends soon') as string,
    },
  ]);
  expect(events).toContainEqual({ type: 'detail', message: `${fake.host}: pulls that remain: 99;w=21600` });
});
