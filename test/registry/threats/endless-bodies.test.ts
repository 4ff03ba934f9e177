import { once } from 'node:events';
import { Readable } from 'node:stream';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { makeDescriptor } from '../../../src/oci/descriptor.ts';
import { mediaTypes } from '../../../src/oci/media-type.ts';
import type { Source } from '../../../src/place/place.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { openRegistryTarget } from '../../../src/registry/target.ts';
import { type HttpAnswer, readHead } from '../../../src/registry/http/transport.ts';
import { sha256 } from '../../support/registry/content.ts';
import { drain, FakeClock, never, noise, refer, setup } from '../../support/registry/setup.ts';
import { KiB, MiB } from '../../../src/units.ts';
import { closing } from '../../support/registry/opened.ts';

interface Endless {
  readonly host: string;
  /** Bytes that were written to the bodies, as far as the client let them. */
  readonly written: () => number;
}

/** A server whose answers to the requests that fit have no end; it answers others as told. */
async function endless(
  path: RegExp,
  status: number,
  headers: Readonly<Record<string, string>>,
  others: (url: string, response: ServerResponse, host: string) => void = (_url, response) =>
    void response.writeHead(404).end(),
): Promise<Endless> {
  let written = 0;
  const piece = Buffer.alloc(64 * KiB, ' ');
  const server = createServer((request, response) => {
    request.resume();
    const url = request.url ?? '';
    if (!path.test(url) || request.method === 'HEAD') {
      others(url, response, request.headers.host ?? '');
      return;
    }
    response.writeHead(status, headers);
    const more = (): void => {
      while (!response.destroyed) {
        written += piece.length;
        if (!response.write(piece)) {
          response.once('drain', more);
          return;
        }
      }
    };
    more();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing({
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, written: () => written };
}

function sourceOf(host: string): Source {
  const source = closing(openRegistrySource(refer(`${host}/app:v1`), setup({ retryTimes: 1 }).options));
  return source;
}

const digest = sha256(noise(10));
/** Bytes that may be in the buffers of two sockets and of the client. */
const buffers = 16 * MiB;

test('N6: an endless manifest ends at 4 MiB', async () => {
  const server = await endless(/manifests/, 200, { 'content-type': mediaTypes.ociManifest });
  await expect(sourceOf(server.host).root(never)).rejects.toMatchObject({ code: 'LIMIT' });
  expect(server.written()).toBeLessThan(4 * MiB + buffers);
});

test('N6: so does an endless list of referrers', async () => {
  const server = await endless(/referrers/, 200, { 'content-type': mediaTypes.ociIndex });
  await expect(sourceOf(server.host).referrers(digest, never)).rejects.toMatchObject({ code: 'LIMIT' });
  expect(server.written()).toBeLessThan(4 * MiB + buffers);
});

test('N6: a list of referrers whose pages have no end is given up', async () => {
  let pages = 0;
  const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
  const server = await endless(/never/, 200, {}, (url, response) => {
    if (!url.includes('/referrers/')) {
      response.writeHead(404).end();
      return;
    }
    pages += 1;
    const link = `</v2/app/referrers/${digest}?page=${pages}>; rel="next"`;
    response.writeHead(200, { 'content-type': mediaTypes.ociIndex, link }).end(index);
  });
  expect(await sourceOf(server.host).referrers(digest, never)).toEqual([]);
  expect(pages).toBe(50);
});

test.each([400, 403, 404, 500])(
  'N6: of an endless error %i no more than its beginning is read',
  async (status) => {
    const server = await endless(/./, status, { 'content-type': 'text/plain' });
    await expect(sourceOf(server.host).root(never)).rejects.toMatchObject({ name: 'OcislimError' });
    expect(server.written()).toBeLessThan(2 * buffers);
  },
);

test('N6: an endless token ends at 128 KiB', async () => {
  const server = await endless(
    /token/,
    200,
    { 'content-type': 'application/json' },
    (_url, response, host) => {
      const challenge = `Bearer realm="http://${host}/token"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    },
  );
  await expect(sourceOf(server.host).root(never)).rejects.toThrow(/longer than 128 KiB$/);
  expect(server.written()).toBeLessThan(buffers);
});

test('N6: an endless blob ends with the last byte that its descriptor promises', async () => {
  const server = await endless(/blobs/, 200, { 'content-type': 'application/octet-stream' });
  const source = sourceOf(server.host);
  let received = 0;
  const reading = (async () => {
    for await (const chunk of source.blob(makeDescriptor('x', digest, 1_000_000), never))
      received += chunk.length;
  })();
  await expect(reading).rejects.toMatchObject({ name: 'OcislimError' });
  expect(received).toBeLessThanOrEqual(1_000_000);
  expect(server.written()).toBeLessThan(2 * buffers);
});

test('N6: the endless body of a redirect, of a 401 and of an accepted upload is not read', async () => {
  for (const [status, headers] of [
    [307, { location: '/v2/elsewhere' }],
    [401, { 'www-authenticate': 'Basic realm="x"' }],
  ] as const) {
    const server = await endless(/manifests/, status, headers);
    await expect(sourceOf(server.host).root(never)).rejects.toMatchObject({ name: 'OcislimError' });
    expect(server.written()).toBeLessThan(2 * buffers);
  }
  const server = await endless(/uploads/, 202, { location: '/v2/app/blobs/uploads/x' });
  const target = openRegistryTarget([refer(`${server.host}/app:v1`)], setup().options);
  const bytes = noise(1000);
  await target.put(bytes, makeDescriptor('x', sha256(bytes), bytes.length), never);
  await target.close();
  expect(server.written()).toBeLessThan(2 * buffers);
});

test('N6: headers without end are an error', async () => {
  const server = await endless(/never/, 200, {}, (_url, response) => {
    response.writeHead(200, { 'x-long': 'x'.repeat(200_000) }).end();
  });
  await expect(sourceOf(server.host).root(never)).rejects.toMatchObject({ code: 'NETWORK' });
  await expect(
    drain(sourceOf(server.host).blob(makeDescriptor('x', digest, 10), never)),
  ).rejects.toMatchObject({
    code: 'NETWORK',
  });
});

/** Yields bytes without end, each of which takes 5 ms by the clock of the client. */
async function* trickle(clock: FakeClock): AsyncGenerator<Uint8Array> {
  for (;;) {
    await new Promise(setImmediate);
    clock.time += 5;
    yield Buffer.from(' ');
  }
}

test('N6: of an error that only trickles no more is read than comes in ten seconds', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const body = Readable.from(trickle(new FakeClock()));
    const answer = { status: 500, headers: {}, url: new URL('http://fake'), body } as unknown as HttpAnswer;
    const reading = readHead(answer, 64 * KiB);
    await vi.advanceTimersByTimeAsync(9999);
    expect(body.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await reading).length).toBeLessThan(64 * KiB);
    expect(body.destroyed).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

test('N6: a token that only trickles is given up', async () => {
  let tokens = 0;
  const { options, clock } = setup({ retryTimes: 1, timeoutMs: 5000 });
  const server = await endless(/never/, 200, {}, (url, response, host) => {
    if (!url.startsWith('/token')) {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token"` }).end();
      return;
    }
    tokens += 1;
    response.writeHead(200, { 'content-type': 'application/json' });
    Readable.from(trickle(clock))
      .pipe(response)
      .on('close', () => response.destroy());
  });
  const source = closing(openRegistrySource(refer(`${server.host}/app:v1`), options));
  await expect(source.root(never)).rejects.toMatchObject({
    code: 'NETWORK',
    message: expect.stringContaining('no whole answer came in 5000 ms') as string,
  });
  expect(tokens).toBe(2);
});

test('N6: a manifest, a list of referrers or a blob that only trickles is given up: less than 16 KiB in a whole timeout', async () => {
  const { options, clock } = setup({ retryTimes: 0, timeoutMs: 5000 });
  const server = await endless(/never/, 200, {}, (url, response) => {
    response.writeHead(200, {
      'content-type': /blobs/.test(url) ? 'application/octet-stream' : mediaTypes.ociIndex,
    });
    Readable.from(trickle(clock))
      .pipe(response)
      .on('close', () => response.destroy());
  });
  const source = closing(openRegistrySource(refer(`${server.host}/app:v1`), options));
  for (const reading of [
    () => source.root(never),
    () => source.referrers(digest, never),
    () => drain(source.blob(makeDescriptor('x', digest, 1_000_000), never)),
  ])
    await expect(reading()).rejects.toThrow(/hardly any bytes came in 5000 ms/);
});
