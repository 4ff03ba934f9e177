import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { openSource, openTarget } from '../../../src/jobs/open.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';
import { RegistryClients } from '../../../src/registry/clients.ts';
import { runTransform } from '../../support/run-image.ts';
import type { FakeRegistry } from '../../support/registry/fake-registry.ts';
import type { Effect, Fault, ServerName } from '../../support/registry/faults.ts';
import { fill, noisyImage, transforms } from '../../support/registry/image-run.ts';
import { startRegistry } from '../../support/registry/opened.ts';
import { block, setup } from '../../support/registry/setup.ts';
import { tokenAuth } from '../../support/registry/tokens.ts';

const image = noisyImage([5000, 30_000, block + 40_000]);

/** More requests than any run here needs. */
const mostRequests = 400;

/** A port on which nothing listens. */
let dead = 0;
beforeAll(async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  dead = (server.address() as AddressInfo).port;
  server.close();
});

/** A request that always gets the same answer. `first`: faults that bring a run to it. */
interface Kind {
  readonly method: string;
  readonly path: RegExp;
  readonly server?: ServerName;
  readonly first?: readonly Fault[];
}

const kinds: Readonly<Record<string, Kind>> = {
  'the base of the API': {
    method: 'GET',
    path: /^\/v2\/$/,
    first: [{ method: 'HEAD', path: /manifests/, effect: { kind: 'answer', status: 401 } }],
  },
  'a token': { method: 'GET', path: /./, server: 'tokens' },
  'HEAD of a manifest': { method: 'HEAD', path: /manifests/ },
  'GET of a manifest': { method: 'GET', path: /manifests/ },
  'PUT of a manifest': { method: 'PUT', path: /manifests/ },
  'a list of referrers': { method: 'GET', path: /referrers/ },
  'HEAD of a blob': { method: 'HEAD', path: /blobs\/sha256/ },
  'GET of a blob': { method: 'GET', path: /blobs\/sha256/ },
  'POST of an upload': { method: 'POST', path: /uploads/ },
  'PATCH of an upload': { method: 'PATCH', path: /uploads/ },
  'PUT of an upload': { method: 'PUT', path: /uploads/ },
  'GET of an upload': {
    method: 'GET',
    path: /uploads/,
    first: [{ method: 'PATCH', path: /uploads/, times: 99, effect: { kind: 'answer', status: 500 } }],
  },
  'DELETE of an upload': {
    method: 'DELETE',
    path: /uploads/,
    first: [{ method: 'PATCH', path: /uploads/, times: 99, effect: { kind: 'answer', status: 404 } }],
  },
};

const indexType = 'application/vnd.oci.image.index.v1+json';
const emptyIndex = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] });
const session = { location: '', range: '0-0' };

type Answer = (fake: FakeRegistry) => Effect;
const answer =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answer =>
  () => ({ kind: 'answer', status, headers, body });

const answers: Readonly<Record<string, Answer>> = {
  'a redirect to itself': answer(307, { location: '' }),
  'a permanent redirect to itself': answer(308, { location: '' }),
  'a redirect to itself for GET': answer(303, { location: '' }),
  'a redirect to https on its own port': ({ host }) => ({
    kind: 'answer',
    status: 307,
    headers: { location: `https://${host}/x` },
  }),
  'a redirect to https on another port': () => ({
    kind: 'answer',
    status: 307,
    headers: { location: `https://127.0.0.1:${dead}/x` },
  }),
  'an upload on https, on its own port': ({ host }) => ({
    kind: 'answer',
    status: 202,
    headers: { location: `https://${host}/v2/app/blobs/uploads/x` },
  }),
  'an upload on https, on another port': () => ({
    kind: 'answer',
    status: 202,
    headers: { location: `https://127.0.0.1:${dead}/v2/app/blobs/uploads/x` },
  }),
  'a login by password': answer(401, { 'www-authenticate': 'Basic realm="x"' }),
  'a login by a token': (fake) => ({
    kind: 'answer',
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="${fake.origin('tokens')}/token",service="x"` },
  }),
  'a login by a wider token each time': (fake) => ({
    kind: 'answer',
    status: 401,
    headers: {
      'www-authenticate': `Bearer realm="${fake.origin('tokens')}/token",scope="repository:a:pull repository:b:push"`,
    },
  }),
  'a login without a challenge': answer(401),
  'that others were faster': answer(429, { 'retry-after': '0' }),
  'that others were faster, with a pause': answer(429, { 'retry-after': '1' }),
  'a long pause': answer(503, { 'retry-after': '86400' }),
  'an outage': answer(503),
  'that it is too large': answer(413),
  'a range that is wrong': answer(416),
  'a range that is wrong, and where it stands': answer(416, session),
  'that it is not there': answer(404),
  'that a blob is missing': answer(404, {}, '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}'),
  'that a session is gone': answer(404, {}, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}'),
  'nothing, with success': answer(200),
  'that it was made': answer(201),
  'a session that stands still': answer(202, session),
  'a session that wants chunks larger than it takes': (fake) => ({
    kind: 'answer',
    status: 202,
    headers: {
      location: `${fake.origin('registry')}/v2/app/blobs/uploads/x`,
      'oci-chunk-min-length': '60000000',
    },
  }),
  'no content': answer(204, session),
  'a part that begins elsewhere': answer(206, { 'content-range': 'bytes 5-9/10' }, 'abcde'),
  'a page that leads to itself': answer(
    200,
    { 'content-type': indexType, link: '<>; rel="next"' },
    emptyIndex,
  ),
  'another page each time': answer(
    200,
    { 'content-type': indexType, link: '<?n=1>; rel="next"' },
    emptyIndex,
  ),
  'the end of the connection': () => ({ kind: 'reset' }),
  'the end of the connection after all that was asked for': () => ({ kind: 'after', status: 'reset' }),
  'a body that breaks off': () => ({ kind: 'cut', bytes: 100, ending: 'reset' }),
  'a body that ends too early': () => ({ kind: 'cut', bytes: 100, ending: 'whole' }),
  'less of a range than was asked for': () => ({ kind: 'short', bytes: 100 }),
  'other bytes': () => ({ kind: 'change', body: (bytes) => bytes.map((byte) => byte ^ 1) }),
};

/** Runs everything that a run may ask of a registry. Returns its error, or null. */
async function exercise(kind: Kind, effectOf: Answer): Promise<unknown> {
  const stop = new AbortController();
  let count = 0;
  const fake = await startRegistry({
    auth: tokenAuth({ username: 'bob', password: 'secret' }),
    referrers: true,
    largestPut: 40_000,
    onRequest: () => {
      count += 1;
      if (count > mostRequests) stop.abort(new Error(`there is no end to the requests`));
    },
  });
  fill(fake, 'src', image);
  for (const fault of kind.first ?? []) fake.fault(fault);
  const effect = effectOf(fake);
  fake.fault({ ...kind, times: Number.POSITIVE_INFINITY, effect });
  const { options } = setup({
    clients: new RegistryClients(),
    largestStream: 0,
    credentials: () =>
      Promise.resolve({ kind: 'basic', username: 'bob', password: new Secret('secret') } as const),
  });
  const { signal } = stop;
  let error: unknown = null;
  await using source = await openSource(parseReference(`${fake.host}/src:v1`), options);
  await using target = await openTarget([parseReference(`${fake.host}/app:v1`)], options, signal);
  try {
    await source.head(signal);
    await source.referrers(image.descriptor.digest as never, signal).catch(() => []);
    await runTransform({ source, target, transform: transforms.squash, listener: options.listener, signal });
  } catch (reason) {
    error = reason;
  }
  signal.throwIfAborted();
  expect(fake.faults.hits.map((hit) => hit.effect)).toContain(effect);
  return error;
}

describe.each(Object.entries(kinds))('%s, with one answer for ever', (_, kind) => {
  test.each(Object.entries(answers))(
    'N22: always answered by %s: an end after a bounded number of requests',
    async (_, effectOf) => {
      const error = await exercise(kind, effectOf);
      if (error !== null) expect(error).toMatchObject({ name: 'OcislimError' });
    },
  );
});

test.each(['a redirect to https on its own port', 'a redirect to https on another port'])(
  'a registry in plain HTTP that calls itself by https is said to do so: %s',
  async (name) => {
    const error = await exercise(kinds['GET of a blob'] as Kind, answers[name] as Answer);
    expect(error).toMatchObject({
      code: 'NETWORK',
      advice: expect.stringContaining('http.host of docker-registry') as string,
    });
  },
);
