/**
 * Images of an index that are one image packed in different ways: gzip, which every client reads, and zstd beside it. The annotation by which
 * podman chooses tells them apart (containers/image, `io.github.containers.compression.zstd`).
 */
import { isJsonObject, type JsonObject } from './json.ts';
import type { IndexChild } from './manifest.ts';
import { formatPlatform } from './platform.ts';

/** The annotation of a row in zstd; its value is "true". */
export const zstdMark = 'io.github.containers.compression.zstd';

/** Returns whether a row of an index is marked as packed with zstd. Null stands for no row. */
export function isZstdRow(row: JsonObject | null): boolean {
  const annotations = row?.['annotations'];
  return isJsonObject(annotations) && annotations[zstdMark] === 'true';
}

/** Returns the rows without those in zstd that have a row without the mark beside them, for the same platform. */
export function withoutVariants(rows: readonly IndexChild[]): readonly IndexChild[] {
  const plain = new Set(rows.filter((row) => !isMarked(row)).map(platformOf));
  return rows.filter((row) => !isMarked(row) || row.platform === null || !plain.has(platformOf(row)));
}

/** Returns whether rows for one platform are variants of each other, the one without the mark first. */
export function areVariants(rows: readonly IndexChild[]): boolean {
  const [first, ...others] = rows;
  return first !== undefined && others.length === 1 && !isMarked(first) && others.every(isMarked);
}

function isMarked({ descriptor }: IndexChild): boolean {
  return isZstdRow(descriptor.json);
}

function platformOf({ platform }: IndexChild): string | null {
  return platform === null ? null : formatPlatform(platform);
}
