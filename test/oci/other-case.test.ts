import { describe, expect, test } from 'vitest';
import { parseImageConfig } from '../../src/oci/image-config.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-type.ts';
import { readRuntime } from '../../src/oci/runtime.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const config = { mediaType: mediaTypes.ociConfig, digest, size: 2 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 3 };
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const child = { mediaType: mediaTypes.ociManifest, digest, size: 4 };
const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] };
const imageConfig = {
  os: 'linux',
  architecture: 'amd64',
  rootfs: { type: 'layers', diff_ids: [digest] },
  history: [{ created_by: 'a' }],
};

const refusal = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID' });
    return (error as Error).message;
  }
  return 'none';
};
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const ofManifest = (value: { mediaType: string }): string =>
  refusal(() => parseManifest(bytes(value), value.mediaType, 'it'));
const ofConfig = (value: unknown): string => refusal(() => parseImageConfig(bytes(value), 1, 'it'));

// Go's encoding/json compares names of members without case, in all of Unicode: ſ is an s, K (Kelvin) a k.
describe('N11: keys that differ from known ones in case only', () => {
  test('documents without such keys are accepted', () => {
    expect([ofManifest(manifest), ofManifest(index), ofConfig(imageConfig)]).toEqual([
      'none',
      'none',
      'none',
    ]);
  });

  test.each<readonly [string, { mediaType: string }]>([
    ['Layers', { ...manifest, Layers: [] } as never],
    ['layer\u017f', { ...manifest, 'layer\u017f': [] } as never],
    ['MANIFEST\u017f', { ...manifest, 'MANIFEST\u017f': [] } as never],
    ['Config', { ...manifest, Config: config } as never],
    ['\u017fubject', { ...manifest, '\u017fubject': child } as never],
    ['Digest', { ...manifest, config: { ...config, Digest: digest } } as never],
    ['dige\u017ft', { ...manifest, layers: [layer, { ...layer, 'dige\u017ft': digest }] } as never],
    ['\u017fize', { ...manifest, layers: [{ ...layer, '\u017fize': 1 }] } as never],
    ['Manifests', { ...index, Manifests: [] } as never],
    ['annotation\u017f', { ...index, manifests: [{ ...child, 'annotation\u017f': {} }] } as never],
    ['OS', { ...index, manifests: [{ ...child, platform: { os: 'linux', OS: 'windows' } }] } as never],
    [
      'o\u017f',
      { ...index, manifests: [{ ...child, platform: { os: 'linux', 'o\u017f': 'windows' } }] } as never,
    ],
  ])('a manifest or index with the key %s is refused', (key, value) => {
    expect(ofManifest(value)).toContain(`has the key ${JSON.stringify(key)}, which some programs take for `);
  });

  test.each<readonly [string, object]>([
    ['RootFS', { RootFS: { type: 'layers', diff_ids: [] } }],
    ['rootf\u017f', { 'rootf\u017f': { type: 'layers', diff_ids: [] } }],
    ['Diff_Ids', { rootfs: { type: 'layers', diff_ids: [digest], Diff_Ids: [] } }],
    ['History', { History: [] }],
    ['empty_Layer', { history: [{ created_by: 'a', empty_Layer: true }] }],
    ['OS', { OS: 'windows' }],
    ['Config', { Config: {} }],
  ])('a config with the key %s is refused', (key, more) => {
    expect(ofConfig({ ...imageConfig, ...more })).toContain(
      `has the key ${JSON.stringify(key)}, which some programs take for `,
    );
  });

  test('settings for running are read in any case, as runtimes do, but two spellings are refused', () => {
    const run = { cmd: ['/a'], 'u\u017fer': 'bob', WORKINGDIR: '/w', env: ['A=b'] };
    const parsed = parseImageConfig(bytes({ ...imageConfig, config: run }), 1, 'it');
    expect(readRuntime(parsed)).toMatchObject({ command: ['/a'], user: 'bob', workingDirectory: '/w' });
    expect(readRuntime(parsed).environment.get('A')).toBe('b');
    expect(ofConfig({ ...imageConfig, config: { Cmd: ['/a'], cmd: ['/b'] } })).toMatch(
      /has the keys "Cmd" and "cmd", which some programs take for one/,
    );
    expect(ofConfig({ ...imageConfig, config: { Labels: {}, 'label\u017f': {} } })).toMatch(/for one/);
  });

  test('keys that no specification defines may differ in case', () => {
    const annotations = { a: '1', A: '2', Size: '3', size: '4' };
    expect(ofManifest({ ...manifest, annotations, 'x-Own': 1, 'X-own': 2 } as never)).toBe('none');
    const more = { config: { Labels: { a: '1', A: '2' }, Env: [], Volumes: { '/a': {}, '/A': {} } } };
    expect(ofConfig({ ...imageConfig, ...more, 'x-Own': 1, 'X-own': 2 })).toBe('none');
  });
});

describe('N9: annotations that are not an object', () => {
  test.each([
    ['a text', 'abc'],
    ['a list', ['abc']],
    ['a number', 5],
    ['a boolean', true],
  ])('%s is refused', (_, annotations) => {
    for (const value of [
      { ...manifest, annotations },
      { ...manifest, config: { ...config, annotations } },
      { ...manifest, layers: [{ ...layer, annotations }] },
      { ...index, annotations },
      { ...index, manifests: [{ ...child, annotations }] },
    ])
      expect(ofManifest(value)).toMatch(/has annotations that are not an object$/);
  });

  test('null counts as no annotations', () => {
    expect(
      ofManifest({ ...manifest, annotations: null, config: { ...config, annotations: null } } as never),
    ).toBe('none');
  });
});
