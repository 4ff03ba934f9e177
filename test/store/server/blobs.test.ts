import { describe, expect, test } from 'vitest';
import { digestOf } from '../../support/image-builder.ts';
import { noise } from '../../support/registry/setup.ts';
import { ask } from '../../support/store/asking.ts';
import { listFiles } from '../../support/store/local.ts';
import { absent, serve, serveFolder, pushBlob } from '../../support/store/serving.ts';

describe('blobs', () => {
  const bytes = noise(1_000_003);

  test('are sent whole, in parts, or by HEAD without a body', async () => {
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

  test('are mounted from another repository; an unknown one begins an upload', async () => {
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

  test('that one repository deletes stay in the other; the last one removes the file', async () => {
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
