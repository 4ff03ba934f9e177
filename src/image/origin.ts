import type { Digest } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';
import type { JsonObject } from '../oci/json.ts';
import type { Image } from './image.ts';

/** The annotations of a pruned image's manifest that lead back to what it was made from. */
export const originAnnotations = {
  digest: 'io.ocislim.original.digest',
  name: 'io.ocislim.original.name',
} as const;

/** What a pruned image was made from: the manifest of that platform, and the reference that it was read by. */
export interface Origin {
  readonly digest: Digest;
  readonly name: string | null;
}

/** Returns the origin that the manifest's annotations name; null where they name none. */
export function originOf(image: Image): Origin | null {
  const annotations = (image.manifest.json['annotations'] ?? {}) as JsonObject;
  const digest = annotations[originAnnotations.digest];
  const name = annotations[originAnnotations.name];
  if (typeof digest !== 'string' || !isDigest(digest)) return null;
  return { digest, name: typeof name === 'string' && name !== '' ? name : null };
}
