/**
 * The annotations by which podman tells apart images for one platform that are packed in different ways. containers/image writes
 * `io.github.containers.compression.zstd: "true"` to rows of an index, and takes rows without it for gzip.
 */
import { compressionOf } from '../../layers/write/sealed-layer.ts';
import { isJsonObject, type JsonObject } from '../../oci/json.ts';
import type { WrittenImage } from './records.ts';

const prefix = 'io.github.containers.compression.';

/** Returns the formats of the layers of a new image. */
export function formatsOf({ layers }: WrittenImage): ReadonlySet<string> {
  return new Set(layers.flatMap(({ sealed }) => compressionOf(sealed) ?? []));
}

/** Returns annotations without those that name a format that no layer has; as they are where there are none. */
export function withoutStaleFormats(annotations: unknown, formats: ReadonlySet<string>): JsonObject {
  if (!isJsonObject(annotations)) return {};
  return Object.fromEntries(
    Object.entries(annotations).filter(
      ([key]) => !key.startsWith(prefix) || formats.has(key.slice(prefix.length)),
    ),
  );
}

/**
 * Returns the annotations of a row whose image has changed. Where the index has several images for the platform, a row in zstd is
 * marked, since podman could not tell it from the others.
 */
export function rowAnnotations(
  annotations: unknown,
  formats: ReadonlySet<string>,
  hasRivals: boolean,
): JsonObject {
  const kept = withoutStaleFormats(annotations, formats);
  return hasRivals && formats.has('zstd') ? { ...kept, [`${prefix}zstd`]: 'true' } : kept;
}
