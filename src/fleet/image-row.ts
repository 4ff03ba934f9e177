/** A line of a plan: one image of the fleet, by its digest. `jobs/fleet` makes them; programs read them as NDJSON. */
import type { Digest } from '../oci/digest.ts';

export interface RowLayer {
  readonly digest: Digest;
  /** In bytes, as it is stored. */
  readonly size: number;
}

/** One image, or one index of several, with the names that it has. */
export interface ImageRow {
  /** `HOST/REPOSITORY`. */
  readonly repository: string;
  /** What the tags name: a manifest or an index. */
  readonly digest: Digest;
  /** At least one, unless the image was named by its digest. In the order of the registry. */
  readonly tags: readonly string[];
  /** When it says that it was made, in milliseconds since 1970: the newest of its platforms. */
  readonly created: number | null;
  /** `linux/amd64`, each once. */
  readonly platforms: readonly string[];
  /** Those of all platforms, each once, without those that no registry has. */
  readonly layers: readonly RowLayer[];
}

/** Writes a row as one line of JSON, with its end. The same row gives the same bytes. */
export function formatImageRow({ repository, digest, tags, created, platforms, layers }: ImageRow): string {
  const row = {
    image: `${repository}@${digest}`,
    tags,
    created: created === null ? null : new Date(created).toISOString(),
    platforms,
    size: layers.reduce((sum, { size }) => sum + size, 0),
    layers: layers.map((layer) => ({ digest: layer.digest, size: layer.size })),
  };
  return `${JSON.stringify(row)}\n`;
}
