/**
 * Trees that are not, or not only, images: nested indexes, caches of builds, charts, signatures, documents of types that nothing
 * knows. Tests copy and compare them.
 */
import { createHash } from 'node:crypto';
import { type BlobDescriptor, type BuiltTree, buildImage, jsonBytes, MEDIA_TYPES } from './image-builder.ts';
import { tar } from './model/shorthand.ts';

type Algorithm = 'sha256' | 'sha512';
type Json = Readonly<Record<string, unknown>>;

const { manifest, index, config, layer } = MEDIA_TYPES.oci;
const empty = 'application/vnd.oci.empty.v1+json';

/** Returns a blob with its descriptor. `more`: further members of the descriptor. */
export function blobOf(
  mediaType: string,
  content: string | Uint8Array,
  more: Json = {},
  algorithm: Algorithm = 'sha256',
): BuiltTree {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  const descriptor = { mediaType, digest, size: bytes.length, ...more };
  return { descriptor, blobs: new Map([[digest, bytes]]) };
}

/** Returns a document over other trees. `body` gets their descriptors. */
function documentOf(
  mediaType: string,
  below: readonly BuiltTree[],
  body: (descriptors: readonly BlobDescriptor[]) => Json,
  more: Json = {},
  algorithm: Algorithm = 'sha256',
): BuiltTree {
  const bytes = jsonBytes({
    schemaVersion: 2,
    mediaType,
    ...body(below.map(({ descriptor }) => descriptor)),
  });
  const { descriptor, blobs } = blobOf(mediaType, bytes, more, algorithm);
  return { descriptor, blobs: new Map([...below.flatMap((each) => [...each.blobs]), ...blobs]) };
}

/** Returns an index over other trees. `more`: further members of the index. */
export function indexOf(rows: readonly BuiltTree[], more: Json = {}): BuiltTree {
  return documentOf(index, rows, (manifests) => ({ manifests, ...more }));
}

/** Returns a manifest of a config and layers of any type. */
export function artifactOf(
  own: BuiltTree,
  layers: readonly BuiltTree[],
  more: Json = {},
  algorithm: Algorithm = 'sha256',
): BuiltTree {
  return documentOf(
    manifest,
    [own, ...layers],
    ([first, ...rest]) => ({ config: first, layers: rest, ...more }),
    {},
    algorithm,
  );
}

/** Returns the tree with further members of its descriptor, as a row of an index has them. */
export function rowOf({ descriptor, blobs }: BuiltTree, more: Json): BuiltTree {
  return { descriptor: { ...descriptor, ...more }, blobs };
}

export function imageFor(architecture: string, ...entries: readonly string[]): BuiltTree {
  return buildImage({ layers: [tar(...entries)], platform: { os: 'linux', architecture } });
}

const gzipped = [...imageFor('amd64', 'cached=1').blobs].map(([, bytes]) => bytes)[0] as Uint8Array;
const emptyConfig = blobOf(empty, '{}');
const chart = artifactOf(
  blobOf('application/vnd.cncf.helm.config.v1+json', '{"name":"app","version":"1.0.0"}'),
  [blobOf('application/vnd.cncf.helm.chart.content.v1.tar+gzip', gzipped)],
);
const subject = imageFor('amd64', 'a=1').descriptor;

/** By what they are. A copy of each must have every one of its blobs. */
export const artifacts: Readonly<Record<string, BuiltTree>> = {
  'a nested index': indexOf([
    imageFor('amd64', 'a=1'),
    indexOf([imageFor('arm64', 'a=2'), indexOf([imageFor('s390x', 'a=3')])]),
  ]),
  'a cache of BuildKit': indexOf([
    blobOf(layer.gzip, gzipped, { annotations: { 'containerd.io/uncompressed': 'sha256:00' } }),
    blobOf('application/vnd.buildkit.cacheconfig.v0', '{"layers":[{"blob":"x","parent":-1}]}'),
  ]),
  'a cache of BuildKit in the form of an image': artifactOf(
    blobOf('application/vnd.buildkit.cacheconfig.v0', '{"layers":[]}'),
    [blobOf(layer.gzip, gzipped)],
  ),
  'an artifact without a config': artifactOf(emptyConfig, [blobOf('text/plain', 'hello')], {
    artifactType: 'text/plain',
  }),
  'an artifact without a layer': artifactOf(emptyConfig, [emptyConfig], {
    artifactType: 'application/vnd.example',
  }),
  'a chart': chart,
  'an empty config under the type of an image': artifactOf(blobOf(config, '{}'), [
    blobOf(layer.gzip, gzipped),
  ]),
  'a config with another number of layers': artifactOf(
    blobOf(config, '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}'),
    [blobOf(layer.gzip, gzipped)],
  ),
  'a history that is none': artifactOf(
    blobOf(config, '{"rootfs":{"type":"layers","diff_ids":[]},"history":["made by hand"]}'),
    [],
  ),
  'a signature': artifactOf(
    blobOf(config, '{"rootfs":{"type":"layers","diff_ids":["sha256:00"]}}'),
    [
      blobOf('application/vnd.dev.cosign.simplesigning.v1+json', '{}', {
        annotations: { 'dev.cosignproject.cosign/signature': 'MEUC' },
      }),
    ],
    { subject },
  ),
  'a module for wasm': artifactOf(blobOf('application/vnd.wasm.config.v1+json', '{"os":"wasip1"}'), [
    blobOf('application/wasm', '\0asm'),
  ]),
  'an artifact manifest': documentOf(
    'application/vnd.oci.artifact.manifest.v1+json',
    [blobOf('text/plain', 'signed')],
    (blobs) => ({
      schemaVersion: undefined,
      artifactType: 'application/vnd.example.sbom',
      blobs,
      subject,
    }),
  ),
  'an artifact manifest in an index': indexOf([
    imageFor('amd64', 'a=1'),
    documentOf(
      'application/vnd.cncf.oras.artifact.manifest.v1+json',
      [blobOf('text/plain', 'x')],
      (blobs) => ({ blobs }),
    ),
  ]),
  'rows of types that nothing knows': indexOf([
    imageFor('amd64', 'a=1'),
    chart,
    blobOf('application/vnd.example.text', 'no JSON at all'),
    blobOf('application/vnd.example.json+json', '{"hello":[1,2,3]}'),
    blobOf('application/vnd.example.list+json', '["manifests"]'),
    documentOf('application/vnd.example.manifest.v7+json', [blobOf('text/plain', 'below')], (layers) => ({
      layers,
    })),
    rowOf(blobOf('application/vnd.in-toto+json', '{"broken'), {
      platform: { os: 'unknown', architecture: 'unknown' },
    }),
  ]),
  'an attestation with a config that is none': indexOf([
    imageFor('amd64', 'a=1'),
    rowOf(artifactOf(blobOf(config, 'not JSON'), [blobOf('application/vnd.in-toto+json', '{}')]), {
      platform: { os: 'unknown', architecture: 'unknown' },
    }),
  ]),
  'an index without rows': indexOf([]),
};

/** Trees with other digests than registries make. */
export const sha512: BuiltTree = artifactOf(
  blobOf('application/vnd.example.config', '{}', {}, 'sha512'),
  [blobOf('text/plain', 'hello', {}, 'sha512')],
  {},
  'sha512',
);
