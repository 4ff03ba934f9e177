/**
 * Annotations that say how the layers of an image are packed. They are not true of layers that have been packed otherwise. Called
 * where manifests, indexes and the index.json of a layout are put together.
 */
import { isJsonObject, type JsonObject } from './json.ts';

/** How the layers below a new manifest or index are packed. */
export interface Packing {
  /** The formats of all layers. */
  readonly formats: ReadonlySet<string>;
  /** Whether every layer has the blob that it had. */
  readonly isKept: boolean;
}

/**
 * The prefix by which podman tells apart images for one platform that are packed in different ways. containers/image writes
 * `io.github.containers.compression.zstd: "true"` to rows of an index, and takes rows without it for gzip.
 */
const formatPrefix = 'io.github.containers.compression.';

/** Annotations of layers, manifests and rows that lead into a blob, or to what was made from it: lazy pulling and the like. */
const ofBlobs =
  /^(?:containerd\.io\/snapshot\/|io\.containers\.estargz\.|io\.github\.containers\.zstd-chunked\.|com\.amazon\.soci\.)/;

/** Returns whether an annotation is not true of another blob than that it was written for. */
export function isOfBlob(key: string): boolean {
  return ofBlobs.test(key);
}

/** Returns the annotations of a changed manifest, index or row without those that are not true any more. */
export function withoutStaleNotes(annotations: unknown, { formats, isKept }: Packing): JsonObject {
  if (!isJsonObject(annotations)) return {};
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) =>
      key.startsWith(formatPrefix) ? formats.has(key.slice(formatPrefix.length)) : isKept || !isOfBlob(key),
    ),
  );
}

/**
 * Returns the annotations of a row whose image has changed. Where other rows are for the same platform, one in zstd is marked, since
 * podman could not tell it from them.
 */
export function rowNotes(annotations: unknown, packing: Packing, hasRivals: boolean): JsonObject {
  const kept = withoutStaleNotes(annotations, packing);
  return hasRivals && packing.formats.has('zstd') ? { ...kept, [`${formatPrefix}zstd`]: 'true' } : kept;
}

/** Joins how the parts of an index are packed. */
export function joinPacking(parts: readonly Packing[]): Packing {
  return {
    formats: new Set(parts.flatMap(({ formats }) => [...formats])),
    isKept: parts.every(({ isKept }) => isKept),
  };
}
