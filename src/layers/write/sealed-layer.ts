/**
 * What the layer writer reports of each layer that it has brought to the target, by how the layer came to be. The
 * interpreter puts manifests together from it, and the report is made of it.
 */
import type { PackedEncoding } from '../../codec/encoding.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Compression } from '../../oci/media-type.ts';
import type { Adoption } from '../../place/place.ts';
import type { Seal } from '../../stream/seal.ts';

/** A layer of the new image. Only the writer makes one, so its digest is that of bytes that have been written or verified. */
export type SealedLayer = UnchangedLayer | RepackedLayer | RecalledLayer | DroppedLayer;

/** A layer that keeps the blob of the source. */
export interface UnchangedLayer {
  readonly kind: 'unchanged';
  readonly blob: Seal;
  readonly diffId: Digest;
  readonly adoption: Adoption;
  /** The format of the blob; null where the media type does not say, and nothing else does. */
  readonly format: Compression | null;
  /** A new packing of the layer that saved too little to replace the blob; null where none was tried. */
  readonly rejected: { readonly tarBytes: number } | null;
}

/** What a new blob is, whichever run made it. */
export interface NewBlob {
  /** Whether the contents changed (`rewritten`) or only the packing (`recompressed`). */
  readonly change: 'rewritten' | 'recompressed';
  readonly blob: Seal;
  readonly diffId: Digest;
  /** Bytes of the tar. */
  readonly tarBytes: number;
  readonly encoding: PackedEncoding;
}

/** A layer whose new blob this run has made and sent. */
export interface RepackedLayer extends NewBlob {
  readonly kind: 'repacked';
}

/** A layer whose new blob was made before: the target had it already, or it was sent from the cache. */
export interface RecalledLayer extends NewBlob {
  readonly kind: 'recalled';
  readonly from: 'target' | 'cache';
}

/** A layer that the new image does not have, since nothing was left in it. */
export interface DroppedLayer {
  readonly kind: 'dropped';
}

/** A layer of the new image with its blob. */
export type KeptLayer = Exclude<SealedLayer, DroppedLayer>;

/** How a layer came to be, in one word. */
export type LayerAction = Adoption | 'rewritten' | 'recompressed' | 'not-smaller' | 'dropped';

/** Returns how a layer came to be. */
export function actionOf(sealed: SealedLayer): LayerAction {
  switch (sealed.kind) {
    case 'unchanged':
      return sealed.rejected === null ? sealed.adoption : 'not-smaller';
    case 'repacked':
    case 'recalled':
      return sealed.change;
    case 'dropped':
      return 'dropped';
  }
}

/** Returns digest and size of the layer's blob; null for a dropped layer. */
export function blobOf(sealed: SealedLayer): Seal | null {
  return sealed.kind === 'dropped' ? null : sealed.blob;
}

/** Returns the bytes of the layer's tar, 0 for a dropped layer; null where the tar has not been unpacked. */
export function tarBytesOf(sealed: SealedLayer): number | null {
  switch (sealed.kind) {
    case 'unchanged':
      return sealed.rejected?.tarBytes ?? null;
    case 'repacked':
    case 'recalled':
      return sealed.tarBytes;
    case 'dropped':
      return 0;
  }
}

/** Returns the encoding of a new blob; null where the layer has none. */
export function encodingOfBlob(sealed: SealedLayer): PackedEncoding | null {
  return sealed.kind === 'repacked' || sealed.kind === 'recalled' ? sealed.encoding : null;
}

/** Returns the format of a layer of the new image; null for a dropped layer, and where the media type does not say. */
export function compressionOf(sealed: SealedLayer): Compression | null {
  switch (sealed.kind) {
    case 'unchanged':
      return sealed.format;
    case 'repacked':
    case 'recalled':
      return sealed.encoding.kind;
    case 'dropped':
      return null;
  }
}
