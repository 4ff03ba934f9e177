import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { makeDescriptor } from '../../src/oci/descriptor.ts';
import { mediaTypes } from '../../src/oci/media-type.ts';
import type { Produce, RawManifest, Source, Target } from '../../src/place/place.ts';
import type { RegistryOptions } from '../../src/registry/lease.ts';
import { openRegistrySource } from '../../src/registry/source.ts';
import { RegistryClient } from '../../src/registry/client.ts';
import { Repository } from '../../src/registry/repository.ts';
import { openRegistryTarget } from '../../src/registry/target.ts';
import { StagedUpload } from '../../src/registry/upload/staged-upload.ts';
import { Uploader } from '../../src/registry/upload/uploader.ts';
import type { ByteStream } from '../../src/stream/byte-stream.ts';
import { sha256 } from '../support/registry/content.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import type { Effect } from '../support/registry/faults.ts';
import { block, never, noise, pieces, refer, type Setup, setup } from '../support/registry/setup.ts';
import { Secret } from '../../src/registry/auth/secret.ts';
import { closing, startRegistry } from '../support/registry/opened.ts';

function targetOf(
  fake: FakeRegistry,
  names: readonly string[] = ['dst:v1'],
  overrides: Partial<RegistryOptions> = {},
): Setup & { readonly target: Target } {
  const made = setup(overrides);
  const target = closing(
    openRegistryTarget(
      names.map((name) => refer(`${fake.host}/${name}`)),
      made.options,
    ),
  );
  return { ...made, target };
}

function sourceOf(fake: FakeRegistry, name = 'src:v1'): Source {
  const source = closing(openRegistrySource(refer(`${fake.host}/${name}`), setup().options));
  return source;
}

const methods = (fake: FakeRegistry): string => fake.requests.map(({ method }) => method).join(' ');
const answer = (status: number, body = '', headers: Record<string, string> = {}): Effect => ({
  kind: 'answer',
  status,
  body,
  headers,
});
const small = noise(10_000);
/** Three blocks, the last one not full. */
const large = noise(2 * block + 100_000, 7);

async function push(target: Target, bytes: Buffer, produce: Produce = () => pieces(bytes)): Promise<void> {
  const staged = await target.stage(produce, never);
  await staged.commit(sha256(bytes), bytes.length, never);
}

function holds(fake: FakeRegistry, bytes: Buffer): boolean {
  return (
    fake.repository('dst').blobs.get(sha256(bytes))?.equals(bytes) === true &&
    fake.repository('dst').uploads.size === 0
  );
}

describe('a blob that is adopted', () => {
  test('is left alone if it is present', async () => {
    const fake = await startRegistry();
    const blob = fake.repository('dst').addBlob(large);
    const { target } = targetOf(fake);
    expect(await target.has(blob, never)).toBe(true);
    expect(await target.adopt(blob, sourceOf(fake), never)).toBe('present');
    expect(methods(fake)).toBe('HEAD HEAD');
  });

  test('is mounted from the same registry: no byte is read or sent', async () => {
    const fake = await startRegistry();
    const blob = fake.repository('src').addBlob(large);
    const source = sourceOf(fake);
    await source.referrers(blob.digest, never);
    fake.requests.length = 0;
    const { target } = targetOf(fake);
    let told = 0;
    expect(await target.adopt(blob, source, never, (count) => (told += count))).toBe('mounted');
    expect(methods(fake)).toBe('HEAD POST HEAD');
    expect(fake.requests[1]?.path).toBe(
      `/v2/dst/blobs/uploads/?mount=${encodeURIComponent(blob.digest)}&from=src`,
    );
    expect(holds(fake, large)).toBe(true);
    expect(told).toBe(0);
  });

  test.each(['session', 'refuse', 'lie'] as const)(
    'is copied when its mount does not happen (%s)',
    async (mounts) => {
      const fake = await startRegistry({ mounts });
      const blob = fake.repository('src').addBlob(large);
      const source = sourceOf(fake);
      await source.referrers(blob.digest, never);
      const { target } = targetOf(fake);
      let told = 0;
      expect(await target.adopt(blob, source, never, (count) => (told += count))).toBe('copied');
      expect(holds(fake, large)).toBe(true);
      expect(told).toBe(large.length);
      // The session that a mount offers is used, not another one.
      expect(fake.sent('POST', /uploads/)).toHaveLength(mounts === 'session' ? 1 : 2);
      expect(fake.sent('GET', /blobs\/sha256/)).toHaveLength(1);
    },
  );

  test('is copied from another registry once, however many callers want it', async () => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    const blobs = [from.repository('src').addBlob(small), from.repository('src').addBlob(large)];
    const source = sourceOf(from);
    const { target } = targetOf(to);
    const outcomes = await Promise.all(
      [...blobs, ...blobs, ...blobs].map((blob) => target.adopt(blob, source, never)),
    );
    expect(outcomes.filter((each) => each === 'copied')).toHaveLength(2);
    expect(outcomes.filter((each) => each === 'present')).toHaveLength(4);
    expect(from.sent('GET', /blobs/)).toHaveLength(2);
    // What the registry does not find becomes an upload in the same request.
    expect(to.sent('POST', /uploads/)).toHaveLength(2);
    expect(holds(to, small) && holds(to, large)).toBe(true);
  });

  test('may be found by the registry in another repository', async () => {
    const [from, to] = [await startRegistry(), await startRegistry({ openMounts: 'find' })];
    const blob = from.repository('src').addBlob(large);
    to.repository('elsewhere').addBlob(large);
    const { target } = targetOf(to);
    expect(await target.adopt(blob, sourceOf(from), never)).toBe('mounted');
    expect(from.sent('GET', /blobs/)).toEqual([]);
    expect(holds(to, large)).toBe(true);
  });

  test('is asked for without its repository only until the registry refuses that', async () => {
    const [from, to] = [await startRegistry(), await startRegistry({ openMounts: 'refuse' })];
    const blobs = [small, large].map((bytes) => from.repository('src').addBlob(bytes));
    const source = sourceOf(from);
    const { target } = targetOf(to);
    await Promise.all(blobs.map((blob) => target.adopt(blob, source, never)));
    expect(to.sent('POST', /mount/)).toHaveLength(1);
    expect(holds(to, small) && holds(to, large)).toBe(true);
  });

  test.each<readonly [string, Effect, string]>([
    [
      'other bytes',
      { kind: 'change', body: (bytes) => Buffer.from(bytes).fill(0, 9, 99) },
      'DIGEST_MISMATCH',
    ],
    [
      'another length',
      {
        kind: 'change',
        body: (bytes) => bytes.subarray(1),
        headers: { 'content-length': String(large.length - 1) },
      },
      'SIZE_MISMATCH',
    ],
    ['nothing', answer(404), 'NOT_FOUND'],
  ])('leaves nothing behind when its source gives %s', async (_, effect, code) => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    const blob = from.repository('src').addBlob(large);
    from.fault({ method: 'GET', path: /blobs/, times: 99, effect });
    const { target } = targetOf(to);
    await expect(target.adopt(blob, sourceOf(from), never)).rejects.toMatchObject({ code });
    expect(to.repository('dst').blobs.size).toBe(0);
    expect(to.repository('dst').uploads.size).toBe(0);
  });

  test('is refused without reading if its length contradicts its descriptor, present or mounted', async () => {
    const fake = await startRegistry();
    const present = fake.repository('dst').addBlob(small);
    const mountable = fake.repository('src').addBlob(large);
    const lying = (blob: Descriptor): Descriptor =>
      makeDescriptor(blob.mediaType, blob.digest, blob.size + 1);
    const source = sourceOf(fake);
    await source.referrers(present.digest, never);
    const { target } = targetOf(fake);
    await expect(target.adopt(lying(present), source, never)).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
    await expect(target.adopt(lying(mountable), source, never)).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
    expect(fake.sent('GET', /blobs/)).toEqual([]);
  });

  test('is present if HEAD says so without a length', async () => {
    const fake = await startRegistry();
    const blob = fake.repository('dst').addBlob(small);
    fake.fault({
      method: 'HEAD',
      path: /blobs/,
      effect: { kind: 'change', headers: { 'content-length': null } },
    });
    expect(await targetOf(fake).target.adopt(blob, sourceOf(fake), never)).toBe('present');
  });

  test('goes up in one request, as it comes, if it is large', async () => {
    const [from, to] = [await startRegistry(), await startRegistry({ openMounts: 'refuse' })];
    const blob = from.repository('src').addBlob(large);
    expect(await targetOf(to).target.adopt(blob, sourceOf(from), never)).toBe('copied');
    expect(methods(to)).toBe('HEAD POST POST PUT');
    const { headers } = to.sent('PUT', /./)[0] as { headers: Record<string, unknown> };
    expect(headers['content-length']).toBe(String(large.length));
    expect(headers['transfer-encoding']).toBeUndefined();
    expect(headers['content-range']).toBeUndefined();
    expect(holds(to, large)).toBe(true);
  });

  const notNow = '{"errors":[{"code":"UNKNOWN"}]}';
  test.each<readonly [string, Effect]>([
    ['is too large', answer(413)],
    ['is not understood', answer(400, notNow)],
    ['is not for streams', answer(405, notNow)],
    ['is sent elsewhere', answer(307, '', { location: '/v2/elsewhere' })],
    ['comes when a login has run out', answer(401)],
    ['meets a server in trouble', answer(503)],
    ['meets a session that is gone', answer(404, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}')],
    ['meets a proxy that hangs up', { kind: 'reset' }],
    ['breaks off in the middle', { kind: 'swallow', bytes: block + 20_000, keep: false }],
    ['breaks off in the middle, half of it kept', { kind: 'swallow', bytes: block + 20_000, keep: true }],
  ])('goes up in chunks, as the next one does, if one request %s', async (_, effect) => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    const second = noise(block + 20_000, 8);
    const blobs = [large, second].map((bytes) => from.repository('src').addBlob(bytes));
    to.fault({ method: 'PUT', path: /uploads/, effect });
    const source = sourceOf(from);
    const { target } = targetOf(to);
    let told = 0;
    for (const blob of blobs)
      expect(await target.adopt(blob, source, never, (count) => (told += count))).toBe('copied');
    expect(told).toBe(large.length + second.length);
    expect(from.sent('GET', /blobs/)).toHaveLength(3);
    expect(to.sent('PATCH', /./).map(({ body }) => body.length)).toEqual([
      block,
      block,
      100_000,
      block,
      20_000,
    ]);
    expect(holds(to, large) && holds(to, second)).toBe(true);
  });

  test.each([500, 'reset'] as const)(
    'is not sent again if one request failed (%s) but was done',
    async (status) => {
      const [from, to] = [await startRegistry(), await startRegistry()];
      const blob = from.repository('src').addBlob(large);
      to.fault({ method: 'PUT', path: /uploads/, effect: { kind: 'after', status } });
      expect(await targetOf(to).target.adopt(blob, sourceOf(from), never)).toBe('copied');
      expect(from.sent('GET', /blobs/)).toHaveLength(1);
      expect(holds(to, large)).toBe(true);
    },
  );

  test('is an error at once if the account may not write', async () => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    const blob = from.repository('src').addBlob(large);
    to.fault({ method: 'PUT', path: /uploads/, effect: answer(403) });
    await expect(targetOf(to).target.adopt(blob, sourceOf(from), never)).rejects.toMatchObject({
      code: 'DENIED',
    });
    expect(to.repository('dst').uploads.size).toBe(0);
  });

  test('is sent to its last bytes only if all are verified', async () => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    const blob = from.repository('src').addBlob(large);
    const body = (bytes: Buffer): Buffer => Buffer.from(bytes).fill(0, 9, 99);
    from.fault({ method: 'GET', path: /blobs/, effect: { kind: 'change', body } });
    await expect(targetOf(to).target.adopt(blob, sourceOf(from), never)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    for (const put of to.sent('PUT', /./)) expect(put.body.length).toBeLessThan(large.length);
  });

  test('leaves nothing behind when it is cancelled', async () => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    const blob = from.repository('src').addBlob(large);
    const stop = new AbortController();
    let told = 0;
    const onBytes = (count: number): void => {
      told += count;
      if (told > block) stop.abort(new Error('stopped'));
    };
    await expect(targetOf(to).target.adopt(blob, sourceOf(from), stop.signal, onBytes)).rejects.toThrow(
      'stopped',
    );
    await eventually(() => expect(to.repository('dst').uploads.size).toBe(0));
    expect(to.repository('dst').blobs.size).toBe(0);
  });

  test('starts over when its upload is lost, and its bytes are counted once', async () => {
    const [from, to] = [await startRegistry(), await startRegistry()];
    const blob = from.repository('src').addBlob(large);
    to.fault({
      method: 'PATCH',
      path: /uploads/,
      skip: 1,
      effect: answer(404, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}'),
    });
    to.fault({
      method: 'PUT',
      path: /uploads/,
      effect: answer(400, '{"errors":[{"code":"DIGEST_INVALID"}]}'),
    });
    const { target } = targetOf(to);
    let told = 0;
    expect(await target.adopt(blob, sourceOf(from), never, (count) => (told += count))).toBe('copied');
    expect(told).toBe(large.length);
    expect(from.sent('GET', /blobs/)).toHaveLength(3);
    expect(holds(to, large)).toBe(true);
  });
});

describe('a blob that is staged', () => {
  test('goes up in one request, at its commit, if it is small', async () => {
    const fake = await startRegistry();
    const { target } = targetOf(fake);
    const staged = await target.stage(() => pieces(small), never);
    expect(fake.requests).toEqual([]);
    await staged.commit(sha256(small), small.length, never);
    expect(methods(fake)).toBe('HEAD POST PUT');
    expect(holds(fake, small)).toBe(true);
  });

  test.each([0, 1, block, block + 1])(
    'of %i bytes arrives, in chunks if it is larger than a block',
    async (size) => {
      const fake = await startRegistry();
      const bytes = noise(size);
      await push(targetOf(fake).target, bytes);
      expect(holds(fake, bytes)).toBe(true);
      expect(fake.sent('PATCH', /./)).toHaveLength(size > block ? 2 : 0);
    },
  );

  test('goes up in chunks if it is large, each where the last answer said', async () => {
    const fake = await startRegistry({ absoluteLocations: true });
    await push(targetOf(fake).target, large);
    expect(methods(fake)).toBe('POST PATCH PATCH PATCH HEAD PUT');
    const chunk = block;
    expect(
      fake
        .sent('PATCH', /./)
        .map(({ headers }) => [headers['content-range'], headers['content-length'], headers['content-type']]),
    ).toEqual([
      [`0-${chunk - 1}`, String(chunk), 'application/octet-stream'],
      [`${chunk}-${2 * chunk - 1}`, String(chunk), 'application/octet-stream'],
      [`${2 * chunk}-${large.length - 1}`, String(large.length - 2 * chunk), 'application/octet-stream'],
    ]);
    expect(fake.sent('PUT', /./)[0]?.path).toMatch(/\?_state=\d+%3D&digest=sha256%3A[0-9a-f]{64}$/);
    expect(holds(fake, large)).toBe(true);
  });

  test('goes up by one chunk while the next is made', async () => {
    const fake = await startRegistry();
    let made = 0;
    async function* waiting(): ByteStream {
      for await (const piece of pieces(large, block / 8)) {
        made += piece.length;
        // In the middle of the second block: if the first one waited for it, both would wait for ever.
        if (made === 1.5 * block) await eventually(() => expect(fake.sent('PATCH', /./)).toHaveLength(1));
        yield piece;
      }
    }
    await push(targetOf(fake).target, large, waiting);
    expect(holds(fake, large)).toBe(true);
  });

  test.each([201, 202, 204] as const)('goes on after a chunk that is answered by %i', async (patched) => {
    const fake = await startRegistry({ patched });
    await push(targetOf(fake).target, large);
    expect(holds(fake, large)).toBe(true);
  });

  test('is not committed if it is present by then', async () => {
    const fake = await startRegistry();
    const { target } = targetOf(fake);
    const [one, two] = [
      await target.stage(() => pieces(large), never),
      await target.stage(() => pieces(large), never),
    ];
    await one.commit(sha256(large), large.length, never);
    await two.commit(sha256(large), large.length, never);
    expect(fake.sent('PUT', /./)).toHaveLength(1);
    expect(fake.sent('DELETE', /./)).toHaveLength(1);
    expect(holds(fake, large)).toBe(true);
    // Small ones do not even start.
    await push(target, small);
    await push(target, small);
    expect(fake.sent('PUT', /./)).toHaveLength(2);
    const other = targetOf(fake).target;
    await push(other, small);
    await push(other, large);
    expect(fake.sent('PUT', /./)).toHaveLength(2);
    expect(fake.repository('dst').uploads.size).toBe(0);
  });

  test('is committed once if two callers commit it at a time', async () => {
    const fake = await startRegistry();
    const { target } = targetOf(fake);
    await Promise.all([
      push(target, small),
      push(target, small),
      target.put(small, makeDescriptor('x', sha256(small), small.length), never),
    ]);
    expect(fake.sent('PUT', /./)).toHaveLength(1);
  });

  test('is cancelled when its stream fails', async () => {
    const fake = await startRegistry();
    async function* failing(): ByteStream {
      yield* pieces(large);
      throw new Error('no more');
    }
    const { target } = targetOf(fake);
    await expect(target.stage(() => failing(), never)).rejects.toThrow('no more');
    expect(fake.sent('DELETE', /uploads/)).toHaveLength(1);
    expect(fake.repository('dst').uploads.size).toBe(0);
  });

  test('leaves nothing when it is aborted, or not committed before the target closes', async () => {
    const fake = await startRegistry();
    const { target } = targetOf(fake);
    const aborted = await target.stage(() => pieces(large), never);
    await aborted.abort();
    await aborted.abort();
    expect(fake.repository('dst').uploads.size).toBe(0);
    await target.stage(() => pieces(large), never);
    expect(fake.repository('dst').uploads.size).toBe(1);
    await target.close();
    expect(fake.repository('dst').uploads.size).toBe(0);
    expect(fake.repository('dst').blobs.size).toBe(0);
  });

  test('is cancelled at once by the signal', async () => {
    const fake = await startRegistry();
    const stop = new AbortController();
    let released = false;
    async function* endless(): ByteStream {
      try {
        for (;;) {
          yield* pieces(large);
          if (fake.sent('PATCH', /./).length > 2) stop.abort(new Error('stopped'));
        }
      } finally {
        released = true;
      }
    }
    const { target } = targetOf(fake);
    await expect(target.stage(() => endless(), stop.signal)).rejects.toThrow('stopped');
    expect(released).toBe(true);
    expect(fake.repository('dst').uploads.size).toBe(0);
  });

  test('is refused under another digest or size, here or by the registry', async () => {
    const fake = await startRegistry();
    const { target } = targetOf(fake);
    for (const bytes of [small, large]) {
      const size = await target.stage(() => pieces(bytes), never);
      await expect(size.commit(sha256(bytes), bytes.length + 1, never)).rejects.toMatchObject({
        code: 'SIZE_MISMATCH',
      });
      const digest = await target.stage(() => pieces(bytes), never);
      await expect(digest.commit(sha256(Buffer.from('x')), bytes.length, never)).rejects.toMatchObject({
        code: 'DIGEST_MISMATCH',
      });
    }
    expect(fake.repository('dst').blobs.size).toBe(0);
    expect(fake.repository('dst').uploads.size).toBe(0);
  });
});

describe('an upload with failures', () => {
  test.each<readonly [string, Effect]>([
    ['a connection that breaks before anything arrived', { kind: 'reset' }],
    ['a connection that breaks in the middle, bytes kept', { kind: 'swallow', bytes: 90_000, keep: true }],
    [
      'a connection that breaks in the middle, bytes dropped',
      { kind: 'swallow', bytes: 90_000, keep: false },
    ],
    ['a connection that breaks after all was taken', { kind: 'after', status: 'reset' }],
    ['a gateway error before', answer(502)],
    ['a gateway error after all was taken', { kind: 'after', status: 504 }],
    ['too many requests', answer(429, '', { 'retry-after': '3' })],
  ])('gets over a chunk with %s', async (_, effect) => {
    for (const skip of [0, 1, 2]) {
      const fake = await startRegistry();
      fake.fault({ method: 'PATCH', path: /uploads/, skip, effect });
      const { target, clock } = targetOf(fake);
      await push(target, large);
      expect(fake.faults.unused).toEqual([]);
      expect(holds(fake, large)).toBe(true);
      expect(clock.sleeps).toHaveLength(1);
      expect(fake.sent('GET', /uploads/)).toHaveLength(1);
    }
  });

  test.each<readonly [string, Effect]>([
    ['breaks before', { kind: 'reset' }],
    ['breaks after it was done', { kind: 'after', status: 'reset' }],
    ['fails by a gateway after it was done', { kind: 'after', status: 504 }],
    ['says that it does not know the upload after it was done', { kind: 'after', status: 404 }],
    ['fails by a gateway before', answer(503, '', { 'retry-after': '2' })],
  ])('gets over a commit that %s', async (_, effect) => {
    for (const bytes of [small, large]) {
      const fake = await startRegistry();
      fake.fault({ method: 'PUT', path: /uploads/, effect });
      await push(targetOf(fake).target, bytes);
      expect(fake.faults.unused).toEqual([]);
      expect(fake.repository('dst').blobs.get(sha256(bytes))?.equals(bytes)).toBe(true);
      const doneAlready = effect.kind === 'after';
      expect(fake.sent('PUT', /./)).toHaveLength(doneAlready ? 1 : 2);
    }
  });

  test.each([401, 500, 502])('gets over a start that is answered by %i', async (status) => {
    const fake = await startRegistry();
    fake.fault({
      method: 'POST',
      path: /uploads/,
      effect: answer(status, '', { 'www-authenticate': 'Basic realm="x"' }),
    });
    const credentials = () =>
      Promise.resolve({ kind: 'basic', username: 'u', password: new Secret('p') } as const);
    await push(targetOf(fake, ['dst:v1'], { credentials }).target, large);
    expect(holds(fake, large)).toBe(true);
  });

  test.each([
    [413, block / 2],
    [416, block / 2],
    [413, block / 8],
    [416, block / 8],
  ] as const)(
    'makes all chunks smaller after refusals by %i above %i bytes',
    async (tooLarge, largestChunk) => {
      const fake = await startRegistry({ tooLarge, largestChunk });
      const { target, clock } = targetOf(fake);
      await push(target, large);
      expect(holds(fake, large)).toBe(true);
      const refused = fake.sent('PATCH', /./).filter(({ body }) => body.length > largestChunk).length;
      expect(refused).toBeLessThanOrEqual(2);
      const other = noise(block + 20_000, 3);
      await push(target, other);
      expect(fake.sent('PATCH', /./).filter(({ body }) => body.length > largestChunk)).toHaveLength(refused);
      expect(holds(fake, other)).toBe(true);
      expect(clock.sleeps).toEqual([]);
    },
  );

  test('sends smaller chunks to a proxy that hangs up on large ones', async () => {
    const fake = await startRegistry();
    fake.fault({ method: 'PATCH', path: /uploads/, times: 2, effect: { kind: 'reset' } });
    await push(targetOf(fake).target, large);
    expect(fake.sent('PATCH', /./)[2]?.body.length).toBeLessThan(block / 2);
    expect(holds(fake, large)).toBe(true);
  });

  test('sends a whole blob in chunks if it is too large for one request', async () => {
    const fake = await startRegistry({ largestPut: block / 8, largestChunk: block / 8 });
    const bytes = noise(150_000, 5);
    await push(targetOf(fake).target, bytes);
    expect(holds(fake, bytes)).toBe(true);
  });

  test('sends chunks to a proxy that hangs up on whole blobs', async () => {
    const fake = await startRegistry();
    fake.fault({ method: 'PUT', path: /uploads/, times: 2, effect: { kind: 'reset' } });
    const bytes = noise(150_000, 5);
    await push(targetOf(fake).target, bytes);
    expect(fake.sent('PATCH', /./)).toHaveLength(2);
    expect(holds(fake, bytes)).toBe(true);
  });

  test('ends in an error with advice if no size is accepted', async () => {
    const fake = await startRegistry({ largestChunk: 1000 });
    await expect(push(targetOf(fake).target, large)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringMatching(
        /^destination .*\/dst: uploading a blob, at byte 0: .* answered 413 SIZE_INVALID: request entity too large$/,
      ) as string,
      advice: expect.stringContaining('client_max_body_size') as string,
    });
    expect(fake.repository('dst').uploads.size).toBe(0);
  });

  test('sends chunks of the length that the registry demands', async () => {
    const fake = await startRegistry({ smallestChunk: block + 10_000 });
    await push(targetOf(fake).target, large);
    expect(fake.sent('PATCH', /./).map(({ body }) => body.length)).toEqual([
      block + 10_000,
      block + 10_000,
      80_000,
    ]);
    expect(holds(fake, large)).toBe(true);
  });

  test('sends the rest if the registry took in less than was sent', async () => {
    const fake = await startRegistry();
    // Its answer is the true one; only fewer bytes were taken in.
    fake.fault({ method: 'PATCH', path: /uploads/, effect: { kind: 'change', headers: { range: '0-99' } } });
    await push(targetOf(fake).target, large);
    // Asked, it says that it has them all after all.
    expect(fake.sent('GET', /uploads/)).toHaveLength(1);
    expect(holds(fake, large)).toBe(true);
  });

  test("ends with the registry's words if the session is lost at every retry", async () => {
    const fake = await startRegistry();
    fake.fault({
      method: 'PATCH',
      path: /uploads/,
      skip: 1,
      times: 99,
      effect: answer(404, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"gone"}]}'),
    });
    await expect(push(targetOf(fake).target, large)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining('404 BLOB_UPLOAD_UNKNOWN: gone: the upload is lost') as string,
    });
  });

  test('is not retried without the right to write', async () => {
    const fake = await startRegistry();
    fake.fault({
      method: 'POST',
      path: /uploads/,
      effect: answer(403, '{"errors":[{"code":"DENIED","message":"requested access is denied"}]}'),
    });
    const { target, clock } = targetOf(fake);
    await expect(push(target, small)).rejects.toMatchObject({
      code: 'DENIED',
      message: `destination ${fake.host}/dst: starting the upload of blob ${sha256(small)}: ${fake.host} answered 403 DENIED: requested access is denied`,
      advice: expect.stringContaining('no right to write dst') as string,
    });
    expect(clock.sleeps).toEqual([]);
  });
});

describe('manifests', () => {
  function image(fake: FakeRegistry, repository = 'dst'): RawManifest {
    const config = fake.repository(repository).addBlob(Buffer.from('{}'), mediaTypes.ociConfig);
    const bytes = Buffer.from(
      JSON.stringify(
        { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: config.json, layers: [] },
        null,
        3,
      ),
    );
    return { descriptor: makeDescriptor(mediaTypes.ociManifest, sha256(bytes), bytes.length), bytes };
  }

  test('are put byte by byte, by digest, then by all tags, and confirmed', async () => {
    const fake = await startRegistry();
    const root = image(fake);
    const { target } = targetOf(fake, ['dst:v1', 'dst:v2', 'dst:v1']);
    await target.publish(root, never);
    const { digest } = root.descriptor;
    expect(fake.requests.map(({ method, path }) => `${method} ${path.slice(18)}`)).toEqual([
      `PUT ${digest}`,
      'PUT v1',
      'PUT v2',
      'HEAD v1',
      'HEAD v2',
    ]);
    const stored = fake.repository('dst').find('v2');
    expect(stored?.manifest).toEqual({ mediaType: mediaTypes.ociManifest, bytes: Buffer.from(root.bytes) });
    expect(target.nameOf(digest)).toBe(`${fake.host}/dst@${digest}`);
    expect(target.label).toBe(`${fake.host}/dst:v1, ${fake.host}/dst:v2, ${fake.host}/dst:v1`);
  });

  test('are put by digest only, without a tag', async () => {
    const fake = await startRegistry();
    const root = image(fake);
    const { target } = targetOf(fake, ['dst']);
    await target.putManifest(root, never);
    await target.publish(root, never);
    expect(fake.repository('dst').tags.size).toBe(0);
    expect(methods(fake)).toBe('PUT HEAD');
  });

  test('with another digest than the reference names are refused before any request', async () => {
    const fake = await startRegistry();
    const root = image(fake);
    const { target } = targetOf(fake, [`dst@${sha256(Buffer.from('x'))}`]);
    await expect(target.publish(root, never)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(fake.requests).toEqual([]);
    const kept = targetOf(fake, [`dst@${root.descriptor.digest}`]).target;
    await kept.publish(root, never);
  });

  test('are not put into two repositories', async () => {
    const fake = await startRegistry();
    expect(() =>
      openRegistryTarget([refer(`${fake.host}/a:1`), refer(`${fake.host}/b:1`)], setup().options),
    ).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
    expect(() => openRegistryTarget([], setup().options)).toThrow(
      expect.objectContaining({ code: 'REFERENCE_INVALID' }),
    );
  });

  test('are retried until the registry has noticed their blobs; a missing blob is named', async () => {
    const fake = await startRegistry();
    const root = image(fake);
    const blob = [...fake.repository('dst').blobs][0];
    fake.fault({
      method: 'PUT',
      path: /manifests/,
      times: 2,
      effect: answer(400, '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}'),
    });
    const { target, clock } = targetOf(fake);
    await target.publish(root, never);
    expect(clock.sleeps).toEqual([500, 1000]);
    fake.repository('dst').blobs.clear();
    await expect(targetOf(fake).target.publish(root, never)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining(
        `the registry does not have blob ${blob?.[0]} (400 MANIFEST_BLOB_UNKNOWN: blob unknown to registry)`,
      ) as string,
      advice: expect.stringContaining('run the same command again') as string,
    });
  });

  test('that the registry stores as something else are an error', async () => {
    const fake = await startRegistry();
    const root = image(fake);
    fake.fault({
      method: 'PUT',
      path: /manifests/,
      effect: { kind: 'change', headers: { 'docker-content-digest': sha256(Buffer.from('x')) } },
    });
    await expect(targetOf(fake).target.publish(root, never)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    expect(fake.repository('dst').tags.size).toBe(0);
  });

  test('that a registry accepts and does not keep are an error', async () => {
    const fake = await startRegistry();
    fake.fault({ method: 'PUT', path: /manifests\/v1/, effect: answer(201) });
    const before = image(fake);
    const { target } = targetOf(fake);
    await expect(target.publish(before, never)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining('tag v1 is not there') as string,
      // It has been there before.
      advice: expect.stringContaining('the result is there by its digest') as string,
    });
  });

  test('whose tag another client takes at the same time are an error', async () => {
    const fake = await startRegistry();
    const root = image(fake);
    const other = fake
      .repository('dst')
      .addManifest({ schemaVersion: 2, other: true }, mediaTypes.ociManifest, 'v1');
    fake.fault({ method: 'PUT', path: /manifests\/v1/, effect: answer(201) });
    const { target } = targetOf(fake);
    await expect(target.publish(root, never)).rejects.toThrow(
      `tag v1 is ${other.digest}, not ${root.descriptor.digest}`,
    );
  });

  test('are read back from a registry without the digest header', async () => {
    const fake = await startRegistry({ digestHeader: false });
    const root = image(fake);
    await targetOf(fake).target.publish(root, never);
    expect(fake.sent('GET', /manifests\/v1/)).toHaveLength(1);
  });

  test.each<readonly [string, Effect]>([
    ['429', answer(429, '', { 'retry-after': '5' })],
    ['a broken connection', { kind: 'reset' }],
    ['a connection that broke after it was done', { kind: 'after', status: 'reset' }],
    ['500', answer(500)],
  ])('are published in spite of %s', async (_, effect) => {
    const fake = await startRegistry();
    const root = image(fake);
    fake.fault({ method: 'PUT', path: /manifests/, effect });
    fake.fault({ method: 'PUT', path: /manifests\/v1/, effect });
    fake.fault({ method: 'HEAD', path: /manifests\/v1/, effect });
    await targetOf(fake).target.publish(root, never);
    expect(fake.faults.unused).toEqual([]);
    expect(fake.repository('dst').tags.get('v1')).toBe(root.descriptor.digest);
  });

  test('leave the old tag as it was on failure', async () => {
    const fake = await startRegistry();
    const root = image(fake);
    const old = fake
      .repository('dst')
      .addManifest({ schemaVersion: 2, old: true }, mediaTypes.ociManifest, 'v1');
    fake.fault({ method: 'PUT', path: /manifests\/sha256/, times: 99, effect: answer(500) });
    await expect(targetOf(fake).target.publish(root, never)).rejects.toMatchObject({ code: 'REGISTRY' });
    expect(fake.repository('dst').tags.get('v1')).toBe(old.digest);
    expect(fake.sent('PUT', /manifests\/v1/)).toEqual([]);
  });
});

/** Stages into a registry that takes a blob in one request without chunks, as Google's do. */
function stageUnchunked(fake: FakeRegistry): (produce: Produce) => Promise<StagedUpload> {
  const client = closing(new RegistryClient(fake.host, setup().options));
  const repository = new Repository(client, 'destination', 'dst');
  const uploader = new Uploader(repository, { chunked: false });
  return (produce) => StagedUpload.start(uploader, produce, never);
}

test("Google's registries get one request without chunks", async () => {
  const fake = await startRegistry();
  const stage = stageUnchunked(fake);
  const staged = await stage(() => pieces(large));
  await staged.commit(sha256(large), large.length, never);
  const patches = fake.sent('PATCH', /./);
  expect(patches.map(({ headers }) => [headers['content-range'], headers['transfer-encoding']])).toEqual([
    [undefined, 'chunked'],
  ]);
  expect(holds(fake, large)).toBe(true);
  async function* failing(): ByteStream {
    yield* pieces(large);
    throw new Error('no more');
  }
  await expect(stage(failing)).rejects.toThrow(/^no more$/);
});

test.each<readonly [string, Effect]>([
  ['breaks', { kind: 'reset' }],
  ['breaks in the middle', { kind: 'swallow', bytes: block + 20_000, keep: true }],
  ['fails by a gateway', answer(502)],
  ['is lost', answer(404, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}')],
])('such a request that %s starts over, with the bytes made again', async (_, effect) => {
  const fake = await startRegistry();
  fake.fault({ method: 'PATCH', path: /uploads/, effect });
  let productions = 0;
  const staged = await stageUnchunked(fake)(() => {
    productions += 1;
    return pieces(large);
  });
  expect(productions).toBe(2);
  await staged.commit(sha256(large), large.length, never);
  expect(holds(fake, large)).toBe(true);
});

describe('a session that the registry loses', () => {
  const lost = answer(404, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');

  test.each<readonly [string, string, RegExp]>([
    ['while bytes go up', 'PATCH', /uploads/],
    ['at its commit', 'PUT', /digest=/],
  ])('%s starts over with the bytes made again', async (_, method, path) => {
    const fake = await startRegistry();
    const { target, events, clock } = targetOf(fake);
    fake.fault({ method, path, times: 2, effect: lost });
    let productions = 0;
    await push(target, large, () => {
      productions += 1;
      return pieces(large);
    });
    expect(productions).toBe(3);
    expect(holds(fake, large)).toBe(true);
    expect(clock.sleeps).toEqual([500, 1000]);
    const told = events.filter((event) => event.type === 'detail' && /lost an upload/.test(event.message));
    expect(told).toHaveLength(2);
  });

  test('every time fails after the retries asked for, before and in the commit together', async () => {
    const fake = await startRegistry();
    const { target } = targetOf(fake, ['dst:v1'], { retryTimes: 3 });
    fake.fault({ method: 'PATCH', path: /uploads/, times: 2, effect: lost });
    fake.fault({ method: 'PUT', path: /digest=/, times: 99, effect: lost });
    let productions = 0;
    const staged = await target.stage(() => {
      productions += 1;
      return pieces(large);
    }, never);
    const commit = staged.commit(sha256(large), large.length, never);
    await expect(commit).rejects.toMatchObject({ code: 'REGISTRY', message: /the upload is lost/ });
    expect(productions).toBe(4);
    expect(fake.repository('dst').uploads.size).toBe(0);
  });

  test('fails at once where the bytes themselves cannot be made', async () => {
    const fake = await startRegistry();
    const { target } = targetOf(fake);
    let productions = 0;
    const produce = async function* (): ByteStream {
      productions += 1;
      yield* pieces(large);
      throw new Error('no more');
    };
    await expect(target.stage(produce, never)).rejects.toThrow('no more');
    expect(productions).toBe(1);
  });
});

test('close drops every connection at once', async () => {
  const fake = await startRegistry();
  const { target } = targetOf(fake);
  for (const seed of [1, 2, 3, 4, 5]) await push(target, noise(1000, seed));
  // Connections live on, those of HEAD requests too.
  expect(fake.requests).toHaveLength(15);
  expect([1, 2]).toContain(await fake.connections());
  await target.close();
  await eventually(async () => expect(await fake.connections()).toBe(0));
  await expect(target.has(makeDescriptor('x', sha256(small), small.length), never)).rejects.toThrow();
});
