import { describe, expect, test } from 'vitest';
import { parseImageConfig } from '../../src/oci/image-config.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-type.ts';

const bytesOf = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));
const config = { mediaType: mediaTypes.ociConfig, digest: `sha256:${'a'.repeat(64)}`, size: 2 };

describe('null for an empty list, as Go writes it, is read as one', () => {
  test.each([
    [mediaTypes.ociManifest, { config, layers: null, annotations: null, subject: null }],
    [mediaTypes.dockerManifest, { config: { ...config, annotations: null, urls: null }, layers: null }],
  ])('in a manifest of the type %s', (mediaType, json) => {
    const parsed = parseManifest(bytesOf({ schemaVersion: 2, mediaType, ...json }), mediaType, 'it');
    expect(parsed).toMatchObject({ kind: 'manifest', layers: [], subject: null });
  });

  test.each([mediaTypes.ociIndex, mediaTypes.dockerList])('in an index of the type %s', (mediaType) => {
    const json = { schemaVersion: 2, mediaType, manifests: null, annotations: null };
    expect(parseManifest(bytesOf(json), mediaType, 'it')).toMatchObject({ kind: 'index', children: [] });
  });

  test.each([
    { rootfs: { type: 'layers', diff_ids: null } },
    { rootfs: { type: 'layers' }, history: null },
    { rootfs: { type: '', diff_ids: null }, config: null },
    { rootfs: { diff_ids: [] }, history: [], config: { Labels: null, Env: null, Volumes: null } },
  ])('in a config: %j', (json) => {
    expect(parseImageConfig(bytesOf(json), 0, 'it')).toMatchObject({ diffIds: [], history: [] });
  });

  test('a missing list is still refused', () => {
    expect(() => parseManifest(bytesOf({ schemaVersion: 2, config }), mediaTypes.ociManifest, 'it')).toThrow(
      'no list of layers',
    );
    expect(() => parseManifest(bytesOf({ schemaVersion: 2 }), mediaTypes.ociIndex, 'it')).toThrow(
      'no list of manifests',
    );
  });
});
