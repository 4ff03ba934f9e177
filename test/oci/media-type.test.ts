import { expect, test } from 'vitest';
import {
  familyOf,
  isConfigType,
  isIndexType,
  isManifestType,
  isTypeFor,
  layerKind,
  layerMediaType,
  layerTypeLike,
  mediaTypes,
} from '../../src/oci/media-type.ts';
import { MEDIA_TYPES } from '../support/image-builder.ts';

test('layer types are those of the specifications; Docker has none for zstd', () => {
  for (const family of ['oci', 'docker'] as const) {
    for (const compression of ['none', 'gzip', 'zstd'] as const) {
      const type = MEDIA_TYPES[family].layer[compression];
      expect(layerMediaType(family, compression)).toBe(type ?? null);
      if (type !== undefined) expect(layerKind(type)).toEqual({ kind: 'layer', family, compression });
    }
  }
  expect(layerMediaType('docker', 'zstd')).toBeNull();
});

test('non-distributable layers are foreign', () => {
  for (const type of [
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  ])
    expect(layerKind(type)).toEqual({ kind: 'foreign' });
});

test('zstd in the types of Docker is read, but is not a type to write', () => {
  const type = 'application/vnd.docker.image.rootfs.diff.tar.zstd';
  expect(layerKind(type)).toEqual({ kind: 'layer', family: 'docker', compression: 'zstd' });
  expect(layerMediaType('docker', 'zstd')).toBeNull();
  expect(isTypeFor(type, 'zstd')).toBe(false);
  expect(layerTypeLike('application/vnd.docker.image.rootfs.diff.tar', 'zstd')).toBe(type);
});

test('encrypted layers, invented types and other artifacts are unknown', () => {
  for (const type of [
    'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
    'application/vnd.in-toto+json',
    'application/vnd.oci.image.layer.v1.tar+GZIP',
    'text/plain; application/vnd.oci.image.layer.nondistributable.v1.tar',
    '',
  ])
    expect(layerKind(type), type).toEqual({ kind: 'unknown' });
});

test('each document has one kind and one family', () => {
  const kinds = (type: string) => [isManifestType(type), isIndexType(type), isConfigType(type)];
  for (const family of ['oci', 'docker'] as const) {
    const { manifest, index, config } = MEDIA_TYPES[family];
    expect([manifest, index, config].map(kinds)).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ]);
    expect([manifest, index, config].map(familyOf)).toEqual([family, family, family]);
  }
  for (const retired of [mediaTypes.dockerSchema1, mediaTypes.dockerSchema1Signed, 'application/json'])
    expect(kinds(retired)).toEqual([false, false, false]);
});
