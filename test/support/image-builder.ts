/**
 * Builds images, indexes and layouts from tars, without a line of the code that is tested. The same recipe gives
 * the same bytes.
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';

export type BlobMap = ReadonlyMap<string, Uint8Array>;

export type ImagePlatform = {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
};

/** A descriptor as it stands in a manifest or index. */
export type BlobDescriptor = {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: ImagePlatform;
};

export type Family = 'oci' | 'docker';
export type LayerCompression = 'gzip' | 'none' | 'zstd';

/** Something that a layout or registry can hold: its root, and all blobs below it, the root included. */
export type BuiltTree = { readonly descriptor: BlobDescriptor; readonly blobs: BlobMap };

export type BuiltImage = BuiltTree & {
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
  readonly diffIds: readonly string[];
  readonly layers: readonly BlobDescriptor[];
};

export type BuiltIndex = BuiltTree & { readonly index: Uint8Array };

export type ImageRecipe = {
  /** The layers' tars, lowest first. */
  readonly layers: readonly Uint8Array[];
  /** One compression for all layers, or one for each. Docker has no zstd: a RangeError. */
  readonly compress?: LayerCompression | readonly LayerCompression[];
  readonly family?: Family;
  /**
   * `full`: a row for each layer; `with-empty-layers`: also rows without a layer, before, between and after;
   * `none`: no history.
   */
  readonly history?: 'full' | 'none' | 'with-empty-layers';
  /** Members of the config document that replace the default ones (`config`, `created`, `author`, …). */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly platform?: ImagePlatform;
  /** Annotations of the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Annotations of each layer's descriptor. */
  readonly layerAnnotations?: readonly (Readonly<Record<string, string>> | undefined)[];
};

export const MEDIA_TYPES = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: {
      none: 'application/vnd.oci.image.layer.v1.tar',
      gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
      zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
    },
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: {
      none: 'application/vnd.docker.image.rootfs.diff.tar',
      gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      zstd: undefined,
    },
  },
} as const;

const LINUX: ImagePlatform = { os: 'linux', architecture: 'amd64' };
const CREATED = '2024-03-01T12:00:00Z';

/** Returns the digest of bytes, with `sha256:` before it. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Encodes a JSON document as most tools do: no spaces, keys in the order given. */
export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Builds an image of layers. */
export function buildImage(recipe: ImageRecipe): BuiltImage {
  const family = recipe.family ?? 'oci';
  const types = MEDIA_TYPES[family];
  const platform = recipe.platform ?? LINUX;
  const blobs = new Map<string, Uint8Array>();
  const diffIds = recipe.layers.map(digestOf);

  const layers = recipe.layers.map((tar, i): BlobDescriptor => {
    const how = typeof recipe.compress === 'object' ? recipe.compress[i] : recipe.compress;
    const mediaType = types.layer[how ?? 'gzip'];
    if (mediaType === undefined) throw new RangeError('docker images know no zstd');
    const annotations = recipe.layerAnnotations?.[i];
    const descriptor = { mediaType, ...putBlob(blobs, compressed(tar, how ?? 'gzip')) };
    return annotations === undefined ? descriptor : { ...descriptor, annotations };
  });

  const history = historyOf(recipe.history ?? 'full', layers.length);
  const config = jsonBytes({
    created: CREATED,
    architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    os: platform.os,
    ...(platform['os.version'] === undefined ? {} : { 'os.version': platform['os.version'] }),
    config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['/bin/sh'], Labels: { made: 'for a test' } },
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...(history === undefined ? {} : { history }),
    ...recipe.config,
  });
  const manifest = jsonBytes({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, ...putBlob(blobs, config) },
    layers,
    ...(recipe.annotations === undefined ? {} : { annotations: recipe.annotations }),
  });
  const descriptor = { mediaType: types.manifest, ...putBlob(blobs, manifest), platform };
  return { descriptor, blobs, manifest, config, diffIds, layers };
}

function putBlob(blobs: Map<string, Uint8Array>, bytes: Uint8Array): { digest: string; size: number } {
  const digest = digestOf(bytes);
  blobs.set(digest, bytes);
  return { digest, size: bytes.length };
}

function compressed(tar: Uint8Array, how: LayerCompression): Uint8Array {
  switch (how) {
    case 'none':
      return tar;
    case 'gzip':
      return new Uint8Array(gzipSync(tar));
    case 'zstd':
      return new Uint8Array(zstdCompressSync(tar));
  }
}

function historyOf(kind: 'full' | 'none' | 'with-empty-layers', count: number): unknown[] | undefined {
  if (kind === 'none') return undefined;
  const empty = (what: string): unknown => ({
    created: CREATED,
    created_by: `${what} # buildkit`,
    comment: 'buildkit.dockerfile.v0',
    empty_layer: true,
  });
  const rows = Array.from({ length: count }, (_, i): unknown[] => {
    const minute = String(i % 60).padStart(2, '0');
    const row = { created: `2024-03-01T11:${minute}:00Z`, created_by: `RUN step ${i + 1}` };
    return kind === 'full' ? [row] : [empty(`ENV BEFORE=${i + 1}`), row];
  }).flat();
  return kind === 'full' ? rows : [...rows, empty('CMD ["/bin/sh"]')];
}

export type IndexRecipe = {
  /** The images. Each one's descriptor gets its platform. */
  readonly images: readonly BuiltImage[];
  /** Whether each image gets an attestation manifest, as BuildKit adds one. Default: no. */
  readonly attestations?: boolean;
  readonly family?: Family;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** Builds an index (or a Docker manifest list) of several images, with their attestations after them. */
export function buildIndex(recipe: IndexRecipe): BuiltIndex {
  const mediaType = MEDIA_TYPES[recipe.family ?? 'oci'].index;
  const attestations = recipe.attestations === true ? recipe.images.map(buildAttestation) : [];
  const children = [...recipe.images, ...attestations];
  const blobs = new Map(children.flatMap((child) => [...child.blobs]));
  const index = jsonBytes({
    schemaVersion: 2,
    mediaType,
    manifests: children.map((child) => child.descriptor),
    ...(recipe.annotations === undefined ? {} : { annotations: recipe.annotations }),
  });
  return { descriptor: { mediaType, ...putBlob(blobs, index) }, blobs, index };
}

/**
 * Builds an attestation of an image as BuildKit puts it into an index: an in-toto statement as the layer, on no
 * platform.
 */
export function buildAttestation(image: BuiltImage): BuiltTree {
  const types = MEDIA_TYPES.oci;
  const blobs = new Map<string, Uint8Array>();
  const sha256 = image.descriptor.digest.replace('sha256:', '');
  const statement = putBlob(
    blobs,
    jsonBytes({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://spdx.dev/Document',
      subject: [{ name: 'image', digest: { sha256 } }],
      predicate: { spdxVersion: 'SPDX-2.3' },
    }),
  );
  const unknown = { architecture: 'unknown', os: 'unknown' };
  const config = putBlob(
    blobs,
    jsonBytes({ ...unknown, config: {}, rootfs: { type: 'layers', diff_ids: [statement.digest] } }),
  );
  const manifest = putBlob(
    blobs,
    jsonBytes({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, ...config },
      layers: [
        {
          mediaType: 'application/vnd.in-toto+json',
          ...statement,
          annotations: { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' },
        },
      ],
    }),
  );
  const annotations = {
    'vnd.docker.reference.digest': image.descriptor.digest,
    'vnd.docker.reference.type': 'attestation-manifest',
  };
  return { descriptor: { mediaType: types.manifest, ...manifest, annotations, platform: unknown }, blobs };
}

/** Writes an OCI layout that holds exactly these trees, each under its tag in `index.json`. The directory is made. */
export async function writeLayout(
  directory: string,
  trees: Readonly<Record<string, BuiltTree>>,
): Promise<void> {
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const manifests = Object.entries(trees).map(([tag, { descriptor }]) => ({
    ...descriptor,
    annotations: { ...descriptor.annotations, 'org.opencontainers.image.ref.name': tag },
  }));
  await writeFile(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.oci.index, manifests }),
  );
  for (const { blobs } of Object.values(trees)) {
    for (const [digest, bytes] of blobs) {
      const path = join(directory, 'blobs', ...digest.split(':'));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
  }
}

export {
  openLayout,
  type ReadImage,
  readImage,
  readImageFrom,
  validateImage,
  validateTree,
} from './image-reader.ts';
