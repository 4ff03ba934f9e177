import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { makeDescriptor } from '../../src/oci/descriptor.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-type.ts';
import type { Source } from '../../src/place/place.ts';
import { RegistryClients } from '../../src/registry/clients.ts';
import type { RegistryOptions } from '../../src/registry/lease.ts';
import { openRegistrySource } from '../../src/registry/source.ts';
import { sha256 } from '../support/registry/content.ts';
import { type FakeOptions, FakeRegistry } from '../support/registry/fake-registry.ts';
import type { Effect } from '../support/registry/faults.ts';
import { drain, never, noise, refer, type Setup, setup } from '../support/registry/setup.ts';
import { MiB } from '../../src/units.ts';
import { Secret } from '../../src/registry/auth/secret.ts';
import { closing, notClosing, startRegistry } from '../support/registry/opened.ts';

function sourceOf(
  fake: FakeRegistry,
  name = 'app:v1',
  overrides: Partial<RegistryOptions> = {},
): Setup & { readonly source: Source } {
  const made = setup(overrides);
  const source = closing(openRegistrySource(refer(`${fake.host}/${name}`), made.options));
  return { ...made, source };
}

function image(fake: FakeRegistry, tag: string | null = 'v1', mediaType: string = mediaTypes.ociManifest) {
  const content = fake.repository('app');
  const config = content.addBlob(Buffer.from('{}'), mediaTypes.ociConfig);
  const layer = content.addBlob(noise(1000));
  return content.addManifest(
    { schemaVersion: 2, mediaType, config: config.json, layers: [layer.json] },
    mediaType,
    tag,
  );
}

const change = (
  body: (bytes: Buffer) => Uint8Array,
  headers: Record<string, string | null> = {},
): Effect => ({ kind: 'change', body, headers });

describe('manifests', () => {
  test('are read by tag, by digest, and as latest without either', async () => {
    const fake = await startRegistry();
    const descriptor = image(fake, 'latest');
    for (const name of ['app', 'app:latest', `app@${descriptor.digest}`, `app:other@${descriptor.digest}`]) {
      const { source } = sourceOf(fake, name);
      const root = await source.root(never);
      expect(root.descriptor).toEqual(descriptor);
      expect(sha256(root.bytes)).toBe(descriptor.digest);
    }
    expect(fake.requests.map(({ path }) => path)).toEqual([
      '/v2/app/manifests/latest',
      '/v2/app/manifests/latest',
      `/v2/app/manifests/${descriptor.digest}`,
      `/v2/app/manifests/${descriptor.digest}`,
    ]);
  });

  test('are fetched by their digest once in a run, for all sources of the repository', async () => {
    const fake = await startRegistry();
    const [one, other] = [image(fake, null), image(fake, 'v1', mediaTypes.dockerManifest)];
    const clients = closing(new RegistryClients());
    const made = setup({ clients });
    const open = (): Source => closing(openRegistrySource(refer(`${fake.host}/app:v1`), made.options));
    const [first, second] = [open(), open()];
    const path = /manifests\/sha256/;
    fake.fault({ method: 'GET', path, effect: { kind: 'answer', status: 403 } });
    await expect(first.manifest(one, never)).rejects.toMatchObject({ code: 'DENIED' });
    const found = await Promise.all([first, first, second].map((source) => source.manifest(one, never)));
    expect(found.map(({ descriptor }) => descriptor)).toEqual([one, one, one]);
    await second.manifest(other, never);
    await first.manifest(other, never);
    expect(fake.sent('GET', path)).toHaveLength(1 + 2);
  });

  test('are fetched by each caller where the one that all wait for is interrupted', async () => {
    const fake = await startRegistry();
    const one = image(fake, null);
    const { source } = sourceOf(fake);
    const stop = new AbortController();
    const [interrupted, waiting] = [source.manifest(one, stop.signal), source.manifest(one, never)];
    stop.abort(new Error('enough'));
    await expect(interrupted).rejects.toThrow('enough');
    expect((await waiting).descriptor).toEqual(one);
  });

  test('are asked for in all types of manifests, those of artifacts too, without an encoding', async () => {
    const fake = await startRegistry();
    image(fake);
    await sourceOf(fake).source.root(never);
    const { accept, 'accept-encoding': encoding } = fake.requests[0]?.headers ?? {};
    expect(accept?.split(', ').sort()).toEqual(
      [
        mediaTypes.dockerList,
        mediaTypes.dockerManifest,
        mediaTypes.ociArtifact,
        mediaTypes.ociIndex,
        mediaTypes.ociManifest,
        mediaTypes.orasArtifact,
      ].sort(),
    );
    expect(encoding).toBe('identity');
  });

  test('are fetched once if they are the root, and checked against their descriptors if not', async () => {
    const fake = await startRegistry();
    const descriptor = image(fake);
    const { source } = sourceOf(fake);
    await source.root(never);
    await source.root(never);
    await source.manifest(descriptor, never);
    expect(fake.requests).toHaveLength(1);
    const child = image(fake, null, mediaTypes.dockerManifest);
    expect((await source.manifest(child, never)).descriptor).toBe(child);
    const size = makeDescriptor(child.mediaType, child.digest, child.size + 1);
    await expect(source.manifest(size, never)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
    const type = makeDescriptor(mediaTypes.ociManifest, child.digest, child.size);
    await expect(source.manifest(type, never)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    const missing = makeDescriptor(mediaTypes.ociManifest, sha256(Buffer.from('no')), 2);
    await expect(source.manifest(missing, never)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('MANIFEST_UNKNOWN: manifest unknown') as string,
    });
  });

  test('with other bytes than their digest says are refused', async () => {
    const fake = await startRegistry();
    const { digest } = image(fake);
    const flip = (bytes: Buffer): Buffer => Buffer.from(bytes.toString().replace('2', '3'));
    // The registry's own header gives it away; without one, the digest that was asked for does.
    fake.fault({ method: 'GET', path: /manifests/, effect: change(flip) });
    await expect(sourceOf(fake).source.root(never)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    fake.fault({ method: 'GET', path: /manifests/, effect: change(flip, { 'docker-content-digest': null }) });
    await expect(sourceOf(fake, `app@${digest}`).source.root(never)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    // A header that agrees with the bytes does not help bytes that were not asked for.
    fake.fault({
      method: 'GET',
      path: /manifests/,
      effect: change(flip, {
        'docker-content-digest': sha256(
          flip(Buffer.from(fake.repository('app').find('v1')?.manifest.bytes ?? '')),
        ),
      }),
    });
    await expect(sourceOf(fake, `app@${digest}`).source.root(never)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    // A header that lies about good bytes.
    fake.fault({
      method: 'GET',
      path: /manifests/,
      times: 2,
      effect: change((bytes) => bytes, { 'docker-content-digest': sha256(Buffer.from('x')) }),
    });
    await expect(sourceOf(fake).source.root(never)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    await expect(sourceOf(fake, `app@${digest}`).source.root(never)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    expect(fake.faults.unused).toEqual([]);
  });

  test('are accepted from a registry without the digest header', async () => {
    const fake = await startRegistry({ digestHeader: false });
    const { digest } = image(fake);
    expect((await sourceOf(fake).source.root(never)).descriptor.digest).toBe(digest);
  });

  test('with sha512 digests are verified', async () => {
    const fake = await startRegistry();
    image(fake);
    const bytes = fake.repository('app').find('v1')?.manifest.bytes ?? Buffer.alloc(0);
    const { createHash } = await import('node:crypto');
    const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest;
    fake.repository('app').manifests.set(digest, { mediaType: mediaTypes.ociManifest, bytes });
    expect((await sourceOf(fake, `app@${digest}`).source.root(never)).descriptor.digest).toBe(digest);
    const wrong = `sha512:${'0'.repeat(128)}` as Digest;
    fake.repository('app').manifests.set(wrong, { mediaType: mediaTypes.ociManifest, bytes });
    await expect(sourceOf(fake, `app@${wrong}`).source.root(never)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });

  test('of more than 4 MiB are refused, whatever their header says', async () => {
    const fake = await startRegistry();
    image(fake);
    const long = (): Buffer => Buffer.alloc(4 * MiB + 1, 0x20);
    fake.fault({ method: 'GET', path: /manifests/, effect: change(long, { 'docker-content-digest': null }) });
    await expect(sourceOf(fake).source.root(never)).rejects.toMatchObject({ code: 'LIMIT' });
  });

  test.each<readonly [string, string | null]>([
    ['application/vnd.oci.image.manifest.v1+json; charset=utf-8', mediaTypes.ociManifest],
    ['Application/Vnd.OCI.Image.Manifest.V1+JSON', mediaTypes.ociManifest],
    ['application/json', mediaTypes.ociManifest],
    ['text/plain', mediaTypes.ociManifest],
    // What contradicts itself reaches the parser as it is, which refuses it.
    [mediaTypes.ociIndex, mediaTypes.ociIndex],
    [mediaTypes.dockerSchema1Signed, mediaTypes.dockerSchema1Signed],
  ])('get their type from a Content-Type %s or from their bytes', async (type, wanted) => {
    const fake = await startRegistry();
    image(fake);
    fake.fault({
      method: 'GET',
      path: /manifests/,
      effect: change((bytes) => bytes, { 'content-type': type }),
    });
    const { descriptor, bytes } = await sourceOf(fake).source.root(never);
    expect(descriptor.mediaType).toBe(wanted);
    if (wanted !== mediaTypes.ociManifest)
      expect(() => parseManifest(bytes, descriptor.mediaType, 'it')).toThrow();
  });

  test('are neither web pages nor encoded by a proxy: both are errors that say so', async () => {
    const fake = await startRegistry();
    image(fake);
    fake.fault({
      method: 'GET',
      path: /manifests/,
      effect: {
        kind: 'answer',
        status: 200,
        body: '<h1>Hello</h1>',
        headers: { 'content-type': 'text/html' },
      },
    });
    await expect(sourceOf(fake).source.root(never)).rejects.toMatchObject({
      code: 'REGISTRY',
      advice: 'Check that this is the address of a registry.',
    });
    fake.fault({
      method: 'GET',
      path: /manifests/,
      effect: change(gzipSync, { 'content-encoding': 'gzip' }),
    });
    await expect(sourceOf(fake).source.root(never)).rejects.toThrow(
      /the content encoding gzip, which was not asked for/,
    );
  });
});

describe('blobs', () => {
  const bytes = noise(3_000_000);

  async function withBlob(options: Partial<FakeOptions> = {}) {
    const fake = await startRegistry(options);
    const blob = fake.repository('app').addBlob(bytes);
    return { fake, blob };
  }

  test('are read whole', async () => {
    const { fake, blob } = await withBlob();
    expect((await drain(sourceOf(fake).source.blob(blob, never))).equals(bytes)).toBe(true);
    const empty = fake.repository('app').addBlob(Buffer.alloc(0));
    expect(await drain(sourceOf(fake).source.blob(empty, never))).toHaveLength(0);
  });

  test('are read from another origin without Authorization, and no message has its URL', async () => {
    const { fake, blob } = await withBlob({
      storage: true,
      auth: { kind: 'basic', username: 'bob', password: 'canary' },
    });
    const credentials = () =>
      Promise.resolve({ kind: 'basic', username: 'bob', password: new Secret('canary') } as const);
    const { source, events } = sourceOf(fake, 'app:v1', { credentials });
    expect((await drain(source.blob(blob, never))).equals(bytes)).toBe(true);
    expect(fake.sent('GET', /blobs/, 'storage').map(({ headers }) => headers.authorization)).toEqual([
      undefined,
    ]);
    fake.fault({
      method: 'GET',
      path: /blobs/,
      server: 'storage',
      times: 9,
      effect: { kind: 'answer', status: 403, body: 'expired' },
    });
    await expect(drain(source.blob(blob, never))).rejects.toMatchObject({ code: 'DENIED' });
    expect(JSON.stringify(events)).not.toMatch(/very-secret|canary/);
  });

  test('are resumed where they broke, as often as there is progress', async () => {
    const { fake, blob } = await withBlob();
    const { source, clock } = sourceOf(fake, 'app:v1', { retryTimes: 2 });
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'cut', bytes: 100_000, ending: 'reset' } });
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'cut', bytes: 1_100_000, ending: 'reset' } });
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'cut', bytes: 1_100_000, ending: 'whole' } });
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'reset' } });
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'answer', status: 503 } });
    expect((await drain(source.blob(blob, never))).equals(bytes)).toBe(true);
    expect(fake.faults.unused).toEqual([]);
    const ranges = fake.sent('GET', /blobs/).map(({ headers }) => headers.range);
    const offsets = ranges.map((range) =>
      range === undefined ? 0 : Number(/^bytes=(\d+)-$/.exec(range)?.[1]),
    );
    // What was on its way when a connection broke may be lost.
    expect(offsets[0]).toBe(0);
    expect(offsets[1]).toBeLessThanOrEqual(100_000);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(offsets.at(-1)).toBeGreaterThan(1_000_000);
    expect(clock.sleeps.length).toBeGreaterThanOrEqual(4);
  });

  test('that break without progress are retried as often as allowed', async () => {
    const { fake, blob } = await withBlob();
    const { source, clock } = sourceOf(fake, 'app:v1', { retryTimes: 3 });
    fake.fault({
      method: 'GET',
      path: /blobs/,
      times: 99,
      effect: { kind: 'cut', bytes: 1, ending: 'reset' },
    });
    await expect(drain(source.blob(blob, never))).rejects.toMatchObject({
      code: 'NETWORK',
      message: expect.stringMatching(/after \d+ of 3000000 bytes/) as string,
    });
    expect(clock.sleeps).toEqual([500, 1000, 2000]);
  });

  test('are read from their start where a registry ignores ranges, without the bytes that are known', async () => {
    const { fake, blob } = await withBlob({ ranges: false });
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'cut', bytes: 1_000_000, ending: 'reset' } });
    expect((await drain(sourceOf(fake).source.blob(blob, never))).equals(bytes)).toBe(true);
    expect(fake.sent('GET', /blobs/)).toHaveLength(2);
  });

  test.each<readonly [string, Record<string, string | null>]>([
    ['starts too late', { 'content-range': 'bytes 2999999-2999999/3000000' }],
    ['is of another blob', { 'content-range': 'bytes 5-10/11' }],
    ['is nonsense', { 'content-range': 'bytes */3000000' }],
    ['is missing', { 'content-range': null }],
  ])('are not resumed by a range that %s', async (_, headers) => {
    const { fake, blob } = await withBlob();
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'cut', bytes: 1_000_000, ending: 'reset' } });
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'change', headers } });
    expect((await drain(sourceOf(fake).source.blob(blob, never))).equals(bytes)).toBe(true);
    expect(fake.sent('GET', /blobs/).at(-1)?.headers.range).toBeUndefined();
  });

  test('are not asked for by a range again that was refused', async () => {
    const { fake, blob } = await withBlob();
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'cut', bytes: 1_000_000, ending: 'reset' } });
    fake.fault({
      method: 'GET',
      path: /blobs/,
      effect: { kind: 'answer', status: 416, body: 'x'.repeat(100_000) },
    });
    expect((await drain(sourceOf(fake).source.blob(blob, never))).equals(bytes)).toBe(true);
    expect(fake.sent('GET', /blobs/)).toHaveLength(3);
  });

  test('that break after their last byte are complete', async () => {
    const { fake, blob } = await withBlob();
    fake.fault({
      method: 'GET',
      path: /blobs/,
      effect: { kind: 'cut', bytes: bytes.length, ending: 'reset' },
    });
    expect((await drain(sourceOf(fake).source.blob(blob, never))).equals(bytes)).toBe(true);
    expect(fake.sent('GET', /blobs/)).toHaveLength(1);
  });

  test('with wrong bytes after a resumption are refused', async () => {
    const { fake, blob } = await withBlob();
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'cut', bytes: 1_000_000, ending: 'reset' } });
    fake.fault({ method: 'GET', path: /blobs/, effect: change((rest) => Buffer.from(rest).fill(0, 10, 20)) });
    await expect(drain(sourceOf(fake).source.blob(blob, never))).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });

  const flip = (whole: Buffer): Buffer => Buffer.from(whole).fill(0, 5, 50);
  test.each<readonly [string, Effect, string]>([
    ['one byte different', change(flip), 'DIGEST_MISMATCH'],
    [
      'a byte too many, with its length',
      change((whole) => Buffer.concat([whole, Buffer.from('x')]), { 'content-length': '3000001' }),
      'SIZE_MISMATCH',
    ],
    [
      'too few, with their length',
      change((whole) => whole.subarray(1), { 'content-length': '2999999' }),
      'SIZE_MISMATCH',
    ],
  ])('are refused: %s', async (_, effect, code) => {
    const { fake, blob } = await withBlob();
    fake.fault({ method: 'GET', path: /blobs/, effect });
    await expect(drain(sourceOf(fake).source.blob(blob, never))).rejects.toMatchObject({ code });
  });

  test('without an end are read to the first byte too many', async () => {
    const { fake, blob } = await withBlob();
    const endless = change((whole) => Buffer.concat([whole, Buffer.alloc(30_000_000)]), {
      'content-length': null,
      'transfer-encoding': 'chunked',
    });
    fake.fault({ method: 'GET', path: /blobs/, effect: endless });
    let received = 0;
    const reading = (async () => {
      for await (const chunk of sourceOf(fake).source.blob(blob, never)) received += chunk.length;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
    expect(received).toBeLessThanOrEqual(bytes.length);
  });

  test('that stay short are an error of their size', async () => {
    const { fake, blob } = await withBlob({ ranges: false });
    fake.fault({
      method: 'GET',
      path: /blobs/,
      times: 99,
      effect: { kind: 'cut', bytes: 2_000_000, ending: 'whole' },
    });
    await expect(drain(sourceOf(fake).source.blob(blob, never))).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
  });

  test('with an encoded body are refused, with the reason', async () => {
    const { fake, blob } = await withBlob();
    fake.fault({
      method: 'GET',
      path: /blobs/,
      effect: change(gzipSync, {
        'content-encoding': 'gzip',
        'content-length': null,
        'transfer-encoding': 'chunked',
      }),
    });
    await expect(drain(sourceOf(fake).source.blob(blob, never))).rejects.toThrow(/content encoding gzip/);
  });

  test('that stand still are resumed', async () => {
    const { fake, blob } = await withBlob();
    fake.fault({ method: 'GET', path: /blobs/, effect: { kind: 'cut', bytes: 500_000, ending: 'stall' } });
    // A busy machine may stand still, too.
    const { source } = sourceOf(fake, 'app:v1', { timeoutMs: 200, retryTimes: 1000 });
    expect((await drain(source.blob(blob, never))).equals(bytes)).toBe(true);
  });

  test('that a consumer leaves early release their connection', async () => {
    const { fake, blob } = await withBlob();
    const { source } = sourceOf(fake);
    for await (const chunk of source.blob(blob, never)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await source.close();
    await fake.close();
    notClosing(source);
    notClosing(fake);
  });
});

describe('referrers', () => {
  async function signed(options: Partial<FakeOptions> = {}) {
    const fake = await startRegistry(options);
    const subject = image(fake);
    const content = fake.repository('app');
    const attestation = content.addManifest(
      { schemaVersion: 2, layers: [], subject: subject.json, n: 1 },
      mediaTypes.ociManifest,
    );
    const tag = subject.digest.replace(':', '-');
    const signature = content.addManifest(
      { schemaVersion: 2, layers: [], n: 2 },
      mediaTypes.ociManifest,
      `${tag}.sig`,
    );
    return { fake, subject, attestation, signature, tag, content };
  }
  const digests = async (fake: FakeRegistry, digest: Digest): Promise<readonly Digest[]> =>
    (await sourceOf(fake).source.referrers(digest, never)).map((each) => each.digest).sort();

  test('come from the API, and from the tags of cosign', async () => {
    const { fake, subject, attestation, signature } = await signed({ referrers: true });
    expect(await digests(fake, subject.digest)).toEqual([attestation.digest, signature.digest].sort());
  });

  test('come from the tag that replaces the API', async () => {
    const { fake, subject, attestation, signature, tag, content } = await signed();
    const manifests = [attestation.json];
    content.addManifest(
      { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
      mediaTypes.ociIndex,
      tag,
    );
    expect(await digests(fake, subject.digest)).toEqual([attestation.digest, signature.digest].sort());
  });

  test('of a registry without the digest header come from their manifests', async () => {
    const { fake, subject, signature } = await signed({ digestHeader: false });
    expect(await digests(fake, subject.digest)).toEqual([signature.digest]);
  });

  test('are missing without an error, however the registry says so', async () => {
    for (const status of [400, 401, 403, 404, 405]) {
      const fake = await startRegistry();
      fake.fault({ method: 'GET', path: /./, times: 99, effect: { kind: 'answer', status } });
      fake.fault({ method: 'HEAD', path: /./, times: 99, effect: { kind: 'answer', status } });
      const { source, events } = sourceOf(fake);
      expect(await source.referrers(sha256(Buffer.from('x')), never)).toEqual([]);
      expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
    }
  });

  test('N3: are read from further pages on the same origin only', async () => {
    const { fake, subject, attestation } = await signed({ referrers: true });
    const thief = await startRegistry();
    const page = { ...attestation.json, digest: sha256(Buffer.from('other')) };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [page] });
    const link = (to: string): Effect => ({
      kind: 'answer',
      status: 200,
      body,
      headers: { 'content-type': mediaTypes.ociIndex, link: `<${to}>; rel="next"` },
    });
    fake.fault({ method: 'GET', path: /referrers/, effect: link(`/v2/app/referrers/${subject.digest}?n=2`) });
    expect(await digests(fake, subject.digest)).toContain(page.digest);
    expect(fake.sent('GET', /referrers/)).toHaveLength(2);
    fake.fault({ method: 'GET', path: /referrers/, effect: link(`http://${thief.host}/steal`) });
    await digests(fake, subject.digest);
    expect(thief.requests).toEqual([]);
  });

  test('of a server with an outage are an error', async () => {
    const fake = await startRegistry();
    fake.fault({ method: 'GET', path: /./, times: 99, effect: { kind: 'reset' } });
    await expect(sourceOf(fake).source.referrers(sha256(Buffer.from('x')), never)).rejects.toMatchObject({
      code: 'NETWORK',
    });
  });
});
