/**
 * The media types that the layers of an image should have. Some tools state a plain tar for what is packed, or the other way
 * round, and other programs go by the bytes. `member-reader.ts` calls it for every image that is not merely copied.
 */
import { detect } from '../codec/detect.ts';
import { OcislimError } from '../errors.ts';
import { type Image, layerOf } from '../image/image.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { algorithmOf, type Digest } from '../oci/digest.ts';
import { type Compression, layerKind, layerTypeLike } from '../oci/media-type.ts';
import type { Source } from '../place/place.ts';

/**
 * Returns the image with the media types that its layers should have. A blob whose digest is its DiffID is a plain tar, another one
 * is not: where the media type says otherwise, the first bytes are read. The parsed descriptors (`json`) stay as stated.
 */
export async function withActualTypes(image: Image, source: Source, signal: AbortSignal): Promise<Image> {
  const layers: Descriptor[] = [];
  for (let number = 1; number <= image.manifest.layers.length; number++) {
    const { descriptor, diffId } = layerOf(image, number);
    const format = await formatOf(descriptor, diffId, source, signal);
    layers.push(
      format === null
        ? descriptor
        : { ...descriptor, mediaType: layerTypeLike(descriptor.mediaType, format) },
    );
  }
  const isSame = layers.every((layer, i) => layer === image.manifest.layers[i]);
  return isSame ? image : { ...image, manifest: { ...image.manifest, layers } };
}

/** Returns the format of a layer where it is another one than its media type states; else null. */
async function formatOf(
  descriptor: Descriptor,
  diffId: Digest,
  source: Source,
  signal: AbortSignal,
): Promise<Compression | null> {
  const { digest, mediaType } = descriptor;
  const kind = layerKind(mediaType);
  if (kind.kind !== 'layer' || algorithmOf(digest) !== algorithmOf(diffId)) return null;
  const isPlain = digest === diffId;
  if (isPlain === (kind.compression === 'none')) return null;
  const format = await peek(descriptor, source, signal);
  // A DiffID may be wrong: some tools state the digest of the packed layer.
  return format !== 'empty' && isPlain === (format === 'none') ? format : null;
}

/** Reads the first bytes of a blob. One that cannot be read shows nothing: what needs it will say so. */
async function peek(
  descriptor: Descriptor,
  source: Source,
  signal: AbortSignal,
): Promise<Compression | 'empty'> {
  let head = new Uint8Array(0);
  try {
    for await (const chunk of source.blob(descriptor, signal)) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= 4) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof OcislimError)) throw error;
  }
  return detect(head);
}
