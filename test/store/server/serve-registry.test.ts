import { createHash } from 'node:crypto';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type AccessEntry,
  type RegistryServer,
  serveRegistry,
  type ServeOptions,
} from '../../../src/store/server/serve-registry.ts';
import {
  type BuiltTree,
  buildIndex,
  digestOf,
  jsonBytes,
  MEDIA_TYPES,
  openLayout,
  validateTree,
  writeLayout,
} from '../../support/image-builder.ts';
import { noise } from '../../support/registry/setup.ts';
import { ask } from '../../support/store/asking.ts';
import {
  afterwards,
  listFiles,
  namesIn,
  newFolder,
  publish,
  readJson,
  refused,
  smallImage,
  target,
} from '../../support/store/local.ts';
import { MiB } from '../../../src/units.ts';

const image = smallImage();
const other = smallImage({ seed: 'other' });
const manifestType = { 'content-type': MEDIA_TYPES.oci.manifest };
const indexType = { 'content-type': MEDIA_TYPES.oci.index };
const absent = `sha256:${'a'.repeat(64)}`;

async function serve(options: Partial<ServeOptions> = {}): Promise<RegistryServer> {
  const server = await serveRegistry({ layoutDir: null, signal: new AbortController().signal, ...options });
  afterwards(() => server.close());
  return server;
}

async function serveFolder(
  options: Partial<ServeOptions> = {},
): Promise<{ server: RegistryServer; folder: string }> {
  const folder = join(await newFolder(), 'images');
  return { server: await serve({ layoutDir: folder, ...options }), folder };
}

async function pushBlob(server: RegistryServer, repository: string, bytes: Uint8Array): Promise<string> {
  const digest = digestOf(bytes);
  const reply = await ask(server, 'POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    body: bytes,
  });
  expect(reply.status).toBe(201);
  return digest;
}

async function pushBlobs(server: RegistryServer, repository: string, tree: BuiltTree): Promise<void> {
  for (const [digest, bytes] of tree.blobs) {
    if (digest !== tree.descriptor.digest) await pushBlob(server, repository, bytes);
  }
}

async function pushImage(server: RegistryServer, name: string, built = image): Promise<void> {
  const [repository = '', reference = ''] = name.split(':', 2);
  await pushBlobs(server, repository, built);
  const path = `/v2/${repository}/manifests/${reference === '' ? built.descriptor.digest : reference}`;
  expect((await ask(server, 'PUT', path, { body: built.manifest, headers: manifestType })).status).toBe(201);
}

async function begin(server: RegistryServer, repository = 'app'): Promise<string> {
  const { status, headers } = await ask(server, 'POST', `/v2/${repository}/blobs/uploads/`);
  expect(status).toBe(202);
  expect(headers['content-length']).toBe('0');
  expect(headers.range).toBe('0-0');
  return headers.location ?? '';
}

describe('the base', () => {
  test('says what it is', async () => {
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

  test('asks for a password if it has one', async () => {
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

  test('serves this machine only, unless asked', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.0.0.1.example.org']) {
      await refused('USAGE', serve({ host }));
    }
    const server = await serve({ host: '0.0.0.0', allowRemote: true });
    expect(server.host).toMatch(/^0\.0\.0\.0:/);
  });

  test('a port that is taken', async () => {
    const first = await serve();
    await refused('IO', serve({ port: Number(new URL(first.url).port) }));
  });

  test('refuses a folder that holds other things', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'notes.txt'), 'x');
    await refused('ARCHIVE_INVALID', serve({ layoutDir: folder }));
  });
});

describe('names', () => {
  test.each([
    ['/v2/UPPER/tags/list', 'NAME_INVALID'],
    ['/v2/../tags/list', 'NAME_INVALID'],
    ['/v2/a/../b/tags/list', 'NAME_INVALID'],
    ['/v2/a%2f..%2f..%2fetc/tags/list', 'NAME_INVALID'],
    [`/v2/${'a'.repeat(256)}/tags/list`, 'NAME_INVALID'],
    ['/v2/-a/tags/list', 'NAME_INVALID'],
    ['/v2/app/manifests/.hidden', 'TAG_INVALID'],
    [`/v2/app/manifests/${'a'.repeat(129)}`, 'TAG_INVALID'],
    ['/v2/app/manifests/sha256:..%2f..%2f..%2fetc%2fpasswd', null],
    ['/v2/app/manifests/sha256:abc', 'DIGEST_INVALID'],
    [`/v2/app/blobs/sha256:${'A'.repeat(64)}`, 'DIGEST_INVALID'],
    [`/v2/app/blobs/sha256:${'a'.repeat(63)}`, 'DIGEST_INVALID'],
    [`/v2/app/blobs/sha256:${'a'.repeat(64)}%0a`, 'DIGEST_INVALID'],
    ['/v2/app/blobs/sha256:..', 'DIGEST_INVALID'],
    ['/v2/app/referrers/latest', 'DIGEST_INVALID'],
  ])('GET %s is %s', async (path, code) => {
    const { server, folder } = await serveFolder();
    const before = await listFiles(folder);
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const reply = await ask(
        server,
        method,
        path,
        method === 'PUT' ? { body: 'x', headers: manifestType } : {},
      );
      expect([400, 404, 405]).toContain(reply.status);
      if (method === 'GET') expect(reply.code).toBe(code ?? 'UNSUPPORTED');
    }
    expect(await listFiles(folder)).toEqual(before);
  });

  test('a repository may be called like a part of a path', async () => {
    const server = await serve();
    await pushImage(server, 'blobs/uploads/tags:v1');
    const { text } = await ask(server, 'GET', '/v2/blobs/uploads/tags/tags/list');
    expect(JSON.parse(text)).toEqual({ name: 'blobs/uploads/tags', tags: ['v1'] });
  });
});

describe('manifests', () => {
  test('come back as they went in, by tag and by digest', async () => {
    const server = await serve();
    await pushImage(server, 'app:v1');
    for (const reference of ['v1', image.descriptor.digest, encodeURIComponent(image.descriptor.digest)]) {
      const get = await ask(server, 'GET', `/v2/app/manifests/${reference}`);
      expect(get.status).toBe(200);
      expect(Buffer.compare(get.body, Buffer.from(image.manifest))).toBe(0);
      expect(get.headers).toMatchObject({
        ...manifestType,
        'docker-content-digest': image.descriptor.digest,
        'content-length': String(image.manifest.length),
      });
      const head = await ask(server, 'HEAD', `/v2/app/manifests/${reference}`);
      expect(head.body).toHaveLength(0);
      expect(head.headers).toMatchObject({ ...get.headers, date: head.headers.date });
    }
    const known = { headers: { 'if-none-match': `"${image.descriptor.digest}"` } };
    expect((await ask(server, 'GET', '/v2/app/manifests/v1', known)).status).toBe(304);
  });

  test('not there', async () => {
    const server = await serve();
    await pushImage(server, 'app:v1');
    for (const path of ['/v2/app/manifests/v2', `/v2/app/manifests/${absent}`, '/v2/none/manifests/v1']) {
      const { status, code } = await ask(server, 'GET', path);
      expect([status, code]).toEqual([404, 'MANIFEST_UNKNOWN']);
    }
    // A blob is no manifest, nor the other way round.
    expect((await ask(server, 'GET', `/v2/app/manifests/${digestOf(image.config)}`)).status).toBe(404);
    expect((await ask(server, 'GET', `/v2/app/blobs/${image.descriptor.digest}`)).status).toBe(404);
    expect((await ask(server, 'GET', `/v2/other/manifests/${image.descriptor.digest}`)).status).toBe(404);
  });

  test('pushed by tag or digest say where they are', async () => {
    const server = await serve();
    await pushBlobs(server, 'app', image);
    const put = await ask(server, 'PUT', '/v2/app/manifests/v1', {
      body: image.manifest,
      headers: manifestType,
    });
    expect(put.headers).toMatchObject({
      location: `/v2/app/manifests/${image.descriptor.digest}`,
      'docker-content-digest': image.descriptor.digest,
    });
    expect(put.headers['oci-subject']).toBeUndefined();
    const wrong = await ask(server, 'PUT', `/v2/app/manifests/${absent}`, {
      body: image.manifest,
      headers: manifestType,
    });
    expect([wrong.status, wrong.code]).toEqual([400, 'DIGEST_INVALID']);
  });

  test('whose blobs are missing, or have another length', async () => {
    const server = await serve();
    await pushBlob(server, 'app', image.config);
    await pushImage(server, 'elsewhere:v1');
    const put = (manifest: unknown) =>
      ask(server, 'PUT', '/v2/app/manifests/v1', { body: jsonBytes(manifest), headers: manifestType });
    const manifest = JSON.parse(Buffer.from(image.manifest).toString()) as {
      config: { size: number };
      layers: { digest: string }[];
    };
    const reply = await put(manifest);
    expect([reply.status, reply.code]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN']);
    expect(reply.text).toContain(manifest.layers[0]?.digest);
    const lying = { ...manifest, layers: [], config: { ...manifest.config, size: manifest.config.size + 1 } };
    expect((await put(lying)).code).toBe('MANIFEST_INVALID');
    const foreign = {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      digest: absent,
      size: 7,
      urls: ['https://example.org/'],
    };
    expect((await put({ ...manifest, layers: [foreign] })).status).toBe(201);
  });

  test('that are none', async () => {
    const server = await serve();
    await pushBlobs(server, 'app', image);
    const put = (body: string | Uint8Array, type: string | null) =>
      ask(server, 'PUT', '/v2/app/manifests/v1', {
        body,
        headers: type === null ? {} : { 'content-type': type },
      });
    const text = Buffer.from(image.manifest).toString();
    for (const reply of [
      await put('not JSON', MEDIA_TYPES.oci.manifest),
      await put(text, 'application/json'),
      await put(text, null),
      await put(text, MEDIA_TYPES.docker.manifest),
      await put(text, MEDIA_TYPES.oci.index),
      await put(text.replace('{', '{"manifests":[],'), MEDIA_TYPES.oci.manifest),
      await put(text.replace('"schemaVersion":2', '"schemaVersion":1'), MEDIA_TYPES.oci.manifest),
    ]) {
      expect([reply.status, reply.code]).toEqual([400, 'MANIFEST_INVALID']);
    }
    expect((await put(Buffer.alloc(4 * MiB + 1, ' '), MEDIA_TYPES.oci.manifest)).status).toBe(413);
    expect((await put(text, `${MEDIA_TYPES.oci.manifest}; charset=utf-8`)).status).toBe(201);
  });

  test('an index needs its children; they stay reachable by digest', async () => {
    const { server, folder } = await serveFolder();
    const tree = buildIndex({ images: [image, other], attestations: true });
    const put = () => ask(server, 'PUT', '/v2/app/manifests/all', { body: tree.index, headers: indexType });
    await pushImage(server, 'app:');
    expect((await put()).code).toBe('MANIFEST_BLOB_UNKNOWN');
    const { manifests } = JSON.parse(Buffer.from(tree.index).toString()) as {
      manifests: { digest: string }[];
    };
    for (const [digest, bytes] of tree.blobs) {
      if (!manifests.some((child) => child.digest === digest)) await pushBlob(server, 'app', bytes);
    }
    for (const { digest } of manifests) {
      const body = tree.blobs.get(digest) as Uint8Array;
      await ask(server, 'PUT', `/v2/app/manifests/${digest}`, { body, headers: manifestType });
    }
    const lying = Buffer.from(tree.index)
      .toString()
      .replace(/"size":([0-9]+)/, '"size":1$1');
    const refusal = await ask(server, 'PUT', '/v2/app/manifests/all', { body: lying, headers: indexType });
    expect([refusal.status, refusal.code]).toEqual([400, 'MANIFEST_INVALID']);
    expect((await put()).status).toBe(201);
    for (const { digest } of manifests) {
      expect((await ask(server, 'HEAD', `/v2/app/manifests/${digest}`)).status).toBe(200);
    }
    expect(validateTree(await openLayout(folder, 'app:all'))).toEqual([]);
  });

  test('a tag that moves leaves the old manifest reachable by digest', async () => {
    const { server, folder } = await serveFolder();
    await pushImage(server, 'app:v1');
    await pushImage(server, 'app:v1', other);
    expect((await ask(server, 'GET', '/v2/app/manifests/v1')).headers['docker-content-digest']).toBe(
      other.descriptor.digest,
    );
    expect((await ask(server, 'GET', `/v2/app/manifests/${image.descriptor.digest}`)).status).toBe(200);
    await pushImage(server, 'app:v1', other);
    expect((await namesIn(folder)).toSorted()).toEqual(['-', 'app:v1']);
  });

  test('deleted: by tag the tag alone, by digest all of it', async () => {
    const { server, folder } = await serveFolder();
    await pushImage(server, 'app:v1');
    await pushImage(server, 'app:v2');
    const remove = (reference: string) => ask(server, 'DELETE', `/v2/app/manifests/${reference}`);
    expect((await remove('v1')).status).toBe(202);
    expect((await remove('v1')).status).toBe(404);
    expect((await ask(server, 'GET', '/v2/app/manifests/v2')).status).toBe(200);
    expect((await remove('v2')).status).toBe(202);
    expect((await ask(server, 'GET', `/v2/app/manifests/${image.descriptor.digest}`)).status).toBe(200);
    expect((await remove(image.descriptor.digest)).status).toBe(202);
    expect((await remove(image.descriptor.digest)).status).toBe(404);
    expect((await readJson(join(folder, 'index.json')))['manifests']).toEqual([]);
    await pushImage(server, 'app:v3');
    expect((await ask(server, 'GET', '/v2/app/manifests/v3')).status).toBe(200);
  });

  test('a manifest of a sha512 digest', async () => {
    const server = await serve();
    await pushBlobs(server, 'app', image);
    const digest = `sha512:${createHash('sha512').update(image.manifest).digest('hex')}`;
    const put = await ask(server, 'PUT', `/v2/app/manifests/${digest}`, {
      body: image.manifest,
      headers: manifestType,
    });
    expect([put.status, put.headers['docker-content-digest']]).toEqual([201, digest]);
    expect((await ask(server, 'GET', `/v2/app/manifests/${digest}`)).body).toHaveLength(
      image.manifest.length,
    );
  });
});

describe('blobs', () => {
  const bytes = noise(1_000_003);

  test('whole, by HEAD, and in parts', async () => {
    const server = await serve();
    const path = `/v2/app/blobs/${await pushBlob(server, 'app', bytes)}`;
    const whole = await ask(server, 'GET', path);
    expect(Buffer.compare(whole.body, bytes)).toBe(0);
    expect(whole.headers).toMatchObject({
      'docker-content-digest': digestOf(bytes),
      'accept-ranges': 'bytes',
    });
    const head = await ask(server, 'HEAD', path, { headers: { range: 'bytes=5-9' } });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '1000003', 0]);
    const part = async (range: string) => {
      const reply = await ask(server, 'GET', path, { headers: { range } });
      return [
        reply.status,
        reply.headers['content-range'],
        Buffer.compare(reply.body, bytes),
        reply.body.length,
      ];
    };
    const get = async (range: string) => ask(server, 'GET', path, { headers: { range } });
    const middle = await get('bytes=100-1099');
    expect([middle.status, middle.headers['content-range']]).toEqual([206, 'bytes 100-1099/1000003']);
    expect(Buffer.compare(middle.body, bytes.subarray(100, 1100))).toBe(0);
    expect(Buffer.compare((await get('bytes=999999-')).body, bytes.subarray(999_999))).toBe(0);
    expect(Buffer.compare((await get('bytes=-5')).body, bytes.subarray(-5))).toBe(0);
    expect((await get('bytes=1000000-2000000')).headers['content-range']).toBe(
      'bytes 1000000-1000002/1000003',
    );
    expect(await part('bytes=-2000000')).toEqual([206, 'bytes 0-1000002/1000003', 0, 1_000_003]);
    for (const range of ['bytes=0-1,5-6', 'bytes=9-5', 'lines=1-2', 'bytes=-']) {
      expect(await part(range)).toEqual([200, undefined, 0, 1_000_003]);
    }
    for (const range of ['bytes=1000003-', 'bytes=-0']) {
      const reply = await get(range);
      expect([reply.status, reply.headers['content-range']]).toEqual([416, 'bytes */1000003']);
    }
    const stale = await ask(server, 'GET', path, { headers: { range: 'bytes=0-4', 'if-range': '"other"' } });
    expect(stale.status).toBe(200);
    expect(
      (await ask(server, 'GET', path, { headers: { 'if-none-match': whole.headers.etag ?? '' } })).status,
    ).toBe(304);
  });

  test('belong to their repository', async () => {
    const server = await serve();
    const digest = await pushBlob(server, 'app', bytes);
    for (const path of [`/v2/other/blobs/${digest}`, `/v2/app/blobs/${absent}`]) {
      const { status, code } = await ask(server, 'GET', path);
      expect([status, code]).toEqual([404, 'BLOB_UNKNOWN']);
    }
  });

  test('mounted from another repository, or an upload begun instead', async () => {
    const server = await serve();
    const digest = await pushBlob(server, 'app', bytes);
    const mount = (query: string) => ask(server, 'POST', `/v2/other/blobs/uploads/?${query}`);
    for (const query of [
      `mount=${absent}&from=app`,
      `mount=${digest}&from=none`,
      `mount=${digest}`,
      `mount=${digest}&from=..`,
    ]) {
      const reply = await mount(query);
      expect([reply.status, reply.headers['docker-upload-uuid']]).toEqual([
        202,
        expect.stringMatching(/^[0-9a-f-]{36}$/),
      ]);
    }
    const done = await mount(`mount=${encodeURIComponent(digest)}&from=app`);
    expect(done.status).toBe(201);
    expect(done.headers).toMatchObject({
      location: `/v2/other/blobs/${digest}`,
      'docker-content-digest': digest,
    });
    expect((await ask(server, 'GET', `/v2/other/blobs/${digest}`)).body).toHaveLength(bytes.length);
    expect((await mount('mount=sha256:..&from=app')).code).toBe('DIGEST_INVALID');
  });

  test('deleted from one repository stay in the other; the file goes with the last one', async () => {
    const { server, folder } = await serveFolder();
    const digest = await pushBlob(server, 'app', bytes);
    await ask(server, 'POST', `/v2/other/blobs/uploads/?mount=${digest}&from=app`);
    expect((await ask(server, 'DELETE', `/v2/app/blobs/${digest}`)).status).toBe(202);
    expect((await ask(server, 'DELETE', `/v2/app/blobs/${digest}`)).status).toBe(404);
    expect((await ask(server, 'GET', `/v2/other/blobs/${digest}`)).status).toBe(200);
    expect((await ask(server, 'DELETE', `/v2/other/blobs/${digest}`)).status).toBe(202);
    expect(await listFiles(folder)).toEqual(['index.json', 'oci-layout']);
    await pushBlob(server, 'app', bytes);
    expect((await ask(server, 'GET', `/v2/app/blobs/${digest}`)).status).toBe(200);
  });
});

describe('uploads', () => {
  const bytes = noise(600_000, 5);
  const digest = digestOf(bytes);

  test('in one PUT', async () => {
    const server = await serve();
    const reply = await ask(server, 'PUT', `${await begin(server)}?digest=${digest}`, { body: bytes });
    expect(reply.status).toBe(201);
    expect(reply.headers).toMatchObject({
      location: `/v2/app/blobs/${digest}`,
      'docker-content-digest': digest,
    });
    expect(Buffer.compare((await ask(server, 'GET', `/v2/app/blobs/${digest}`)).body, bytes)).toBe(0);
  });

  test('in chunks, asked about in between', async () => {
    const server = await serve();
    const session = await begin(server);
    const chunk = (start: number, end: number, range = `${start}-${end - 1}`) =>
      ask(server, 'PATCH', session, {
        body: bytes.subarray(start, end),
        headers: { 'content-range': range },
      });
    const first = await chunk(0, 300_000);
    expect([first.status, first.headers.range, first.headers.location]).toEqual([202, '0-299999', session]);
    const status = await ask(server, 'GET', session);
    expect([status.status, status.headers.range]).toEqual([204, '0-299999']);
    for (const range of ['300001-599999', '0-299999', 'nonsense', '5-4']) {
      const gap = await chunk(300_000, 600_000, range);
      expect([gap.status, gap.code, gap.headers.range]).toEqual([416, 'RANGE_INVALID', '0-299999']);
    }
    expect((await chunk(300_000, 500_000)).headers.range).toBe('0-499999');
    const last = { body: bytes.subarray(500_000), headers: { 'content-range': '500000-599999' } };
    expect((await ask(server, 'PUT', `${session}?digest=${digest}`, last)).status).toBe(201);
    expect(Buffer.compare((await ask(server, 'GET', `/v2/app/blobs/${digest}`)).body, bytes)).toBe(0);
    expect((await ask(server, 'PUT', `${session}?digest=${digest}`)).code).toBe('BLOB_UPLOAD_UNKNOWN');
  });

  test('in one PATCH of unknown length', async () => {
    const server = await serve();
    const session = await begin(server);
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `PATCH ${session} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
    );
    for (let at = 0; at < bytes.length; at += 100_000) {
      const part = bytes.subarray(at, at + 100_000);
      socket.write(`${part.length.toString(16)}\r\n`);
      socket.write(part);
      socket.write('\r\n');
    }
    socket.write('0\r\n\r\n');
    const answer: Buffer[] = [];
    for await (const chunk of socket) answer.push(chunk as Buffer);
    expect(Buffer.concat(answer).toString()).toMatch(/^HTTP\/1\.1 202 .*Range: 0-599999\r\n/is);
    expect((await ask(server, 'PUT', `${session}?digest=${digest}`)).status).toBe(201);
  });

  test('what had come when the line broke is kept, and can be gone on from', async () => {
    const { server, folder } = await serveFolder();
    const session = await begin(server);
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(`PATCH ${session} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    socket.write(bytes.subarray(0, 400_000));
    const file = (await listFiles(folder)).find((name) => name.includes('.partial-')) ?? '';
    // Whole blocks are written at once; what is not yet a block is lost with the line.
    while ((await stat(join(folder, file))).size === 0) await new Promise(setImmediate);
    socket.destroy();
    const { headers } = await ask(server, 'GET', session);
    const offset = Number(headers.range?.split('-')[1]);
    expect(offset).toBeGreaterThan(200_000);
    expect(offset + 1).toBeLessThanOrEqual(400_000);
    const rest = { body: bytes.subarray(offset + 1), headers: { 'content-range': `${offset + 1}-599999` } };
    expect((await ask(server, 'PATCH', session, rest)).status).toBe(202);
    expect((await ask(server, 'PUT', `${session}?digest=${digest}`)).status).toBe(201);
  });

  test('a digest that is wrong, malformed or missing', async () => {
    const { server, folder } = await serveFolder();
    const put = async (query: string) =>
      ask(server, 'PUT', `${await begin(server)}${query}`, { body: bytes });
    for (const query of [`?digest=${absent}`, '?digest=sha256:..%2f..%2fx', '?digest=', '']) {
      const reply = await put(query);
      expect([reply.status, reply.code]).toEqual([400, 'DIGEST_INVALID']);
    }
    const post = await ask(server, 'POST', `/v2/app/blobs/uploads/?digest=${absent}`, { body: bytes });
    expect([post.status, post.code]).toEqual([400, 'DIGEST_INVALID']);
    const session = await begin(server);
    await ask(server, 'PUT', `${session}?digest=${absent}`, { body: bytes });
    expect((await ask(server, 'GET', session)).code).toBe('BLOB_UPLOAD_UNKNOWN');
    await server.close();
    expect(await listFiles(folder)).toEqual(['index.json', 'oci-layout']);
  });

  test('lengths that do not agree', async () => {
    const server = await serve();
    const headers = { 'content-range': '0-9' };
    const reply = await ask(server, 'PATCH', await begin(server), { body: bytes, headers });
    expect([reply.status, reply.code]).toEqual([400, 'SIZE_INVALID']);
  });

  test('cancelled, unknown, or of another repository', async () => {
    const { server, folder } = await serveFolder();
    const session = await begin(server);
    await ask(server, 'PATCH', session, { body: bytes });
    expect(await listFiles(folder)).toHaveLength(3);
    expect((await ask(server, 'GET', session.replace('/app/', '/other/'))).code).toBe('BLOB_UPLOAD_UNKNOWN');
    expect((await ask(server, 'DELETE', session)).status).toBe(204);
    expect(await listFiles(folder)).toHaveLength(2);
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const reply = await ask(server, method, `${session}?digest=${digest}`);
      expect([reply.status, reply.code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    }
    expect((await ask(server, 'POST', session)).status).toBe(404);
    expect((await ask(server, 'GET', '/v2/app/blobs/uploads/')).status).toBe(405);
  });

  test('an empty blob, and one of a sha512 digest', async () => {
    const server = await serve();
    const empty = digestOf(new Uint8Array(0));
    expect((await ask(server, 'PUT', `${await begin(server)}?digest=${empty}`)).status).toBe(201);
    expect((await ask(server, 'GET', `/v2/app/blobs/${empty}`)).headers['content-length']).toBe('0');
    const long = `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    expect((await ask(server, 'PUT', `${await begin(server)}?digest=${long}`, { body: bytes })).status).toBe(
      201,
    );
    expect((await ask(server, 'GET', `/v2/app/blobs/${long}`)).body).toHaveLength(bytes.length);
  });

  test('of several clients at once', async () => {
    const server = await serve();
    const blobs = Array.from({ length: 8 }, (_, i) => noise(200_000 + i, i + 1));
    await Promise.all(blobs.map(async (blob) => pushBlob(server, 'app', blob)));
    await Promise.all(blobs.map(async () => pushBlob(server, 'app', bytes)));
    for (const blob of [...blobs, bytes]) {
      expect(Buffer.compare((await ask(server, 'GET', `/v2/app/blobs/${digestOf(blob)}`)).body, blob)).toBe(
        0,
      );
    }
  });
});

describe('lists', () => {
  test('tags, sorted, page by page', async () => {
    const server = await serve();
    for (const tag of ['v10', 'v1', 'latest', 'V2']) await pushImage(server, `app:${tag}`);
    const list = async (query: string) => {
      const { text, headers } = await ask(server, 'GET', `/v2/app/tags/list${query}`);
      return { tags: (JSON.parse(text) as { tags: string[] }).tags, link: headers.link };
    };
    expect(await list('')).toEqual({ tags: ['V2', 'latest', 'v1', 'v10'], link: undefined });
    const first = await list('?n=2');
    expect(first).toEqual({
      tags: ['V2', 'latest'],
      link: '</v2/app/tags/list?n=2&last=latest>; rel="next"',
    });
    expect(await list('?n=2&last=latest')).toEqual({ tags: ['v1', 'v10'], link: undefined });
    expect(await list('?n=0')).toEqual({ tags: [], link: undefined });
    expect(await list('?last=m')).toEqual({ tags: ['v1', 'v10'], link: undefined });
    expect((await ask(server, 'GET', '/v2/app/tags/list?n=-1')).code).toBe('PAGINATION_NUMBER_INVALID');
    const unknown = await ask(server, 'GET', '/v2/none/tags/list');
    expect([unknown.status, unknown.code]).toEqual([404, 'NAME_UNKNOWN']);
  });

  test('repositories', async () => {
    const server = await serve();
    for (const name of ['b/two:v1', 'a:v1', 'c:']) await pushImage(server, name);
    const reply = await ask(server, 'GET', '/v2/_catalog?n=2');
    expect(JSON.parse(reply.text)).toEqual({ repositories: ['a', 'b/two'] });
    expect(reply.headers.link).toBe('</v2/_catalog?n=2&last=b%2Ftwo>; rel="next"');
  });

  test('referrers, also of what is not there yet', async () => {
    const server = await serve();
    const subject = { ...image.descriptor };
    await pushBlobs(server, 'app', image);
    const put = async (more: Record<string, unknown>) => {
      const base = JSON.parse(Buffer.from(image.manifest).toString()) as Record<string, unknown>;
      const body = jsonBytes({ ...base, subject, ...more });
      const reply = await ask(server, 'PUT', `/v2/app/manifests/${digestOf(body)}`, {
        body,
        headers: manifestType,
      });
      expect([reply.status, reply.headers['oci-subject']]).toEqual([201, subject.digest]);
      return digestOf(body);
    };
    const list = async (query = '') => ask(server, 'GET', `/v2/app/referrers/${subject.digest}${query}`);
    const before = await list();
    expect([before.status, before.headers['content-type']]).toEqual([200, MEDIA_TYPES.oci.index]);
    expect((JSON.parse(before.text) as { manifests: unknown[] }).manifests).toEqual([]);
    const sbom = await put({ artifactType: 'application/spdx+json', annotations: { made: 'here' } });
    const plain = await put({ annotations: null });
    const { manifests } = JSON.parse((await list()).text) as { manifests: Record<string, unknown>[] };
    expect(manifests.map((each) => each['digest'])).toEqual([sbom, plain]);
    expect(manifests[0]).toMatchObject({
      mediaType: MEDIA_TYPES.oci.manifest,
      artifactType: 'application/spdx+json',
      annotations: { made: 'here' },
    });
    expect(manifests[1]).toMatchObject({ artifactType: MEDIA_TYPES.oci.config });
    const filtered = await list('?artifactType=application/spdx%2Bjson');
    expect(filtered.headers['oci-filters-applied']).toBe('artifactType');
    expect(
      (JSON.parse(filtered.text) as { manifests: { digest: string }[] }).manifests.map(
        ({ digest }) => digest,
      ),
    ).toEqual([sbom]);
    await ask(server, 'DELETE', `/v2/app/manifests/${sbom}`);
    expect((JSON.parse((await list()).text) as { manifests: unknown[] }).manifests).toHaveLength(1);
    expect((await ask(server, 'GET', `/v2/never/referrers/${absent}`)).status).toBe(200);
  });
});

describe('the folder', () => {
  test('is a valid layout, and is found again by the next server', async () => {
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

  test('that others wrote: bare tags belong to the repository called like the folder', async () => {
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

  test('that others write into while it is served', async () => {
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

  test('with entries that cannot be served', async () => {
    const folder = await newFolder();
    await writeLayout(folder, { 'app:v1': image, 'app:v2': other });
    await writeFile(join(folder, 'blobs', ...other.descriptor.digest.split(':')), 'changed');
    const server = await serve({ layoutDir: folder });
    expect((await ask(server, 'GET', '/v2/app/manifests/v1')).status).toBe(200);
    expect((await ask(server, 'GET', '/v2/app/manifests/v2')).status).toBe(404);
  });

  test('read-only needs one', async () => {
    await refused('NOT_FOUND', serve({ layoutDir: join(await newFolder(), 'none'), readOnly: true }));
  });
});

describe('the end', () => {
  test('closing ends connections, removes unfinished uploads and the temporary folder', async () => {
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
    hanging.write(`PATCH ${session} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n`);
    hanging.write(noise(600_000));
    const file = (await listFiles(temporary)).find((name) => name.includes('.partial-')) ?? '';
    while ((await stat(join(temporary, file))).size < 200_000) await new Promise(setImmediate);
    await server.close();
    await server.close();
    expect(await readdir(temporary)).toEqual([]);
    await expect(ask(server, 'GET', '/v2/')).rejects.toThrow('ECONNREFUSED');
  });

  test('a signal does the same', async () => {
    const controller = new AbortController();
    const server = await serve({ signal: controller.signal });
    controller.abort();
    await server.close();
    await expect(ask(server, 'GET', '/v2/')).rejects.toThrow('ECONNREFUSED');
    await expect(serve({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });

  test('the access log tells of each request', async () => {
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
