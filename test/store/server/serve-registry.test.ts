import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AccessEntry } from '../../../src/store/server/serve-registry.ts';
import { digestOf, openLayout, validateTree, writeLayout } from '../../support/image-builder.ts';
import { noise } from '../../support/registry/setup.ts';
import { ask } from '../../support/store/asking.ts';
import {
  afterwards,
  listFiles,
  namesIn,
  newFolder,
  publish,
  refused,
  target,
} from '../../support/store/local.ts';
import {
  image,
  other,
  serve,
  serveFolder,
  pushBlob,
  pushImage,
  begin,
  untilWritten,
} from '../../support/store/serving.ts';

describe('a registry', () => {
  test('answers at its base, with its address for this machine', async () => {
    const server = await serve();
    const { status, headers, text } = await ask(server, 'GET', '/v2/');
    expect([status, text]).toEqual([200, '{}']);
    expect(headers['docker-distribution-api-version']).toBe('registry/2.0');
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+$/);
    expect(server.host).toBe(`localhost:${new URL(server.url).port}`);
    expect((await ask(server, 'DELETE', '/v2/')).status).toBe(405);
    for (const path of ['/', '/v3/', '/v2/app/nothing', '/v2/app/tags/other', '/v2/%zz/tags/list']) {
      expect((await ask(server, 'GET', path)).status).toBe(404);
    }
  });

  test('asks for its password', async () => {
    const server = await serve({ auth: { username: 'me', password: 'sécret:x' } });
    const refusal = await ask(server, 'GET', '/v2/');
    expect([refusal.status, refusal.code]).toEqual([401, 'UNAUTHORIZED']);
    expect(refusal.headers['www-authenticate']).toMatch(/^Basic realm=/);
    const login = (text: string) => ({
      headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` },
    });
    expect((await ask(server, 'GET', '/v2/', login('me:sécret:x'))).status).toBe(200);
    for (const wrong of ['me:secret', 'you:sécret:x', '']) {
      expect((await ask(server, 'GET', '/v2/', login(wrong))).status).toBe(401);
    }
    expect((await ask(server, 'PUT', '/v2/app/manifests/v1', { body: '{}' })).status).toBe(401);
  });

  test('serves this machine only, unless it is told otherwise', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.0.0.1.example.org']) {
      await refused('USAGE', serve({ host }));
    }
    const server = await serve({ host: '0.0.0.0', allowRemote: true });
    expect(server.host).toMatch(/^0\.0\.0\.0:/);
  });

  test('refuses a port that is taken', async () => {
    const first = await serve();
    await refused('IO', serve({ port: Number(new URL(first.url).port) }));
  });

  test('refuses a folder that holds other things', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'notes.txt'), 'x');
    await refused('ARCHIVE_INVALID', serve({ layoutDir: folder }));
  });
});

describe('the folder of a registry', () => {
  test('is a valid layout, which the next server serves', async () => {
    const { server, folder } = await serveFolder();
    await pushImage(server, 'team/app:v1');
    await pushImage(server, 'other:');
    expect(validateTree(await openLayout(folder, 'team/app:v1'))).toEqual([]);
    expect((await namesIn(folder)).toSorted()).toEqual(['-', 'team/app:v1']);
    await server.close();
    const next = await serve({ layoutDir: folder });
    expect((await ask(next, 'GET', '/v2/team/app/manifests/v1')).status).toBe(200);
    expect((await ask(next, 'GET', `/v2/other/manifests/${image.descriptor.digest}`)).status).toBe(200);
    expect((await ask(next, 'GET', `/v2/other/blobs/${digestOf(image.config)}`)).status).toBe(200);
    expect((await ask(next, 'GET', `/v2/third/blobs/${digestOf(image.config)}`)).status).toBe(404);
  });

  test('may be of another program: bare tags belong to the repository named like the folder', async () => {
    const folder = join(await newFolder(), 'nginx');
    await mkdir(folder);
    await writeLayout(folder, { v1: image, 'team/app:v2': other, 'localhost:5000/odd:v3': image });
    const server = await serve({ layoutDir: folder, readOnly: true });
    expect((await ask(server, 'GET', '/v2/nginx/manifests/v1')).status).toBe(200);
    expect((await ask(server, 'GET', '/v2/team/app/manifests/v2')).status).toBe(200);
    expect(JSON.parse((await ask(server, 'GET', '/v2/_catalog')).text)).toEqual({
      repositories: ['nginx', 'team/app'],
    });
    const index = await stat(join(folder, 'index.json'));
    for (const [method, path] of [
      ['POST', '/v2/nginx/blobs/uploads/'],
      ['PUT', '/v2/nginx/manifests/v1'],
      ['DELETE', '/v2/nginx/manifests/v1'],
      ['DELETE', `/v2/nginx/blobs/${digestOf(image.config)}`],
    ] as const) {
      const reply = await ask(server, method, path);
      expect([reply.status, reply.code]).toEqual([405, 'UNSUPPORTED']);
    }
    expect((await stat(join(folder, 'index.json'))).mtimeMs).toBe(index.mtimeMs);
  });

  test('may be written into by another program meanwhile', async () => {
    const { server, folder } = await serveFolder({ defaultRepository: 'mine' });
    await pushImage(server, 'app:v1');
    await publish(await target(`oci:${folder}:late`), other);
    const { headers } = await ask(server, 'GET', '/v2/mine/manifests/late');
    expect(headers['docker-content-digest']).toBe(other.descriptor.digest);
    await pushImage(server, 'mine:late');
    expect((await namesIn(folder)).filter((name) => name.endsWith('late'))).toEqual(['mine:late']);
    expect((await ask(server, 'GET', '/v2/mine/manifests/late')).headers['docker-content-digest']).toBe(
      image.descriptor.digest,
    );
    expect((await ask(server, 'GET', '/v2/app/manifests/v1')).status).toBe(200);
  });

  test('may hold entries that cannot be served', async () => {
    const folder = await newFolder();
    await writeLayout(folder, { 'app:v1': image, 'app:v2': other });
    await writeFile(join(folder, 'blobs', ...other.descriptor.digest.split(':')), 'changed');
    const server = await serve({ layoutDir: folder });
    expect((await ask(server, 'GET', '/v2/app/manifests/v1')).status).toBe(200);
    expect((await ask(server, 'GET', '/v2/app/manifests/v2')).status).toBe(404);
  });

  test('must exist for a read-only registry', async () => {
    await refused('NOT_FOUND', serve({ layoutDir: join(await newFolder(), 'none'), readOnly: true }));
  });
});

describe('the end of a registry', () => {
  test('ends connections, and removes unfinished uploads and the temporary folder', async () => {
    const temporary = await newFolder();
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = temporary;
    afterwards(async () => {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    });
    const server = await serve();
    expect(await readdir(temporary)).toHaveLength(1);
    const session = await begin(server);
    await ask(server, 'PATCH', session, { body: noise(1000) });
    const { hostname, port } = new URL(server.url);
    const hanging = connect(Number(port), hostname);
    hanging.on('error', () => {});
    hanging.write(`PATCH ${session} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n`);
    hanging.write(noise(600_000));
    const file = (await listFiles(temporary)).find((name) => name.includes('.partial-')) ?? '';
    await untilWritten(join(temporary, file), 200_000);
    await server.close();
    await server.close();
    expect(await readdir(temporary)).toEqual([]);
    await expect(ask(server, 'GET', '/v2/')).rejects.toThrow('ECONNREFUSED');
  });

  test('is brought about by the signal too', async () => {
    const controller = new AbortController();
    const server = await serve({ signal: controller.signal });
    controller.abort();
    await server.close();
    await expect(ask(server, 'GET', '/v2/')).rejects.toThrow('ECONNREFUSED');
    await expect(serve({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });

  test('leaves an entry for each request in the access log', async () => {
    const entries: AccessEntry[] = [];
    const server = await serve({ accessLog: (entry) => entries.push(entry) });
    const digest = await pushBlob(server, 'app', noise(5000));
    await ask(server, 'GET', `/v2/app/blobs/${digest}`, { headers: { range: 'bytes=0-99' } });
    await ask(server, 'HEAD', '/v2/app/manifests/v1');
    await server.close();
    expect(entries).toEqual([
      {
        method: 'POST',
        path: `/v2/app/blobs/uploads/?digest=${digest}`,
        status: 201,
        received: 5000,
        sent: 0,
      },
      { method: 'GET', path: `/v2/app/blobs/${digest}`, status: 206, received: 0, sent: 100 },
      { method: 'HEAD', path: '/v2/app/manifests/v1', status: 404, received: 0, sent: 0 },
    ]);
  });
});
