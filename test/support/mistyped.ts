/** Images whose manifests say other things of their layers than are true, as some tools write them. */
import {
  type BlobDescriptor,
  type BuiltTree,
  buildImage,
  digestOf,
  jsonBytes,
  type LayerCompression,
  MEDIA_TYPES,
} from './image-builder.ts';

/** A manifest that is to be changed. */
interface Manifest extends Record<string, unknown> {
  config: BlobDescriptor;
  layers: BlobDescriptor[];
}

/** Returns an image whose manifest was changed after it was built. */
export function stating(built: BuiltTree, change: (manifest: Manifest) => void): BuiltTree {
  const manifest = JSON.parse(new TextDecoder().decode(built.blobs.get(built.descriptor.digest))) as Manifest;
  change(manifest);
  const bytes = jsonBytes(manifest);
  const digest = digestOf(bytes);
  return {
    descriptor: { ...built.descriptor, digest, size: bytes.length },
    blobs: new Map([...built.blobs, [digest, bytes]]),
  };
}

/** How the media type of a layer says that it is packed, and how it is. */
export interface Mistyping {
  readonly stated: LayerCompression;
  readonly actual: LayerCompression;
  /** Which layer. */
  readonly at: number;
}

/** Returns an image of these tars, packed as gzip, but for one layer that is packed in another way than its media type says. */
export function mistyped(tars: readonly Uint8Array[], { stated, actual, at }: Mistyping): BuiltTree {
  const compress = tars.map((_, i) => (i === at ? actual : 'gzip'));
  return stating(buildImage({ layers: tars, compress }), (manifest) => {
    manifest.layers[at] = {
      ...(manifest.layers[at] as BlobDescriptor),
      mediaType: MEDIA_TYPES.oci.layer[stated],
    };
  });
}

const formats = ['gzip', 'zstd', 'none'] as const;

/** All pairs of two different formats. */
export const mistypings = formats.flatMap((stated) =>
  formats.flatMap((actual) => (stated === actual ? [] : [[stated, actual] as const])),
);
