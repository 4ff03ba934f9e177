import { type Descriptor, descriptorOfBytes, makeDescriptor } from '../oci/descriptor.ts';
import { artifactManifest, emptyConfig } from '../oci/referrers.ts';
import type { Target } from '../place/place.ts';

/** An artifact about an image, such as a signature or a statement, before it is written. */
export interface NewArtifact {
  /** The manifest or index that it is about. It need not be at the target yet. */
  readonly subject: Descriptor;
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly blobs: readonly {
    readonly mediaType: string;
    readonly bytes: Uint8Array;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

/**
 * Writes an artifact about an image beside it (image-spec manifest.md, "Guidelines for Artifact Usage"), and returns its descriptor.
 * Comes before `publish`, with which layouts and archives show it. @throws UNSUPPORTED for a Docker archive, and what targets throw
 */
export async function attachArtifact(
  target: Target,
  { blobs, ...parts }: NewArtifact,
  signal: AbortSignal,
): Promise<Descriptor> {
  await target.put(emptyConfig.bytes, emptyConfig.descriptor, signal);
  const layers: Descriptor[] = [];
  for (const { mediaType, bytes, annotations = {} } of blobs) {
    const { digest, size } = descriptorOfBytes(mediaType, bytes);
    const layer = makeDescriptor(mediaType, digest, size, annotations);
    await target.put(bytes, layer, signal);
    layers.push(layer);
  }
  const manifest = artifactManifest({ ...parts, layers });
  await target.attach(manifest, signal);
  return manifest.descriptor;
}
