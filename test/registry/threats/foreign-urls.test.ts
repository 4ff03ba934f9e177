import { expect, test } from 'vitest';
import { makeDescriptor } from '../../../src/oci/descriptor.ts';
import { mediaTypes } from '../../../src/oci/media-type.ts';
import { openRegistrySource } from '../../../src/registry/source.ts';
import { sha256 } from '../../support/registry/content.ts';
import { FakeRegistry } from '../../support/registry/fake-registry.ts';
import { runImage } from '../../support/registry/image-run.ts';
import { drain, never, noise, refer, setup } from '../../support/registry/setup.ts';
import { Secret } from '../../../src/registry/auth/secret.ts';
import { closing, startRegistry } from '../../support/registry/opened.ts';

async function start(challenge: string | null): Promise<FakeRegistry> {
  const fake = await startRegistry();
  if (challenge !== null)
    fake.fault({
      method: 'GET',
      path: /./,
      times: 99,
      effect: { kind: 'answer', status: 401, headers: { 'www-authenticate': challenge } },
    });
  return fake;
}

// CVE-2020-15157: containerd sent the registry's credentials to whatever host a layer's `urls` named.
test.each(['Basic realm="x"', 'Bearer realm="https://evil.example/token",service="x"'])(
  'N1: the urls of a layer are never asked, whatever would answer: %s',
  async (challenge) => {
    const fake = await start(null);
    const thief = await start(challenge);
    const bytes = noise(1000);
    const layer = {
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: sha256(bytes),
      size: bytes.length,
      urls: [`http://${thief.host}/layer`, `http://${thief.host.replace('127.0.0.1', 'localhost')}/layer`],
    };
    const content = fake.repository('app');
    const config = content.addBlob(
      Buffer.from(
        JSON.stringify({
          os: 'linux',
          architecture: 'amd64',
          rootfs: { type: 'layers', diff_ids: [sha256(bytes)] },
        }),
      ),
      'application/vnd.docker.container.image.v1+json',
    );
    content.addManifest(
      { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config: config.json, layers: [layer] },
      mediaTypes.dockerManifest,
      'v1',
    );
    const asked: string[] = [];
    const credentials = (host: string) => {
      asked.push(host);
      return Promise.resolve({ kind: 'basic', username: 'bob', password: new Secret('canary') } as const);
    };
    const { error } = await runImage(`${fake.host}/app:v1`, `${fake.host}/dst:v1`, 'copy', { credentials });
    expect(error).toBeNull();
    // Its descriptor is copied as it is, and its bytes are not read.
    expect(fake.repository('dst').find('v1')?.digest).toBe(content.find('v1')?.digest);
    expect(fake.sent('GET', new RegExp(layer.digest))).toEqual([]);
    expect(thief.requests).toEqual([]);
    expect(asked).not.toContain(thief.host);
  },
);

test('N1: nor are they where the registry lacks the blob', async () => {
  const fake = await start(null);
  const thief = await start('Basic realm="x"');
  const foreign = makeDescriptor(mediaTypes.ociManifest, sha256(noise(10)), 10);
  const descriptor = { ...foreign, json: { ...foreign.json, urls: [`http://${thief.host}/layer`] } };
  const source = closing(openRegistrySource(refer(`${fake.host}/app:v1`), setup().options));
  await expect(drain(source.blob(descriptor, never))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(thief.requests).toEqual([]);
});
