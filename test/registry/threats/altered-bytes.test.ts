import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { sha256 } from '../../support/registry/content.ts';
import { FakeRegistry } from '../../support/registry/fake-registry.ts';
import type { Effect } from '../../support/registry/faults.ts';
import { fill, noisyImage, runImage } from '../../support/registry/image-run.ts';
import { startRegistry } from '../../support/registry/opened.ts';

async function start(): Promise<FakeRegistry> {
  const fake = await startRegistry();
  return fake;
}

const image = noisyImage();
const change = (
  body: (bytes: Buffer) => Uint8Array,
  headers: Record<string, string | null> = {},
): Effect => ({
  kind: 'change',
  body,
  headers,
});
const flip = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  const middle = copy.length >> 1;
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
};
const shorten = (bytes: Buffer): Buffer => bytes.subarray(0, -1);
const lengthen = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.from([0])]);
const chunked = { 'content-length': null, 'transfer-encoding': 'chunked' };

const alterations: readonly (readonly [string, Effect])[] = [
  ['a bit is flipped', change(flip)],
  ['the last byte is missing', change(shorten)],
  ['the last byte is missing, without a length', change(shorten, chunked)],
  ['a byte is added', change(lengthen)],
  ['a byte is added, without a length', change(lengthen, chunked)],
  ['nothing is there', change(() => Buffer.alloc(0))],
  ['a proxy packs them and says so', change(gzipSync, { 'content-encoding': 'gzip' })],
  ['a proxy packs them and does not say so', change(gzipSync)],
];

describe.each(['copy', 'squash'] as const)('bytes of a %s that change on the way', (name) => {
  // The last of the layers, the config and the manifest.
  const parts = [
    ['layer', /blobs\/sha256/, image.layers[2]?.digest ?? ''],
    ['config', /blobs\/sha256/, sha256(image.config)],
    ['manifest', /manifests\/v1/, ''],
  ] as const;

  test.each(parts.flatMap(([part, , digest]) => alterations.map((each) => [part, ...each, digest] as const)))(
    'N7: of a %s %s: an error, and nothing is published',
    async (part, _, effect, digest) => {
      const from = await start();
      const to = await start();
      fill(from, 'app', image);
      const path = part === 'manifest' ? /manifests/ : new RegExp(digest);
      from.fault({ method: 'GET', path, times: 99, effect });
      const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
      expect(error).toMatchObject({
        name: 'OcislimError',
        message: expect.stringContaining('source') as string,
      });
      expect((error as { code: string }).code).toMatch(
        /^(?:SIZE_MISMATCH|DIGEST_MISMATCH|MANIFEST_INVALID|REGISTRY)$/,
      );
      expect(to.repository('dst').tags.size + to.repository('dst').manifests.size).toBe(0);
      if (digest !== '') expect(to.repository('dst').blobs.has(digest as Digest)).toBe(false);
    },
  );

  test('N7: the right bytes under a wrong size are refused', async () => {
    const from = await start();
    const to = await start();
    fill(from, 'app', image);
    const manifest = JSON.parse(Buffer.from(image.manifest).toString()) as { layers: { size: number }[] };
    for (const layer of manifest.layers) layer.size += 1;
    from.repository('app').addManifest(manifest, image.descriptor.mediaType, 'v1');
    const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
    expect(error).toMatchObject({ code: 'SIZE_MISMATCH' });
    expect(to.repository('dst').tags.size).toBe(0);
  });

  test('N8: a Docker-Content-Digest of other bytes is refused; a missing or malformed one is ignored', async () => {
    for (const [header, good] of [
      [sha256(Buffer.from('x')), false],
      [null, true],
      ['sha256:x', true],
      ['', true],
    ] as const) {
      const from = await start();
      const to = await start();
      fill(from, 'app', image);
      const headers = { 'docker-content-digest': header };
      from.fault({ method: 'GET', path: /manifests/, effect: { kind: 'change', headers } });
      const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
      if (good) expect(error).toBeNull();
      else expect(error).toMatchObject({ code: 'DIGEST_MISMATCH' });
      expect(to.repository('dst').tags.size).toBe(good ? 1 : 0);
    }
  });

  test('N8: a registry that stores a manifest, or a blob, as something else is noticed', async () => {
    for (const path of [/manifests\/sha256/, /uploads\//]) {
      const from = await start();
      const to = await start();
      fill(from, 'app', image);
      const headers = { 'docker-content-digest': sha256(Buffer.from('x')) };
      to.fault({ method: 'PUT', path, effect: { kind: 'change', headers } });
      const { error } = await runImage(`${from.host}/app:v1`, `${to.host}/dst:v1`, name);
      expect(error).toMatchObject({ code: 'DIGEST_MISMATCH' });
      expect(to.repository('dst').tags.size).toBe(0);
    }
  });
});
