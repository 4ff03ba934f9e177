import { describe, expect, test } from 'vitest';
import { digestOf, jsonBytes, MEDIA_TYPES } from '../../support/image-builder.ts';
import { ask } from '../../support/store/asking.ts';
import { image, manifestType, absent, serve, pushBlobs, pushImage } from '../../support/store/serving.ts';

describe('lists', () => {
  test('of tags are sorted, in pages', async () => {
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

  test('of repositories are sorted, in pages', async () => {
    const server = await serve();
    for (const name of ['b/two:v1', 'a:v1', 'c:']) await pushImage(server, name);
    const reply = await ask(server, 'GET', '/v2/_catalog?n=2');
    expect(JSON.parse(reply.text)).toEqual({ repositories: ['a', 'b/two'] });
    expect(reply.headers.link).toBe('</v2/_catalog?n=2&last=b%2Ftwo>; rel="next"');
  });

  test('of referrers exist also for a missing subject', async () => {
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
