import { rename, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../support/image-builder.ts';
import { ask } from '../../support/store/asking.ts';
import { afterwards, blobPath, newFolder, refused } from '../../support/store/local.ts';
import { image, pushImage, serve, serveFolder } from '../../support/store/serving.ts';

describe('N20: a registry answers for itself alone', () => {
  const own = [
    'localhost',
    'LOCALHOST:80',
    'localhost.:5000',
    'app.localhost',
    '127.0.0.1',
    '127.9.9.9:1',
    '[::1]:5000',
  ];
  const others = [
    'evil.example',
    'evil.example:5000',
    'localhost.evil.example',
    'notlocalhost',
    '127.0.0.1.evil.example',
    '169.254.169.254',
    '10.0.0.1:5000',
    '0.0.0.0',
    '[::ffff:10.0.0.1]',
    '[fe80::1]',
    'evil.example#localhost',
    'localhost/evil.example',
    'localhost@evil.example',
    'a b',
  ];

  test.each(own)('by the name %j', async (host) => {
    const server = await serve();
    expect((await ask(server, 'GET', '/v2/', { headers: { host } })).status).toBe(200);
  });

  test.each(others)('not by the name %j', async (host) => {
    const server = await serve();
    const refusal = await ask(server, 'GET', '/v2/', { headers: { host } });
    expect([refusal.status, refusal.code]).toEqual([403, 'DENIED']);
    expect((await ask(server, 'POST', '/v2/app/blobs/uploads/', { headers: { host } })).status).toBe(403);
  });

  test('by further names where they are allowed, with any port', async () => {
    const server = await serve({
      allowHosts: ['Registry.Example', 'host.docker.internal:5000', '10.0.0.1', '::5'],
    });
    for (const host of [
      'registry.example',
      'REGISTRY.example:81',
      'host.docker.internal',
      '10.0.0.1:5',
      '[::5]',
    ])
      expect((await ask(server, 'GET', '/v2/', { headers: { host } })).status, host).toBe(200);
    for (const host of ['a.registry.example', 'example', '10.0.0.2'])
      expect((await ask(server, 'GET', '/v2/', { headers: { host } })).status, host).toBe(403);
  });

  test.each<readonly [string, number, readonly string[]]>([
    ['one host', 200, ['Host: localhost']],
    ['two hosts', 400, ['Host: localhost', 'Host: evil.example']],
    ['two hosts in the other order', 400, ['Host: evil.example', 'Host: localhost']],
    ['a host twice', 400, ['Host: localhost', 'host: localhost']],
    ['another host in another case', 400, ['Host: localhost', 'HOST: evil.example']],
    ['a second host that is empty', 400, ['Host: localhost', 'Host:']],
    ['an empty host', 403, ['Host:']],
    ['an empty host of spaces', 403, ['Host:   ']],
    ['no host', 400, []],
    ['a folded host', 400, ['Host: localhost', ' evil.example']],
    ['a host that begins folded', 400, ['Host:', ' evil.example']],
    ['a list of hosts', 403, ['Host: localhost, evil.example']],
    ['a space before the colon', 400, ['Host : localhost']],
    ['two origins', 400, ['Host: localhost', 'Origin: http://localhost', 'Origin: http://evil.example']],
  ])('a request with %s gets %i', async (_, status, headers) => {
    const server = await serve();
    const socket = connect(Number(server.host.split(':').at(-1)), '127.0.0.1');
    const answer = text(socket);
    socket.write(`${['GET /v2/ HTTP/1.1', ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`);
    expect(Number((await answer).split(' ')[1])).toBe(status);
  });

  test.each(['', 'http://a', 'a/b', 'a b', 'user@host'])('%j is not the name of a host', async (name) => {
    await refused('USAGE', serve({ allowHosts: [name] }));
  });

  test.each<readonly [string, string, number]>([
    ['localhost:5000', 'http://localhost:5000', 200],
    ['localhost:5000', 'http://127.0.0.1:5000', 200],
    ['registry.example', 'https://registry.example', 200],
    ['localhost:5000', 'http://localhost:3000', 403],
    ['localhost:5000', 'http://evil.example:5000', 403],
    ['localhost:5000', 'https://evil.example', 403],
    ['localhost:5000', 'null', 403],
    ['localhost:5000', 'file://', 403],
    ['localhost:5000', '', 403],
  ])('a page asks %s from %s: %i', async (host, origin, status) => {
    const server = await serve({ allowHosts: ['registry.example'] });
    for (const [method, path] of [
      ['GET', '/v2/'],
      ['HEAD', '/v2/'],
    ] as const)
      expect((await ask(server, method, path, { headers: { host, origin } })).status).toBe(status);
    const push = await ask(server, 'POST', '/v2/app/blobs/uploads/', { headers: { host, origin } });
    expect(push.status).toBe(status === 200 ? 202 : 403);
  });
});

describe('N21: what lies outside of the folder is not served', () => {
  const layer = digestOf(image.config);

  test.each<readonly [string, (folder: string, outside: string) => Promise<void>]>([
    [
      'a blob',
      async (folder, outside) => {
        await rename(blobPath(folder, layer), outside);
        await symlink(outside, blobPath(folder, layer));
      },
    ],
    [
      'a blob, by way of another link',
      async (folder, outside) => {
        await rename(blobPath(folder, layer), outside);
        await symlink(outside, join(folder, 'between'));
        await symlink('../../between', blobPath(folder, layer));
      },
    ],
    [
      'the folder of all blobs',
      async (folder, outside) => {
        await rename(join(folder, 'blobs'), outside);
        await symlink(outside, join(folder, 'blobs'));
      },
    ],
  ])('where %s is a link that leads there', async (_, link) => {
    const { server, folder } = await serveFolder();
    await pushImage(server, 'app:v1');
    await link(folder, join(await newFolder(), 'secret'));
    for (const method of ['GET', 'HEAD'])
      expect((await ask(server, method, `/v2/app/blobs/${layer}`)).status).toBe(404);
    const mount = `/v2/other/blobs/uploads/?mount=${layer}&from=app`;
    expect((await ask(server, 'POST', mount)).status).toBe(202);
  });

  test('such a link is not a manifest either', async () => {
    const { server, folder } = await serveFolder();
    await pushImage(server, 'app:v1');
    await server.close();
    const path = blobPath(folder, image.descriptor.digest);
    const outside = join(await newFolder(), 'secret');
    await rename(path, outside);
    await symlink(outside, path);
    const next = await serve({ layoutDir: folder });
    expect((await ask(next, 'GET', '/v2/app/manifests/v1')).status).toBe(404);
  });

  test('a link within the folder is followed, and so is one to the folder', async () => {
    const { server, folder } = await serveFolder();
    await pushImage(server, 'app:v1');
    await server.close();
    await rename(blobPath(folder, layer), join(folder, 'blobs/kept'));
    await symlink('../kept', blobPath(folder, layer));
    const link = join(await newFolder(), 'link');
    await symlink(folder, link);
    const next = await serve({ layoutDir: link });
    expect((await ask(next, 'GET', `/v2/app/blobs/${layer}`)).body.equals(Buffer.from(image.config))).toBe(
      true,
    );
    expect((await ask(next, 'GET', '/v2/app/manifests/v1')).status).toBe(200);
  });
});

describe('a registry that cannot start', () => {
  test('names the port, and has made nothing', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    afterwards(async () => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const folder = join(await newFolder(), 'images');
    const message = await refused('IO', serve({ layoutDir: folder, port }));
    expect(message).toContain(`cannot listen on 127.0.0.1:${port}: another program has this port`);
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('names a port that does not exist', async () => {
    expect(await refused('USAGE', serve({ port: 70_000 }))).toContain('127.0.0.1:70000');
  });

  test('names the folder', async () => {
    const file = join(await newFolder(), 'file');
    await writeFile(file, '');
    for (const folder of [join(file, 'images'), '/proc/ocislim/images'])
      expect(await refused('IO', serve({ layoutDir: folder }))).toContain(folder);
  });

  test.each([true, false])(
    'names a folder of blobs that is a link out of it (read-only: %s)',
    async (readOnly) => {
      const { server, folder } = await serveFolder();
      await pushImage(server, 'app:v1');
      await server.close();
      const outside = join(await newFolder(), 'blobs');
      await rename(join(folder, 'blobs'), outside);
      await symlink(outside, join(folder, 'blobs'));
      expect(await refused('IO', serve({ layoutDir: folder, readOnly }))).toContain(
        `cannot serve ${folder}: its blobs/sha256 is a link that leads out of it`,
      );
    },
  );

  test('leaves its port to the next one', async () => {
    const first = await serve();
    const { port } = new URL(first.url);
    await first.close();
    const file = join(await newFolder(), 'images');
    await writeFile(file, '');
    await refused('IO', serve({ layoutDir: join(file, 'x'), port: Number(port) }));
    const next = await serve({ port: Number(port) });
    expect((await ask(next, 'GET', '/v2/')).status).toBe(200);
  });
});
