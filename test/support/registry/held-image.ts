import { isDigest } from '../../../src/oci/digest.ts';
import { type BuiltTree, digestOf } from '../image-builder.ts';
import type { RepositoryContent } from './content.ts';

/** Puts an image or index into a repository of the fake registry, without a request. */
export function hold(content: RepositoryContent, tree: BuiltTree, tag: string): void {
  for (const [digest, bytes] of tree.blobs) {
    if (!isDigest(digest)) throw new Error(`not a digest: ${digest}`);
    const mediaType = typeOf(bytes);
    if (mediaType === null) content.blobs.set(digest, Buffer.from(bytes));
    else content.manifests.set(digest, { mediaType, bytes: Buffer.from(bytes) });
    if (digest === tree.descriptor.digest) content.tags.set(tag, digest);
  }
}

/** Returns the media type that a manifest or index states; null for blobs. */
function typeOf(bytes: Uint8Array): string | null {
  if (bytes[0] !== 0x7b) return null;
  const { mediaType } = JSON.parse(new TextDecoder().decode(bytes)) as { mediaType?: string };
  return mediaType ?? null;
}

/** Returns what the manifests of a repository lack, tagged or not; empty when all can be pulled. */
export function missing(content: RepositoryContent): string[] {
  const problems: string[] = [];
  for (const [tag, digest] of content.tags)
    if (!content.manifests.has(digest)) problems.push(`${tag} has no manifest`);
  for (const [digest, { bytes }] of content.manifests) {
    if (digestOf(bytes) !== digest) problems.push(`manifest ${digest} has other bytes`);
    const { config, layers } = JSON.parse(bytes.toString()) as {
      config: { digest: string; size: number };
      layers: { digest: string; size: number }[];
    };
    for (const blob of [config, ...layers]) {
      const held = isDigest(blob.digest) ? content.blobs.get(blob.digest) : undefined;
      if (held === undefined) problems.push(`${blob.digest} is not there`);
      else if (held.length !== blob.size || digestOf(held) !== blob.digest)
        problems.push(`${blob.digest} has other bytes`);
    }
  }
  return problems;
}
