import dns from 'node:dns';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Source, Target } from '../../../src/place/place.ts';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { openRegistryTarget } from '../../../src/registry/target.ts';
import { makeCertificate } from '../../support/registry/certificate.ts';
import { sha256 } from '../../support/registry/content.ts';
import { type FakeOptions, FakeRegistry } from '../../support/registry/fake-registry.ts';
import { drain, never, noise, pieces, refer, setup } from '../../support/registry/setup.ts';
import { tokenAuth } from '../../support/registry/tokens.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

beforeEach(() => {
  const real = dns.lookup;
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, settings: unknown, callback: unknown) =>
    real(name.endsWith('localhost') ? '127.0.0.1' : name, settings as never, callback as never)) as never);
});
afterEach(async () => {
  vi.restoreAllMocks();
});

async function start(options: Partial<FakeOptions> = {}): Promise<FakeRegistry> {
  const fake = await startRegistry(options);
  fake.repository('app').addManifest({ schemaVersion: 2, mediaType, manifests: [] }, mediaType, 'v1');
  return fake;
}
const mediaType = 'application/vnd.oci.image.index.v1+json';

const credentials: RegistryOptions['credentials'] = () =>
  Promise.resolve({ kind: 'basic', username: 'bob', password: new Secret('canary') });

function sourceOf(host: string, options: Partial<RegistryOptions> = {}): Source {
  const source = closing(
    openRegistrySource(refer(`${host}/app:v1`), setup({ credentials, ...options }).options),
  );
  return source;
}

function targetOf(host: string, options: Partial<RegistryOptions> = {}): Target {
  const target = closing(
    openRegistryTarget([refer(`${host}/dst:v1`)], setup({ credentials, ...options }).options),
  );
  return target;
}

/** Which origins a fake was called by, and what each was shown. */
function shown(fake: FakeRegistry): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { headers, server } of fake.requests) {
    if (server === 'tokens') continue;
    const name = (headers.host ?? '').replace(/:\d+$/, '');
    found.set(name, (found.get(name) ?? new Set()).add(headers.authorization?.split(' ')[0] ?? 'nothing'));
  }
  return found;
}

const auths = [
  ['Basic', () => ({ kind: 'basic', username: 'bob', password: 'canary' }) as const],
  ['Bearer', () => tokenAuth({ username: 'bob', password: 'canary' })],
] as const;

describe.each(auths)('with %s', (scheme, auth) => {
  const chains: readonly (readonly [string, readonly string[]])[] = [
    ['another name of the same machine', ['127.0.0.1']],
    ['a sub-domain', ['cdn.localhost']],
    ['a name that ends alike', ['evillocalhost']],
    ['another host and back', ['127.0.0.1', 'localhost']],
    ['two others and back', ['127.0.0.1', 'cdn.localhost', 'localhost']],
  ];

  test.each(chains)('N2: no credentials go along to %s', async (_, chain) => {
    const fake = await start({ name: 'localhost', auth: auth() });
    const source = sourceOf(fake.host);
    await source.root(never);
    const blob = fake.repository('app').addBlob(noise(1000));
    const port = fake.host.split(':')[1];
    for (const host of chain)
      fake.fault({
        method: 'GET',
        path: /blobs/,
        effect: {
          kind: 'answer',
          status: 307,
          headers: { location: `http://${host}:${port}/v2/app/blobs/${blob.digest}` },
        },
      });
    fake.requests.length = 0;
    // The last stop is the same registry, which wants a login: not given on the way, in spite of its challenge. A
    // chain that ends at the registry's own name is asked for again from its beginning, by then without redirects.
    const comesBack = chain.at(-1) === 'localhost';
    const result = await drain(source.blob(blob, never)).catch((error: unknown) => error);
    if (comesBack) expect(result).toBeInstanceOf(Buffer);
    else expect(result).toMatchObject({ code: 'UNAUTHORIZED' });
    expect(fake.faults.unused).toEqual([]);
    for (const [name, what] of shown(fake))
      if (name !== 'localhost') expect([name, [...what]]).toEqual([name, ['nothing']]);
    const registry = fake.requests.filter(
      ({ server, headers }) => server === 'registry' && headers.host === fake.host,
    );
    expect(registry.map(({ headers }) => headers.authorization?.split(' ')[0] ?? 'nothing')).toEqual(
      comesBack ? [scheme, 'nothing', scheme] : [scheme],
    );
  });

  test('N2: another port is another origin, and within the registry they do go along', async () => {
    const fake = await start({ name: 'localhost', auth: auth(), storage: true });
    const source = sourceOf(fake.host);
    const bytes = noise(200_000);
    const blob = fake.repository('app').addBlob(bytes);
    fake.fault({
      method: 'GET',
      path: /blobs/,
      skip: 1,
      effect: { kind: 'answer', status: 301, headers: { location: `/v2/app/blobs/${blob.digest}?again` } },
    });
    expect((await drain(source.blob(blob, never))).equals(bytes)).toBe(true);
    expect(fake.sent('GET', /again/)[0]?.headers.authorization).toMatch(new RegExp(`^${scheme} `));
    const stored = fake.sent('GET', /./, 'storage');
    expect(stored.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(stored.map(({ headers }) => headers.cookie)).toEqual([undefined]);
  });

  test('N2: no other header that identifies the user goes along either', async () => {
    const fake = await start({ name: 'localhost', auth: auth(), storage: true });
    const source = sourceOf(fake.host);
    const blob = fake.repository('app').addBlob(noise(200_000));
    await drain(source.blob(blob, never));
    const target = targetOf(fake.host);
    const bytes = noise(300_000);
    const staged = await target.stage(() => pieces(bytes), never);
    await staged.commit(sha256(bytes), bytes.length, never);
    const names = fake
      .sent('GET', /./, 'storage')
      .concat(fake.sent('PUT', /./, 'storage'), fake.sent('PATCH', /./, 'storage'));
    expect(names.length).toBeGreaterThan(1);
    const plain = [
      'host',
      'connection',
      'accept',
      'accept-encoding',
      'user-agent',
      'content-length',
      'content-type',
      'content-range',
      'transfer-encoding',
    ];
    for (const { headers } of names)
      expect(Object.keys(headers).filter((name) => !plain.includes(name))).toEqual([]);
  });

  test('N2: the closing PUT of an upload that is sent elsewhere goes without them', async () => {
    const fake = await start({ name: 'localhost', auth: auth() });
    const thief = await start();
    const bytes = noise(1000);
    fake.fault({
      method: 'PUT',
      path: /uploads/,
      skip: 1,
      times: 3,
      effect: { kind: 'answer', status: 307, headers: { location: `${thief.origin('registry')}/steal` } },
    });
    const target = targetOf(fake.host, { retryTimes: 0 });
    const first = await target.stage(() => pieces(noise(500, 9)), never);
    await first.commit(sha256(noise(500, 9)), 500, never);
    const staged = await target.stage(() => pieces(bytes), never);
    await expect(staged.commit(sha256(bytes), bytes.length, never)).rejects.toMatchObject({
      name: 'OcislimError',
    });
    expect(thief.requests.length).toBeGreaterThan(0);
    expect(thief.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});

describe('where redirects may lead', () => {
  test('N3: not from HTTPS to HTTP, on any host', async () => {
    const certificate = makeCertificate();
    const fake = await start({ tls: certificate });
    const other = await start();
    for (const location of [`http://${other.host}/x`, `http://${fake.host}/x`]) {
      fake.fault({
        method: 'GET',
        path: /manifests/,
        effect: { kind: 'answer', status: 307, headers: { location } },
      });
      await expect(sourceOf(fake.host, { authorities: [certificate.cert] }).root(never)).rejects.toThrow(
        /not encrypted; refused/,
      );
    }
    expect(other.requests).toEqual([]);
  });

  test.each([
    ['ftp://127.0.0.1/x', /which is not HTTP; refused$/],
    ['file:///etc/passwd', /which is not HTTP; refused$/],
    ['data:application/json,{}', /which is not HTTP; refused$/],
    ['javascript:alert(1)', /which is not HTTP; refused$/],
    ['http://user:pass@127.0.0.1/x?token=canary', /a URL with a user name; refused$/],
    ['https://registry.example@127.0.0.1/', /a URL with a user name; refused$/],
    ['http://', /redirects without a usable Location/],
    ['http://[::1', /redirects without a usable Location/],
  ])('N3: not to %s', async (location, sentence) => {
    const fake = await start();
    fake.fault({
      method: 'GET',
      path: /manifests/,
      effect: { kind: 'answer', status: 307, headers: { location } },
    });
    const failed = sourceOf(fake.host).root(never);
    await expect(failed).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringMatching(sentence) as string,
    });
    await expect(failed).rejects.not.toThrow(/canary|user:pass/);
    expect(fake.requests).toHaveLength(1);
  });

  // A name for this machine that is not loopback's stands for a registry elsewhere.
  const elsewhere = (fake: FakeRegistry): string => fake.host.replace('127.0.0.1', '0.0.0.0');

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::]',
    '169.254.169.254',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '100.100.100.200',
    '0.0.0.1',
    '[::ffff:0:0]',
    '[0:0:0:0:0:ffff:7f00:0001]',
    'a.b.localhost.',
  ])('N3: not from a registry elsewhere to %s, for downloads and for uploads', async (host) => {
    const fake = await start();
    const other = await start();
    const location = `http://${host}:${other.host.split(':')[1]}/latest/meta-data`;
    const effect = { kind: 'answer', status: 307, headers: { location } } as const;
    fake.fault({ method: 'GET', path: /manifests/, effect });
    await expect(sourceOf(elsewhere(fake), { insecure: true }).root(never)).rejects.toThrow(
      /a local address; refused$/,
    );
    fake.fault({ method: 'POST', path: /uploads/, effect: { ...effect, status: 202 } });
    const bytes = noise(1000);
    const staged = await targetOf(elsewhere(fake), { insecure: true }).stage(() => pieces(bytes), never);
    await expect(staged.commit(sha256(bytes), bytes.length, never)).rejects.toThrow(
      /a local address; refused$/,
    );
    expect(other.requests).toEqual([]);
  });
});
