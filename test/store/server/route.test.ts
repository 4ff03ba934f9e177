import { describe, expect, test } from 'vitest';
import { ask } from '../../support/store/asking.ts';
import { listFiles } from '../../support/store/local.ts';
import { manifestType, serve, serveFolder, pushImage } from '../../support/store/serving.ts';

describe('paths', () => {
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
  ])('are refused: GET %s with %s', async (path, code) => {
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

  test('may name a repository like a part of a path', async () => {
    const server = await serve();
    await pushImage(server, 'blobs/uploads/tags:v1');
    const { text } = await ask(server, 'GET', '/v2/blobs/uploads/tags/tags/list');
    expect(JSON.parse(text)).toEqual({ name: 'blobs/uploads/tags', tags: ['v1'] });
  });
});
