import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { RegistryClient } from '../../../src/registry/client.ts';
import { ExchangeError } from '../../../src/registry/failure.ts';
import { Repository } from '../../../src/registry/repository.ts';
import { SessionLost } from '../../../src/registry/upload/session-lost.ts';
import type { UploadSession } from '../../../src/registry/upload/upload-session.ts';
import { Uploader } from '../../../src/registry/upload/uploader.ts';
import { sha256 } from '../../support/registry/content.ts';
import { type FakeOptions, FakeRegistry } from '../../support/registry/fake-registry.ts';
import type { Effect } from '../../support/registry/faults.ts';
import { never, noise, pieces, setup } from '../../support/registry/setup.ts';
import { closing } from '../../support/registry/opened.ts';

/** Bytes of a chunk; the smaller ones are 493 and 118. */
const chunk = 1000;
const bytes = noise(2500);
const digest = sha256(bytes);

async function begin(options: Partial<FakeOptions> = {}, overrides: Parameters<typeof setup>[0] = {}) {
  const fake = await FakeRegistry.start(options);
  const made = setup({ blockSize: chunk, ...overrides });
  const client = new RegistryClient(fake.host, made.options);
  closing(fake);
  closing(client);
  const uploader = new Uploader(new Repository(client, 'destination', 'dst'));
  const session = await uploader.session(null, never, 'a blob');
  const content = fake.repository('dst');
  return { fake, content, uploader, session, ...made };
}

type Begun = Awaited<ReturnType<typeof begin>>;

const answer = (status: number, body = '', headers: Record<string, string> = {}): Effect => ({
  kind: 'answer',
  status,
  body,
  headers,
});
const unknown = answer(404, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');

/** The ranges of the chunks that were sent, refused ones too. */
const ranges = ({ fake }: Begun) =>
  fake.sent('PATCH', /uploads/).map(({ headers }) => headers['content-range']);

async function send(session: UploadSession): Promise<void> {
  await session.append(bytes, never);
  await session.commit(digest, bytes.length, never);
}

function expectWhole({ content, fake }: Begun): void {
  expect(content.blobs.get(digest)?.equals(bytes)).toBe(true);
  expect(content.uploads.size).toBe(0);
  expect(fake.faults.unused).toEqual([]);
}

describe('chunks', () => {
  test('are cut at the limit, and each goes where the last answer said', async () => {
    const begun = await begin();
    await send(begun.session);
    expect(ranges(begun)).toEqual(['0-999', '1000-1999', '2000-2499']);
    expectWhole(begun);
  });

  test('of several blocks follow one another', async () => {
    const begun = await begin();
    await begun.session.append(bytes.subarray(0, 700), never);
    await begun.session.append(bytes.subarray(700), never);
    await begun.session.commit(digest, bytes.length, never);
    expect(ranges(begun)).toEqual(['0-699', '700-1699', '1700-2499']);
    expectWhole(begun);
  });

  test('are as long as the registry wants them at least', async () => {
    const begun = await begin({ smallestChunk: 1700 });
    expect(begun.session.minimum).toBe(1700);
    await send(begun.session);
    expect(ranges(begun)).toEqual(['0-1699', '1700-2499']);
  });

  test.each([413, 416] as const)(
    'that are refused by %i for their size are sent in smaller ones',
    async (tooLarge) => {
      const begun = await begin({ largestChunk: 500, tooLarge });
      await send(begun.session);
      expect(ranges(begun).slice(0, 3)).toEqual(['0-999', '0-492', '493-985']);
      expect(begun.clock.sleeps).toEqual([]);
      expectWhole(begun);
    },
  );

  test('that are too large at any size end in the refusal', async () => {
    const { session, fake } = await begin({ largestChunk: 10 });
    await expect(session.append(bytes, never)).rejects.toMatchObject({ code: 'REGISTRY', status: 413 });
    expect(fake.sent('PATCH', /./).map(({ body }) => body.length)).toEqual([1000, 493, 118]);
  });

  test('that are too large, but must not be smaller, end in the refusal', async () => {
    const { session, fake } = await begin({ smallestChunk: 1700, largestChunk: 1500 });
    await expect(session.append(bytes, never)).rejects.toMatchObject({ code: 'REGISTRY', status: 413 });
    expect(fake.sent('PATCH', /./).map(({ body }) => body.length)).toEqual([1700]);
  });

  test('that are taken in by a few bytes at a time end soon', async () => {
    const { session, fake } = await begin({ largestTaken: 3 });
    await expect(session.append(bytes, never)).rejects.toThrow(
      'the registry has taken in parts of chunks 64 times, the last time 3 of 1000 bytes',
    );
    expect(fake.sent('PATCH', /./)).toHaveLength(65);
  });

  test('on which the connection breaks twice become smaller, since a proxy may hang up on large ones', async () => {
    const begun = await begin();
    begun.fake.fault({ method: 'PATCH', path: /./, times: 2, effect: { kind: 'reset' } });
    await send(begun.session);
    expect(ranges(begun).slice(0, 3)).toEqual(['0-999', '0-999', '0-492']);
    expectWhole(begun);
  });
});

describe('after a failure whose effect is unknown, the registry is asked how much it has', () => {
  test.each<readonly [string, Effect, readonly string[]]>([
    ['nothing', { kind: 'reset' }, ['0-999', '1000-1999', '1000-1999', '2000-2499']],
    [
      'part of the chunk',
      { kind: 'swallow', bytes: 300, keep: true },
      ['0-999', '1000-1999', '1300-2299', '2300-2499'],
    ],
    ['all of the chunk', { kind: 'after', status: 502 }, ['0-999', '1000-1999', '2000-2499']],
    ['all of the chunk, by 416', { kind: 'after', status: 416 }, ['0-999', '1000-1999', '2000-2499']],
  ])('if it has %s the upload resumes there', async (_, effect, wanted) => {
    const begun = await begin();
    begun.fake.fault({ method: 'PATCH', path: /./, skip: 1, effect });
    await send(begun.session);
    expect(ranges(begun)).toEqual(wanted);
    expect(begun.fake.sent('GET', /uploads/)).toHaveLength(1);
    expectWhole(begun);
  });

  test.each([400, 405, 501])('and if it answers by %i the chunk is sent again', async (status) => {
    const begun = await begin();
    begun.fake.fault({ method: 'PATCH', path: /./, effect: answer(503) });
    begun.fake.fault({ method: 'GET', path: /./, effect: answer(status) });
    await send(begun.session);
    expect(ranges(begun).slice(0, 2)).toEqual(['0-999', '0-999']);
    expectWhole(begun);
  });

  test('and if it has more than was sent the session is lost', async () => {
    const { session, fake } = await begin();
    fake.fault({ method: 'PATCH', path: /./, effect: answer(503) });
    fake.fault({ method: 'GET', path: /./, effect: { kind: 'change', headers: { range: '0-5000' } } });
    await expect(session.append(bytes, never)).rejects.toThrow(
      /the registry has 5001 bytes of an upload that stood at 0: the upload is lost$/,
    );
  });

  test('as often as there are retries, with the delay that the registry asked for', async () => {
    const { session, fake, clock } = await begin({}, { retryTimes: 2 });
    fake.fault({ method: 'PATCH', path: /./, times: 9, effect: answer(429, '', { 'retry-after': '3' }) });
    await expect(session.append(bytes, never)).rejects.toThrow(/answered 429; tried 3 times$/);
    expect(fake.sent('PATCH', /./)).toHaveLength(3);
    expect(clock.sleeps.filter((pause) => pause === 3000)).toHaveLength(2);
  });
});

describe('a session is lost, so that only an upload from the start helps,', () => {
  test.each<readonly [string, Effect]>([
    ['a chunk', unknown],
    ['the question how much there is', unknown],
  ])('when the registry does not know it at %s', async (what, effect) => {
    const { session, fake } = await begin();
    if (what === 'a chunk') fake.fault({ method: 'PATCH', path: /./, effect });
    else {
      fake.fault({ method: 'PATCH', path: /./, effect: { kind: 'reset' } });
      fake.fault({ method: 'GET', path: /./, effect });
    }
    await expect(session.append(bytes, never)).rejects.toBeInstanceOf(SessionLost);
  });

  test('when a chunk is refused as out of order, and the registry cannot say what it has of it', async () => {
    const { session, fake } = await begin();
    fake.fault({ method: 'PATCH', path: /./, effect: { kind: 'swallow', bytes: 1, keep: true } });
    // One byte looks like none: `0-0`.
    await expect(session.append(bytes, never)).rejects.toBeInstanceOf(SessionLost);
  });

  test.each<readonly [string, Effect]>([
    ['is unknown', unknown],
    ['holds other bytes', answer(400, '{"errors":[{"code":"DIGEST_INVALID"}]}')],
    ['has another length', answer(400, '{"errors":[{"code":"SIZE_INVALID"}]}')],
  ])('when it %s at its commit', async (_, effect) => {
    const { session, fake } = await begin();
    fake.fault({ method: 'PUT', path: /./, effect });
    await expect(send(session)).rejects.toBeInstanceOf(SessionLost);
  });

  test('as an error of the registry with the advice to run the command again', async () => {
    const { session, fake } = await begin();
    fake.fault({ method: 'PATCH', path: /./, effect: unknown });
    await expect(session.append(bytes, never)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringMatching(/answered 404 BLOB_UPLOAD_UNKNOWN: the upload is lost$/) as string,
      advice: expect.stringContaining('Run the same command again') as string,
    });
  });
});

describe('a commit', () => {
  test.each<readonly [string, Effect]>([
    ['breaks', { kind: 'after', status: 'reset' }],
    ['fails by a gateway', { kind: 'after', status: 504 }],
    ['is unknown', { kind: 'after', status: 404 }],
  ])('that %s after it was done is not repeated: the blob exists', async (_, effect) => {
    const begun = await begin();
    begun.fake.fault({ method: 'PUT', path: /./, effect });
    await send(begun.session);
    expect(begun.fake.sent('PUT', /./)).toHaveLength(1);
    expectWhole(begun);
  });

  test('that fails before it is done is repeated', async () => {
    const begun = await begin();
    begun.fake.fault({ method: 'PUT', path: /./, times: 2, effect: answer(503) });
    await send(begun.session);
    expect(begun.fake.sent('PUT', /./)).toHaveLength(3);
    expectWhole(begun);
  });

  test('without the right to it is an error at once', async () => {
    const { session, fake } = await begin();
    fake.fault({ method: 'PUT', path: /./, effect: answer(403) });
    await expect(send(session)).rejects.toMatchObject({ code: 'DENIED' });
    expect(fake.sent('HEAD', /./)).toEqual([]);
  });

  test('under another digest than the registry computes is a mismatch', async () => {
    const { session, fake } = await begin();
    const headers = { 'docker-content-digest': sha256(Buffer.from('other')) };
    fake.fault({ method: 'PUT', path: /./, effect: { kind: 'change', headers } });
    await expect(send(session)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });
});

describe('a blob in one request', () => {
  test('goes up in the closing PUT, in memory or as it comes', async () => {
    const whole = await begin();
    await whole.session.put(digest, bytes, never);
    expectWhole(whole);
    const streamed = await begin();
    await streamed.session.stream(digest, bytes.length, pieces(bytes, 100), never);
    expectWhole(streamed);
    expect(streamed.fake.sent('PUT', /./)[0]?.headers['content-length']).toBe('2500');
    expect([...ranges(whole), ...ranges(streamed)]).toEqual([]);
  });

  test('that fails says how, and is not sent again by the session', async () => {
    const { session, fake } = await begin();
    fake.fault({ method: 'PUT', path: /./, effect: answer(503) });
    await expect(session.put(digest, bytes, never)).rejects.toMatchObject({ status: 503, transient: true });
    expect(fake.sent('PUT', /./)).toHaveLength(1);
  });

  test('of unknown length goes up without chunks, once', async () => {
    const begun = await begin();
    await begun.session.pour(pieces(bytes, 100), never);
    await begun.session.commit(digest, bytes.length, never);
    expect(ranges(begun)).toEqual([undefined]);
    expectWhole(begun);
    const failing = await begin();
    failing.fake.fault({ method: 'PATCH', path: /./, effect: answer(502) });
    await expect(failing.session.pour(pieces(bytes, 100), never)).rejects.toBeInstanceOf(SessionLost);
    const refused = await begin();
    refused.fake.fault({ method: 'PATCH', path: /./, effect: answer(403) });
    const outcome = refused.session.pour(pieces(bytes, 100), never);
    await expect(outcome).rejects.toSatisfy(
      (error) => error instanceof ExchangeError && error.status === 403,
    );
  });

  test('whose stream fails throws the failure of the stream', async () => {
    const { session } = await begin();
    async function* failing() {
      yield bytes;
      throw new Error('no more');
    }
    await expect(session.pour(failing(), never)).rejects.toThrow('no more');
  });
});

describe('cancellation', () => {
  test('by the signal ends a chunk that is under way, and sends none after it', async () => {
    const { session, fake } = await begin();
    fake.fault({ method: 'PATCH', path: /./, effect: { kind: 'silent', reads: true } });
    const stop = new AbortController();
    const appending = session.append(bytes, stop.signal);
    await eventually(() => expect(fake.faults.unused).toEqual([]));
    stop.abort(new Error('stopped'));
    await expect(appending).rejects.toThrow('stopped');
    expect(fake.sent('PATCH', /./).length).toBeLessThanOrEqual(1);
  });

  test('of the session removes it at the registry, once', async () => {
    const { session, fake, content } = await begin();
    await session.append(bytes, never);
    await session.cancel();
    await session.cancel();
    expect(fake.sent('DELETE', /uploads/)).toHaveLength(1);
    expect(content.uploads.size).toBe(0);
  });

  test('of a committed session sends nothing, and its failure is ignored', async () => {
    const begun = await begin();
    await send(begun.session);
    await begun.session.cancel();
    expect(begun.fake.sent('DELETE', /./)).toEqual([]);
    const refused = await begin();
    refused.fake.fault({ method: 'DELETE', path: /./, effect: answer(500) });
    await refused.session.cancel();
    expect(refused.fake.faults.unused).toEqual([]);
  });
});

describe('an uploader', () => {
  test('sends a blob in chunks when the registry refuses it whole for its size', async () => {
    const begun = await begin({ largestPut: 100, largestChunk: 600 });
    const small = bytes.subarray(0, 900);
    await begun.uploader.whole(small, sha256(small), never);
    expect(begun.fake.sent('PATCH', /./).map(({ body }) => body.length)).toEqual([493, 407]);
    expect(begun.content.blobs.get(sha256(small))?.equals(small)).toBe(true);
  });

  test.each<readonly [string, Effect, boolean]>([
    ['refused is left to chunks', answer(405), false],
    ['took in, whatever it answered, is done', { kind: 'after', status: 500 }, true],
  ])('streams no more blobs after a failure; the stream that the registry %s', async (_, effect, isDone) => {
    const begun = await begin();
    begun.fake.fault({ method: 'PUT', path: /./, effect });
    expect(begun.uploader.streams(bytes.length)).toBe(true);
    const seal = { digest, size: bytes.length };
    expect(await begun.uploader.pass(pieces(bytes, 100), seal, never, null)).toBe(isDone);
    expect(begun.uploader.streams(bytes.length)).toBe(false);
  });

  test('starts over, by chunks, when a stream breaks', async () => {
    const begun = await begin();
    begun.fake.fault({ method: 'PUT', path: /./, effect: { kind: 'reset' } });
    const passing = begun.uploader.pass(pieces(bytes, 100), { digest, size: bytes.length }, never, null);
    await expect(passing).rejects.toBeInstanceOf(SessionLost);
    expect(begun.uploader.streams(bytes.length)).toBe(false);
  });
});
