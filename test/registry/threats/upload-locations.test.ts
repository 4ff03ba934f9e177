import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { Target } from '../../../src/place/place.ts';
import type { RegistryOptions } from '../../../src/registry/lease.ts';
import { openRegistryTarget } from '../../../src/registry/target.ts';
import { makeCertificate } from '../../support/registry/certificate.ts';
import { sha256 } from '../../support/registry/content.ts';
import { FakeRegistry } from '../../support/registry/fake-registry.ts';
import { block, never, noise, pieces, refer, setup } from '../../support/registry/setup.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

const basic = { kind: 'basic', username: 'bob', password: 'canary' } as const;
const small = noise(10_000);
const large = noise(2 * block + 100_000, 7);

function targetOf(fake: FakeRegistry, overrides: Partial<RegistryOptions> = {}): Target {
  const { options } = setup({
    credentials: () => Promise.resolve({ ...basic, password: new Secret(basic.password) }),
    ...overrides,
  });
  const target = closing(openRegistryTarget([refer(`${fake.host}/dst:v1`)], options));
  return target;
}

async function push(target: Target, bytes: Buffer): Promise<void> {
  const staged = await target.stage(() => pieces(bytes), never);
  await staged.commit(sha256(bytes), bytes.length, never);
}

test('N5: an upload on another origin goes there without credentials', async () => {
  const fake = await startRegistry({ storage: true, auth: basic });
  const target = targetOf(fake);
  await push(target, large);
  await push(target, small);
  const stored = fake.requests.filter(({ server }) => server === 'storage');
  expect(stored.map(({ method }) => method)).toEqual(['PATCH', 'PATCH', 'PATCH', 'PUT', 'PUT']);
  expect(stored.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  expect(fake.repository('dst').blobs.get(sha256(large))?.equals(large)).toBe(true);
  expect(fake.repository('dst').blobs.get(sha256(small))?.equals(small)).toBe(true);
});

test('N5: another host that asks for a login gets none, whatever it says', async () => {
  const fake = await startRegistry({ auth: basic });
  const thief = await startRegistry({ auth: basic });
  fake.fault({
    method: 'POST',
    path: /uploads/,
    times: 9,
    effect: { kind: 'change', headers: { location: `${thief.origin('registry')}/v2/dst/blobs/uploads/x` } },
  });
  await expect(push(targetOf(fake), small)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  await expect(push(targetOf(fake), large)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  expect(thief.requests.length).toBeGreaterThan(0);
  expect(thief.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
});

test.each([
  ['', /gave no Location/],
  ['http://', /gave no Location/],
  ['ftp://127.0.0.1/x', /which is not HTTP; refused/],
  ['file:///etc/passwd', /which is not HTTP; refused/],
  ['http://bob:canary@127.0.0.1/x', /a URL with a user name; refused/],
])('N5: an upload location of %j is refused', async (location, sentence) => {
  const fake = await startRegistry();
  fake.fault({
    method: 'POST',
    path: /uploads/,
    effect: { kind: 'change', headers: { location: location === '' ? null : location } },
  });
  await expect(push(targetOf(fake), large)).rejects.toThrow(sentence);
});

test('N5: an upload location with TLS at a registry without it fails, and is asked for once', async () => {
  const fake = await startRegistry();
  fake.fault({
    method: 'POST',
    path: /uploads/,
    effect: { kind: 'change', headers: { location: `https://${fake.host}/v2/dst/blobs/uploads/x` } },
  });
  await expect(push(targetOf(fake), small)).rejects.toMatchObject({
    code: 'NETWORK',
    message: expect.stringContaining('does not speak TLS') as string,
  });
  expect(fake.sent('POST', /uploads/)).toHaveLength(1);
});

test('N5: nor is one without TLS taken of a registry with TLS', async () => {
  const certificate = makeCertificate();
  const fake = await startRegistry({ tls: certificate });
  const thief = await startRegistry();
  fake.fault({
    method: 'POST',
    path: /uploads/,
    effect: { kind: 'change', headers: { location: `${thief.origin('registry')}/x` } },
  });
  await expect(push(targetOf(fake, { authorities: [certificate.cert] }), small)).rejects.toThrow(
    /not encrypted; refused/,
  );
  expect(thief.requests).toEqual([]);
});

test.each<readonly [string, (path: string, host: string) => string]>([
  ['a whole URL', (path, host) => `http://${host}${path}`],
  ['a path', (path) => path],
  ['a path without its beginning', (path) => path.replace('/v2/dst/blobs/uploads/', '')],
  ['a URL without a scheme', (path, host) => `//${host}${path}`],
  ['a URL with a fragment', (path) => `${path}#fragment`],
  ['a query that is odd', (path) => `${path}&a=%0d%0aAuthorization:%20x&b=%23&c`],
])('N5: %s as a location is taken as it is, with the digest at its end', async (_, make) => {
  const fake = await startRegistry({ auth: basic });
  const content = fake.repository('dst');
  const upload = content.begin();
  const path = `/v2/dst/blobs/uploads/${upload.id}?_state=${upload.state}%3D`;
  fake.fault({
    method: 'POST',
    path: /uploads/,
    effect: { kind: 'change', headers: { location: make(path, fake.host) } },
  });
  await push(targetOf(fake), small);
  const query = make(path, fake.host).split('?')[1]?.split('#')[0] ?? '';
  expect(fake.sent('PUT', /uploads/).map((request) => request.path)).toEqual([
    `/v2/dst/blobs/uploads/${upload.id}?${query}&digest=${encodeURIComponent(sha256(small))}`,
  ]);
  expect(content.blobs.get(sha256(small))?.equals(small)).toBe(true);
});

test.each([
  ['a carriage return', '/v2/x\rX-Injected: 1'],
  ['a line end that begins a header', '/v2/x\nX-Injected: 1'],
  ['a line that goes on', '/v2/x\r\n  http://evil.example/'],
  ['a NUL', '/v2/x\0y'],
  ['two of them', '/v2/x\r\nLocation: http://evil.example/y'],
])('N5: %s in a location makes no header and no other place of it', async (_, location) => {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      asked.push(text);
      const [method] = text.split(' ');
      if (method === 'POST')
        socket.write(`HTTP/1.1 202 Accepted\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`);
      else socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing({ close: async () => void server.close() });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { options } = setup({
    credentials: () => Promise.resolve({ ...basic, password: new Secret(basic.password) }),
    retryTimes: 0,
  });
  const target = closing(openRegistryTarget([refer(`${host}/dst:v1`)], options));
  await expect(push(target, small)).rejects.toMatchObject({ name: 'OcislimError' });
  for (const text of asked) {
    expect(text).not.toMatch(/^x-injected/im);
    expect(text).not.toMatch(/evil\.example/);
    expect(text).not.toMatch(/^authorization/im);
  }
});
