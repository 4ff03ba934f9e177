/**
 * Which of several platforms a wanted one means: the exact one, else the best that is compatible. Pure; jobs/choose-children.ts
 * asks it about the rows of an index.
 */
import { normalPlatform, type Platform } from './platform.ts';

/** How well a platform is the wanted one: lower is better, number by number. */
type Rank = readonly number[];

/** The variant that an architecture means where none is stated (containerd platforms, "Normalization"). */
const usualVariants: Readonly<Record<string, string>> = { amd64: 'v1', arm: 'v7', arm64: 'v8' };

/**
 * Returns the candidates that are best for the wanted platform: several where nothing tells them apart, none where no
 * candidate is compatible. An image for a lower variant is (arm/v6 for arm/v7), also one for a later revision of the same
 * build of Windows. Where no variant is wanted the usual one is best, then lower ones, then any.
 */
export function bestMatches<T>(
  wanted: Platform,
  candidates: readonly T[],
  platformOf: (candidate: T) => Platform,
): readonly T[] {
  let best: { readonly rank: Rank; readonly found: T[] } | null = null;
  for (const candidate of candidates) {
    const rank = rankOf(wanted, platformOf(candidate));
    if (rank === null) continue;
    const order = best === null ? -1 : compare(rank, best.rank);
    if (order < 0) best = { rank, found: [candidate] };
    else if (order === 0) best?.found.push(candidate);
  }
  return best?.found ?? [];
}

/** Returns whether an image for `actual` runs where one for `wanted` is asked for. */
export function isCompatible(wanted: Platform, actual: Platform): boolean {
  return rankOf(wanted, actual) !== null;
}

/** Returns whether `actual` is just what is wanted, as far as that is stated, and no substitute. */
export function isExact(wanted: Platform, actual: Platform): boolean {
  const [variant = null, , version = null] = rankOf(wanted, actual) ?? [];
  return variant !== null && variant <= 1 && version !== null && version <= 1;
}

/** Ranks variant, its distance, version, its distance; null where `actual` is not compatible. */
function rankOf(wanted: Platform, actual: Platform): Rank | null {
  const [a, b] = [normalPlatform(wanted), normalPlatform(actual)];
  if (a.os !== b.os || a.architecture !== b.architecture) return null;
  const variant = rankVariant(a, b);
  const version = rankVersion(a.osVersion, b.osVersion);
  return variant === null || version === null ? null : [...variant, ...version];
}

function rankVariant(wanted: Platform, actual: Platform): Rank | null {
  if (wanted.variant === actual.variant) return [0, 0];
  const usual = usualVariants[wanted.architecture];
  const [a, b] = [wanted.variant ?? usual, actual.variant ?? usual];
  if (a === b) return [1, 0];
  const [most, level] = [levelOf(a), levelOf(b)];
  if (most !== null && level !== null && level <= most) return level === most ? [1, 0] : [2, most - level];
  if (wanted.variant !== undefined) return null;
  return most !== null && level !== null ? [3, level - most] : [4, 0];
}

/** Reads `v7` or `v8.2` as a number that sorts variants. */
function levelOf(variant: string | undefined): number | null {
  const [, major, minor = '0'] = /^v([0-9]{1,3})(?:\.([0-9]{1,3}))?$/.exec(variant ?? '') ?? [];
  return major === undefined ? null : Number(major) * 1000 + Number(minor);
}

/** Images for one build of Windows run on all its revisions: the first three of four numbers decide. */
function rankVersion(wanted: string | undefined, actual: string | undefined): Rank | null {
  if (wanted === actual) return [0, 0];
  if (wanted === undefined) return [1, 0];
  if (actual === undefined) return null;
  const [, build = wanted] = /^((?:[0-9]+\.){2}[0-9]+)\.[0-9]+$/.exec(wanted) ?? [];
  if (!`${actual}.`.startsWith(`${build}.`)) return null;
  const revision = Number(/\.([0-9]+)$/.exec(actual)?.[1] ?? 0);
  return [2, -revision];
}

function compare(a: Rank, b: Rank): number {
  const at = a.findIndex((number, i) => number !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
