import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { OcislimError } from '../../../src/errors.ts';
import { buildIndex } from '../../support/image-builder.ts';
import { FakeRegistry } from '../../support/registry/fake-registry.ts';
import type { Effect } from '../../support/registry/faults.ts';
import { fill, noisyImage, runImage } from '../../support/registry/image-run.ts';
import { sha256 } from '../../support/registry/content.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

const image = noisyImage();

async function start(): Promise<FakeRegistry> {
  const fake = await startRegistry();
  fill(fake, 'app', image);
  return fake;
}

/** A server that answers each method always alike, whatever it is asked for. */
async function always(statuses: Readonly<Record<string, number>>): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const headers = { location: '/v2/dst/blobs/uploads/x' };
      response.writeHead(statuses[request.method ?? ''] ?? 200, headers).end();
    });
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
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.each(['copy', 'squash'] as const)('a %s to a registry that lies', (name) => {
  test.each<readonly [string, Readonly<Record<string, number>>]>([
    ['200', {}],
    ['201', { HEAD: 201, GET: 201, POST: 201, PUT: 201, PATCH: 201 }],
    ['202', { HEAD: 202, GET: 202, POST: 202, PUT: 202, PATCH: 202 }],
    [
      'yes to whatever is sent, and no to whatever is asked',
      { HEAD: 404, GET: 404, POST: 202, PUT: 201, PATCH: 202 },
    ],
    ['204', { HEAD: 204, GET: 204, POST: 204, PUT: 204, PATCH: 204 }],
  ])('N13: a server that says %s to everything is not believed', async (_, statuses) => {
    const from = await start();
    const to = await always(statuses);
    const { error } = await runImage(`${from.host}/app:v1`, `${to}/dst:v1`, name);
    expect(error).toMatchObject({
      name: 'OcislimError',
      message: expect.stringContaining('destination') as string,
    });
  });

  const yes: Effect = { kind: 'answer', status: 201 };
  test.each<readonly [string, string, RegExp, RegExp]>([
    ['a tag', 'PUT', /manifests\/v1/, /tag v1 is not there/],
    ['manifests', 'PUT', /manifests/, /tag v1 is not there/],
    ['blobs', 'PUT', /uploads/, /took what was sent, but blob sha256:\w+ is not there/],
  ])(
    'N13: a registry that says yes to %s and throws them away is noticed',
    async (_, method, path, sentence) => {
      const from = await start();
      const to = await start();
      to.fault({ method, path, times: 999, effect: yes });
      const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
      // Only what was looked at is said to be there.
      const isThere = to.repository('dst').manifests.size > 0;
      expect((error as OcislimError).advice?.includes('is there by its digest') ?? false).toBe(isThere);
      expect(error).toMatchObject({ code: 'REGISTRY', message: expect.stringMatching(sentence) as string });
      expect(to.repository('dst').tags.size).toBe(0);
    },
  );

  const lies = [
    ['throws it away', 'drop', / is not there/],
    ['keeps only a part', 'cut', / is \d+ bytes long there, not \d+/],
    ['keeps other bytes', 'change', / has the digest sha256:\w+ there/],
  ] as const;

  test.each(lies)(
    'N13: a registry that takes a blob, %s, and takes the manifest, gets no manifest',
    async (_, commits, sentence) => {
      const from = await start();
      const to = await startRegistry({ commits, trusting: true });
      const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
      expect(error).toMatchObject({ code: 'REGISTRY', message: expect.stringMatching(sentence) as string });
      expect(to.sent('PUT', /manifests/)).toEqual([]);
    },
  );

  test.each(lies)('N13: a blob of which a registry once %s is sent once more', async (_, commits) => {
    const from = await start();
    const to = await startRegistry({ commits, trusting: true, faultyCommits: 1 });
    const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
    expect(error).toBeNull();
    const content = to.repository('dst');
    expect(content.tags.size).toBe(1);
    for (const [digest, bytes] of content.blobs) expect(sha256(bytes)).toBe(digest);
  });

  test.each([1, 999])(
    'N13: a registry that takes manifests of an index and throws them away, %i times, is noticed',
    async (times) => {
      const from = await startRegistry();
      const to = await startRegistry({ trusting: true });
      const images = [image, noisyImage([1000, 2000, 3000])];
      for (const each of [...images, buildIndex({ images })]) fill(from, 'app', each);
      to.fault({ method: 'PUT', path: /manifests\/sha256/, times, effect: yes });
      const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
      if (times === 1) {
        expect(error).toBeNull();
        expect(to.repository('dst').manifests.size).toBe(3);
        return;
      }
      expect(error).toMatchObject({
        code: 'REGISTRY',
        message: expect.stringMatching(/took what was sent, but manifest sha256:\w+ is not there/) as string,
      });
      expect(to.repository('dst').tags.size).toBe(0);
    },
  );

  test('a registry that knows no HEAD is asked by GET, and believed', async () => {
    const from = await start();
    const to = await start();
    const unknown: Effect = { kind: 'answer', status: 404 };
    to.fault({ method: 'HEAD', path: /./, times: 999, effect: unknown });
    const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
    expect(error).toBeNull();
    expect(to.repository('dst').tags.size).toBe(1);
    expect(to.sent('PUT', /uploads/).length).toBe(to.repository('dst').blobs.size);
  });

  test.each(lies)('N13: nor is one believed that tells no length and %s', async (_, commits) => {
    const from = await start();
    const to = await startRegistry({ commits, trusting: true, headLength: false });
    const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
    expect(error).toMatchObject({ code: 'REGISTRY' });
    expect(to.repository('dst').tags.size).toBe(0);
  });

  test('N13: each new blob is looked at once, and none that the registry had', async () => {
    const from = await start();
    const to = await start();
    const heads = (): number => to.sent('HEAD', /v2\/app\/blobs/).length;
    await runImage(`${from.host}/app:v1`, `${to.host}/app:v2`, 'copy');
    expect(heads()).toBe(4);
    to.repository('app').blobs.clear();
    await runImage(`${from.host}/app:v1`, `${to.host}/app:v3`, 'copy');
    expect(heads()).toBe(4 + 4 + 4);
  });

  test('N13: a mount that did not happen is noticed, and the blob is copied', async () => {
    const fake = await startRegistry({ mounts: 'lie' });
    fill(fake, 'app', image);
    const { error } = await runImage(`${fake.host}/app:v1`, `${fake.host}/dst:v1`, name);
    expect(error).toBeNull();
    expect(fake.sent('POST', /mount=/).length).toBeGreaterThan(0);
    expect(fake.repository('dst').tags.size).toBe(1);
  });

  test('N13: an old image under the tag is not taken for the new one', async () => {
    const from = await start();
    const to = await start();
    const old = to
      .repository('dst')
      .addManifest({ schemaVersion: 2, old: true }, image.descriptor.mediaType, 'v1');
    to.fault({ method: 'PUT', path: /manifests\/v1/, effect: yes });
    const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
    expect(error).toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining(`tag v1 is ${old.digest}, not `) as string,
    });
  });
});
