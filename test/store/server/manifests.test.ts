import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  buildIndex,
  digestOf,
  jsonBytes,
  MEDIA_TYPES,
  openLayout,
  validateTree,
} from '../../support/image-builder.ts';
import { ask } from '../../support/store/asking.ts';
import { namesIn, readJson } from '../../support/store/local.ts';
import {
  image,
  other,
  manifestType,
  indexType,
  absent,
  serve,
  serveFolder,
  pushBlob,
  pushBlobs,
  pushImage,
} from '../../support/store/serving.ts';
import { MiB } from '../../../src/units.ts';

describe('manifests', () => {
  test('are returned as they were pushed, by tag and by digest', async () => {
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

  test('are unknown by another name, digest or repository, and are not blobs', async () => {
    const server = await serve();
    await pushImage(server, 'app:v1');
    for (const path of ['/v2/app/manifests/v2', `/v2/app/manifests/${absent}`, '/v2/none/manifests/v1']) {
      const { status, code } = await ask(server, 'GET', path);
      expect([status, code]).toEqual([404, 'MANIFEST_UNKNOWN']);
    }
    // A blob is not a manifest, and a manifest is not a blob.
    expect((await ask(server, 'GET', `/v2/app/manifests/${digestOf(image.config)}`)).status).toBe(404);
    expect((await ask(server, 'GET', `/v2/app/blobs/${image.descriptor.digest}`)).status).toBe(404);
    expect((await ask(server, 'GET', `/v2/other/manifests/${image.descriptor.digest}`)).status).toBe(404);
  });

  test('tell their location when they are pushed', async () => {
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

  test('are refused where blobs are missing, or have another length', async () => {
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

  test('are refused where they are malformed, or of another media type', async () => {
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

  test('are refused in an index before they are pushed, and stay reachable by digest', async () => {
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

  test('stay reachable by digest when their tag moves', async () => {
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

  test('lose a tag that is deleted, and are deleted by digest', async () => {
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

  test('may have a sha512 digest', async () => {
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
