import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../support/image-builder.ts';
import { noise } from '../../support/registry/setup.ts';
import { ask } from '../../support/store/asking.ts';
import { listFiles } from '../../support/store/local.ts';
import { absent, serve, serveFolder, pushBlob, begin, untilWritten } from '../../support/store/serving.ts';

describe('uploads', () => {
  const bytes = noise(600_000, 5);
  const digest = digestOf(bytes);

  test('take a blob in one PUT', async () => {
    const server = await serve();
    const reply = await ask(server, 'PUT', `${await begin(server)}?digest=${digest}`, { body: bytes });
    expect(reply.status).toBe(201);
    expect(reply.headers).toMatchObject({
      location: `/v2/app/blobs/${digest}`,
      'docker-content-digest': digest,
    });
    expect(Buffer.compare((await ask(server, 'GET', `/v2/app/blobs/${digest}`)).body, bytes)).toBe(0);
  });

  test('take chunks, and tell their progress', async () => {
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

  test('take one PATCH of unknown length', async () => {
    const server = await serve();
    const session = await begin(server);
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `PATCH ${session} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
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

  test('continue after a broken connection with what had come', async () => {
    const { server, folder } = await serveFolder();
    const session = await begin(server);
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(`PATCH ${session} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    socket.write(bytes.subarray(0, 400_000));
    const file = (await listFiles(folder)).find((name) => name.includes('.partial-')) ?? '';
    // Whole blocks are written at once; what is not yet a block is lost with the line.
    await untilWritten(join(folder, file), 1);
    socket.destroy();
    const { headers } = await ask(server, 'GET', session);
    const offset = Number(headers.range?.split('-')[1]);
    expect(offset).toBeGreaterThan(200_000);
    expect(offset + 1).toBeLessThanOrEqual(400_000);
    const rest = { body: bytes.subarray(offset + 1), headers: { 'content-range': `${offset + 1}-599999` } };
    expect((await ask(server, 'PATCH', session, rest)).status).toBe(202);
    expect((await ask(server, 'PUT', `${session}?digest=${digest}`)).status).toBe(201);
  });

  test('are refused with a wrong, malformed or missing digest', async () => {
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

  test('are refused where lengths do not agree', async () => {
    const server = await serve();
    const headers = { 'content-range': '0-9' };
    const reply = await ask(server, 'PATCH', await begin(server), { body: bytes, headers });
    expect([reply.status, reply.code]).toEqual([400, 'SIZE_INVALID']);
  });

  test('are unknown when they have been cancelled, and in another repository', async () => {
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

  test('take an empty blob, and one with a sha512 digest', async () => {
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

  test('run for several clients at once', async () => {
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
