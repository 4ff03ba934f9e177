import { describe, expect, test } from 'vitest';
import type { Source } from '../../src/place/place.ts';
import type { CredentialLookup } from '../../src/registry/auth/credential.ts';
import { RegistryClients } from '../../src/registry/clients.ts';
import { openMirroredSource } from '../../src/registry/mirrored-source.ts';
import { mirrored, parseMirrors } from '../../src/registry/mirrors.ts';
import { openRegistryTarget } from '../../src/registry/target.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import type { Effect } from '../support/registry/faults.ts';
import { drain, never, noise, refer, type Setup, setup } from '../support/registry/setup.ts';
import { Secret } from '../../src/registry/auth/secret.ts';
import { closing, startRegistry } from '../support/registry/opened.ts';

const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] };

/** Puts an image there; what `seed` says makes it another one. */
function addImage(fake: FakeRegistry, name = 'app', seed = '') {
  return fake.repository(name).addManifest({ ...index, annotations: { seed } }, index.mediaType, 'v1');
}

function sourceOf(
  origin: string,
  mirrors: readonly string[],
  credentials: { readonly origin?: CredentialLookup; readonly mirror?: CredentialLookup } = {},
): Setup & { readonly source: Source } {
  const clients = new RegistryClients();
  const made = setup({
    clients,
    ...(credentials.origin === undefined ? {} : { credentials: credentials.origin }),
  });
  const options = {
    ...made.options,
    ...(credentials.mirror === undefined ? {} : { credentials: credentials.mirror }),
  };
  const source = closing(
    openMirroredSource(refer(`${origin}/app:v1`), made.options, {
      mirrors: parseMirrors(mirrors.map((mirror) => `${origin}=${mirror}`)),
      options,
    }),
  );
  return { ...made, source };
}

const details = ({ events }: Setup): readonly string[] =>
  events.flatMap((event) =>
    event.type === 'detail' && event.message.includes('not from the mirror') ? [event.message] : [],
  );

const password =
  (word: string): CredentialLookup =>
  () =>
    Promise.resolve({ kind: 'basic', username: 'user', password: new Secret(word) });

describe('the option --mirror', () => {
  test.each([
    ['docker.io=mirror.example', 'docker.io', { host: 'mirror.example', prefix: '' }],
    ['docker.io=localhost:5000/hub/', 'docker.io', { host: 'localhost:5000', prefix: 'hub' }],
    ['docker.io=https://mirror.example/a/b', 'docker.io', { host: 'mirror.example', prefix: 'a/b' }],
    ['index.docker.io=mirror.example', 'docker.io', { host: 'mirror.example', prefix: '' }],
    ['a.example:5000=[::1]:5000', 'a.example:5000', { host: '[::1]:5000', prefix: '' }],
    ['a.example=a.example/cache', 'a.example', { host: 'a.example', prefix: 'cache' }],
  ])('%s is parsed', (text, host, mirror) => {
    expect([...parseMirrors([text])]).toEqual([[host, [mirror]]]);
  });

  test.each([
    'docker.io',
    '=mirror.example',
    'docker.io=',
    'docker=mirror.example',
    'docker.io=mirror',
    'docker.io=http://mirror.example',
    'docker.io=mirror.example/UPPER',
    'docker.io=mirror.example/a:b',
    'docker.io=mirror.example/../x',
    'docker.io/library=mirror.example',
    'docker.io=user:pass@mirror.example',
    'a.example=a.example',
  ])('%j is wrong usage', (text) => {
    expect(() => parseMirrors([text])).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
  });

  test('several mirrors of a host keep their order, and names their prefix', () => {
    const mirrors = parseMirrors([
      'docker.io=one.example',
      'quay.io=two.example',
      'docker.io=three.example/x',
    ]);
    expect(mirrors.get('docker.io')?.map(({ host }) => host)).toEqual(['one.example', 'three.example']);
    const reference = mirrored(refer('nginx:1'), { host: 'three.example', prefix: 'x' });
    expect(reference).toEqual(refer('three.example/x/library/nginx:1'));
  });
});

describe('a source with a mirror', () => {
  test('reads everything from a mirror that has it, and sends the registry no request', async () => {
    const [origin, mirror] = [await startRegistry(), await startRegistry()];
    addImage(mirror, 'cache/app');
    const blob = mirror.repository('cache/app').addBlob(noise(300_000));
    const made = sourceOf(origin.host, [`${mirror.host}/cache`]);
    const root = await made.source.root(never);
    expect((await made.source.manifest(root.descriptor, never)).bytes).toEqual(root.bytes);
    expect(await drain(made.source.blob(blob, never))).toEqual(noise(300_000));
    expect(origin.requests).toEqual([]);
    expect(mirror.requests.length).toBeGreaterThan(1);
    expect(details(made)).toEqual([]);
    expect(made.source.label).toBe(`${origin.host}/app:v1`);
  });

  test('takes tags from the mirror, and verifies what has a digest', async () => {
    const [origin, mirror] = [await startRegistry(), await startRegistry()];
    addImage(origin, 'app', 'new');
    const old = addImage(mirror, 'app', 'old');
    expect((await sourceOf(origin.host, [mirror.host]).source.root(never)).descriptor.digest).toBe(
      old.digest,
    );
  });

  test('reads from the registry only what the mirror does not have', async () => {
    const [origin, mirror] = [await startRegistry(), await startRegistry()];
    addImage(origin);
    const [one, two] = [noise(1000, 1), noise(1000, 2)];
    const first = origin.repository('app').addBlob(one);
    const second = mirror.repository('app').addBlob(two);
    const made = sourceOf(origin.host, [mirror.host]);
    await made.source.root(never);
    expect(await drain(made.source.blob(first, never))).toEqual(one);
    expect(await drain(made.source.blob(second, never))).toEqual(two);
    expect(details(made)).toEqual([
      expect.stringContaining(`source ${origin.host}/app:v1: not from the mirror ${mirror.host}/app:v1`),
      expect.stringContaining(`blob ${first.digest}`),
    ]);
    expect(origin.sent('GET', new RegExp(second.digest))).toEqual([]);
  });

  test('asks several mirrors in their order', async () => {
    const [origin, one, two] = [await startRegistry(), await startRegistry(), await startRegistry()];
    addImage(two);
    await sourceOf(origin.host, [one.host, two.host]).source.root(never);
    expect(one.sent('GET', /manifests/)).toHaveLength(1);
    expect(origin.requests).toEqual([]);
  });

  test.each([401, 403, 500, 503])('does not ask a mirror again that answers %i', async (status) => {
    const [origin, mirror] = [await startRegistry(), await startRegistry()];
    const { digest } = addImage(origin);
    const blob = origin.repository('app').addBlob(noise(1000));
    mirror.fault({ method: 'GET', path: /./, times: 99, effect: { kind: 'answer', status } });
    const made = sourceOf(origin.host, [mirror.host]);
    expect((await made.source.root(never)).descriptor.digest).toBe(digest);
    const asked = mirror.requests.length;
    expect(asked).toBeGreaterThan(0);
    expect(await drain(made.source.blob(blob, never))).toEqual(noise(1000));
    expect(mirror.requests).toHaveLength(asked);
    // The registry stands behind it: one more try is all.
    expect(made.clock.sleeps.length).toBeLessThan(2);
  });

  test('does not ask a mirror again that cannot be reached', async () => {
    const origin = await startRegistry();
    const { digest } = addImage(origin);
    const made = sourceOf(origin.host, ['127.0.0.1:1']);
    expect((await made.source.root(never)).descriptor.digest).toBe(digest);
    expect(details(made)).toEqual([expect.stringContaining('cannot reach 127.0.0.1:1')]);
  });

  test('refuses a manifest of the mirror that does not have its digest', async () => {
    const [origin, mirror] = [await startRegistry(), await startRegistry()];
    const { digest } = addImage(origin);
    addImage(mirror);
    const lie = { kind: 'change', body: () => Buffer.from('{}') } as const;
    mirror.fault({ method: 'GET', path: /manifests/, times: 9, effect: lie });
    const made = setup();
    const source = closing(
      openMirroredSource(refer(`${origin.host}/app@${digest}`), made.options, {
        mirrors: parseMirrors([`${origin.host}=${mirror.host}`]),
        options: made.options,
      }),
    );
    expect((await source.root(never)).descriptor.digest).toBe(digest);
  });

  test("fails with the registry's error", async () => {
    const [origin, mirror] = [await startRegistry(), await startRegistry()];
    await expect(sourceOf(origin.host, [mirror.host]).source.root(never)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(`source ${origin.host}/app: `) as string,
    });
  });

  test('asks no further mirror after an abort', async () => {
    const [origin, mirror] = [await startRegistry(), await startRegistry()];
    addImage(origin);
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    const made = sourceOf(origin.host, [mirror.host]);
    await expect(made.source.root(stop.signal)).rejects.toThrow('enough');
    expect([...origin.requests, ...mirror.requests]).toEqual([]);
    expect(details(made)).toEqual([]);
  });
});

describe('a blob that the mirror sends in part', () => {
  const bytes = noise(3_000_000);

  test('goes on at the registry, where it broke off', async () => {
    const [origin, mirror] = [await startRegistry(), await startRegistry()];
    const blob = origin.repository('app').addBlob(bytes);
    mirror.repository('app').addBlob(bytes);
    mirror.fault({
      method: 'GET',
      path: /blobs/,
      times: 1,
      effect: { kind: 'cut', bytes: 1_500_000, ending: 'reset' },
    });
    mirror.fault({ method: 'GET', path: /blobs/, times: 99, effect: { kind: 'answer', status: 503 } });
    const made = sourceOf(origin.host, [mirror.host]);
    expect(await drain(made.source.blob(blob, never))).toEqual(bytes);
    const ranges = origin.sent('GET', /blobs/).map(({ headers }) => headers.range);
    expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
    expect(details(made)).toEqual([expect.stringMatching(/from byte \d+ on/)]);
  });

  test('goes on at a registry without ranges', async () => {
    const [origin, mirror] = [await startRegistry({ ranges: false }), await startRegistry()];
    const blob = origin.repository('app').addBlob(bytes);
    mirror.repository('app').addBlob(bytes);
    mirror.fault({
      method: 'GET',
      path: /blobs/,
      effect: { kind: 'cut', bytes: 1_500_000, ending: 'reset' },
    });
    mirror.fault({ method: 'GET', path: /blobs/, times: 99, effect: { kind: 'answer', status: 404 } });
    expect(await drain(sourceOf(origin.host, [mirror.host]).source.blob(blob, never))).toEqual(bytes);
  });

  test.each(['whole', 'in part'])(
    'is refused at its end if the mirror sent wrong bytes: %s',
    async (much) => {
      const [origin, mirror] = [await startRegistry(), await startRegistry()];
      const blob = origin.repository('app').addBlob(bytes);
      const wrong = Buffer.from(bytes);
      wrong[5] = (wrong[5] ?? 0) ^ 1;
      mirror.repository('app').blobs.set(blob.digest, wrong);
      if (much === 'in part') {
        const cut = { kind: 'cut', bytes: 1_500_000, ending: 'reset' } as const;
        mirror.fault({ method: 'GET', path: /blobs/, effect: cut });
        mirror.fault({ method: 'GET', path: /blobs/, times: 99, effect: { kind: 'answer', status: 404 } });
      }
      const made = sourceOf(origin.host, [mirror.host]);
      await expect(drain(made.source.blob(blob, never))).rejects.toMatchObject({
        code: 'DIGEST_MISMATCH',
        message: expect.stringContaining('mirror') as string,
      });
      expect(origin.sent('GET', /blobs/)).toHaveLength(much === 'whole' ? 0 : 1);
    },
  );

  test('is not read from a mirror that has it with another length', async () => {
    const [origin, mirror] = [await startRegistry(), await startRegistry()];
    const blob = origin.repository('app').addBlob(bytes);
    mirror.repository('app').addBlob(bytes);
    const lie = { kind: 'change', body: () => bytes.subarray(7) } as const;
    mirror.fault({ method: 'GET', path: /blobs/, effect: lie });
    expect(await drain(sourceOf(origin.host, [mirror.host]).source.blob(blob, never))).toEqual(bytes);
  });
});

describe('what a mirror does not change', () => {
  test('credentials of the registry do not reach the mirror, nor those of the mirror the registry', async () => {
    const basic = (word: string) => ({ kind: 'basic', username: 'user', password: word }) as const;
    const origin = await startRegistry({ auth: basic('for-the-origin') });
    const mirror = await startRegistry({ auth: basic('for-the-mirror') });
    addImage(origin);
    const blob = mirror.repository('app').addBlob(noise(1000));
    const { source } = sourceOf(origin.host, [mirror.host], {
      origin: password('for-the-origin'),
      mirror: password('for-the-mirror'),
    });
    await source.root(never);
    await drain(source.blob(blob, never));
    const header = (word: string) => `Basic ${Buffer.from(`user:${word}`).toString('base64')}`;
    const sent = (fake: FakeRegistry) =>
      new Set(fake.requests.flatMap(({ headers }) => headers.authorization ?? []));
    expect(sent(mirror)).toEqual(new Set([header('for-the-mirror')]));
    expect(sent(origin)).toEqual(new Set([header('for-the-origin')]));
  });

  test('mounts are asked of the registry, and nothing is pushed to the mirror', async () => {
    const [origin, mirror] = [await startRegistry(), await startRegistry()];
    const known = origin.repository('app').addBlob(noise(1000, 1));
    mirror.repository('app').addBlob(noise(1000, 1));
    const only = mirror.repository('app').addBlob(noise(1000, 2));
    addImage(mirror);
    const { source, options } = sourceOf(origin.host, [mirror.host]);
    const target = closing(openRegistryTarget([refer(`${origin.host}/out:v1`)], options));
    await source.root(never);
    expect(await target.adopt(known, source, never)).toBe('mounted');
    expect(await target.adopt(only, source, never)).toBe('copied');
    expect(mirror.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
  });

  test('referrers that the mirror does not know come from the registry', async () => {
    const [origin, mirror] = [
      await startRegistry({ referrers: true }),
      await startRegistry({ referrers: true }),
    ];
    const root = addImage(origin);
    addImage(mirror);
    const signature = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/x.signature',
      config: origin.repository('app').addBlob(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json').json,
      layers: [],
      subject: root.json,
    };
    const descriptor = origin.repository('app').addManifest(signature, signature.mediaType, null);
    const { source } = sourceOf(origin.host, [mirror.host]);
    const found = await source.referrers(root.digest, never);
    expect(found.map(({ digest }) => digest)).toEqual([descriptor.digest]);
  });

  test.each<readonly [string, Effect]>([
    ['fails', { kind: 'answer', status: 503 }],
    ['breaks the connection', { kind: 'reset' }],
  ])('a registry that %s is asked for referrers once, and an error says so', async (_, effect) => {
    const [origin, mirror] = [await startRegistry(), await startRegistry({ referrers: true })];
    const root = addImage(mirror);
    origin.fault({ method: 'GET', path: /./, times: 999, effect });
    origin.fault({ method: 'HEAD', path: /./, times: 999, effect });
    const { source } = sourceOf(origin.host, [mirror.host]);
    expect((await source.root(never)).descriptor.digest).toBe(root.digest);
    await expect(source.referrers(root.digest, never)).rejects.toThrow(origin.host);
    const asked = origin.requests.length;
    expect(origin.requests.filter(({ path }) => path.includes('/referrers/')).length).toBe(1);
    await expect(source.referrers(root.digest, never)).rejects.toThrow(origin.host);
    expect(origin.requests.length).toBe(asked);
  });

  test('where no mirror answers, the registry is asked for referrers as often as for the rest', async () => {
    const [origin, mirror] = [await startRegistry({ referrers: true }), await startRegistry()];
    const root = addImage(origin);
    mirror.fault({ method: 'GET', path: /./, times: 999, effect: { kind: 'answer', status: 403 } });
    origin.fault({ method: 'GET', path: /referrers/, effect: { kind: 'answer', status: 503 } });
    const { source } = sourceOf(origin.host, [mirror.host]);
    await source.root(never);
    expect(await source.referrers(root.digest, never)).toEqual([]);
    expect(origin.requests.filter(({ path }) => path.includes('/referrers/')).length).toBe(2);
  });

  test('a host without a mirror has a plain source', async () => {
    const origin = await startRegistry();
    addImage(origin);
    const made = setup();
    const source = closing(
      openMirroredSource(refer(`${origin.host}/app:v1`), made.options, {
        mirrors: parseMirrors(['other.example=127.0.0.1:1']),
        options: made.options,
      }),
    );
    await source.root(never);
    expect(details(made)).toEqual([]);
  });
});
