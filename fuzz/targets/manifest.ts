/** The target of manifests, indexes and configs. What is accepted is written back unchanged. */
import { parseDescriptor } from '../../src/oci/descriptor.ts';
import { parseImageConfig } from '../../src/oci/image-config.ts';
import { isImage, parseManifest, sniffMediaType } from '../../src/oci/manifest.ts';
import { layerKind, mediaTypes } from '../../src/oci/media-type.ts';
import { formatPlatform, readPlatform } from '../../src/oci/platform.ts';
import { readRuntime } from '../../src/oci/runtime.ts';
import { findImage, parseDockerManifest } from '../../src/store/archive/docker-manifest.ts';
import { choicesIn, entriesNamed } from '../../src/store/layout/layout-choice.ts';
import { checkMarker, parseIndexFile, readEntry } from '../../src/store/layout/layout-index.ts';
import { buildIndex } from '../../test/support/image-builder.ts';
import { armImage, designedImage } from '../../test/support/small-image.ts';
import { jsonMutators, treeMutator } from '../json-mutators.ts';
import { holds, neverThrows, outcomeNow, type Target } from '../target.ts';

export const target: Target = {
  name: 'manifest',
  invariant:
    'no document is both a manifest and an index, whatever it is announced as; what comes out has digests, sizes and types of the right form',
  seeds: () => {
    const images = [designedImage({ history: 'with-empty-layers' }), designedImage({ family: 'docker' })];
    const index = buildIndex({ images: [designedImage(), armImage()] });
    const saved = [{ Config: 'blobs/sha256/aa', RepoTags: ['app:1'], Layers: ['a/layer.tar', 'b.tar'] }];
    return [
      ...images.flatMap(({ manifest, config }) => [manifest, config]),
      index.index,
      ...[
        saved,
        { imageLayoutVersion: '1.0.0' },
        { ...JSON.parse(Buffer.from(index.index).toString()), subject: null },
        {
          mediaType: 'a',
          digest: `sha256:${'a'.repeat(64)}`,
          size: 1,
          annotations: { a: 'b' },
          urls: ['http://a'],
        },
      ].map((value) => Buffer.from(JSON.stringify(value))),
    ];
  },
  dictionary: [
    ...Object.values(mediaTypes).map((type) => JSON.stringify(type)),
    '"layers":[]',
    '"manifests":[]',
    '"config":{}',
    '"fsLayers":[]',
    '"subject":',
    '"platform":{"os":"linux","architecture":"arm64"}',
    '"sha256:',
    '"rootfs":{"type":"layers","diff_ids":[]}',
    '"history":[{"empty_layer":true}]',
  ],
  mutators: [...jsonMutators, ...Array.from({ length: 10 }, () => treeMutator('\n==\n'))],
  run: (bytes) => {
    const kinds = new Set<string>();
    for (const type of Object.values(mediaTypes)) {
      const outcome = outcomeNow(() => parseManifest(bytes, type, 'it'));
      if (outcome.kind === 'refused') continue;
      const { value } = outcome;
      kinds.add(value.kind);
      const descriptors =
        value.kind === 'index'
          ? value.children.map((child) => child.descriptor)
          : [value.config, ...value.layers];
      for (const { digest, size, mediaType, annotations } of descriptors) {
        holds(/^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/.test(digest), 'a digest that is none');
        holds(Number.isSafeInteger(size) && size >= 0, 'a size that is none');
        layerKind(mediaType);
        holds(
          Object.values(annotations).every((text) => typeof text === 'string'),
          'an annotation that is no text',
        );
      }
      if (value.kind === 'index')
        for (const { platform } of value.children) if (platform !== null) formatPlatform(platform);
      if (value.kind === 'manifest') isImage(value);
    }
    holds(kinds.size <= 1, 'read as a manifest and as an index');
    outcomeNow(() => sniffMediaType(bytes, 'it'));
    for (const layers of [0, 2, 9]) {
      const config = outcomeNow(() => parseImageConfig(bytes, layers, 'it'));
      if (config.kind === 'refused') continue;
      holds(config.value.diffIds.length === layers, 'another number of DiffIDs');
      neverThrows('readRuntime', () => readRuntime(config.value));
    }
    outcomeNow(() => checkMarker(bytes, 'it'));
    outcomeNow(() => {
      const { rows } = parseIndexFile(bytes, 'it');
      const entries = rows.map((row) => readEntry(row, 'it'));
      entriesNamed(entries, 'a');
      choicesIn({ place: 'it', rows: entries, nested: [] }, entries);
    });
    outcomeNow(() => {
      const images = parseDockerManifest(bytes, 'it');
      for (const name of [null, 'app:1', 'docker.io/library/app:1'])
        outcomeNow(() =>
          findImage(images, { name, digest: null, position: null }, { label: 'it', place: 'it' }),
        );
    });
    let value: unknown = null;
    try {
      value = JSON.parse(Buffer.from(bytes).toString());
    } catch {
      return;
    }
    readPlatform(value);
    outcomeNow(() => parseDescriptor(value, 'it'));
  },
};
