/**
 * Compares the packages of two images: added, removed, and up or down in version. The comparison of images calls it.
 */
import { decodeForDisplay } from '../../bytes/bytes.ts';
import type { Component } from '../../rootfs/packages/package.ts';
import { compareVersions } from '../../rootfs/versions/versions.ts';
import type { PackageChange } from './image-diff.ts';

/** A package with the bytes of its files that are in the image. */
export interface SizedPackage extends Pick<Component, 'kind' | 'name' | 'version'> {
  readonly bytes: number;
}

/**
 * Pairs packages by kind and name. An image may have one package in several versions (Node): equal versions are paired first, and
 * the others from the highest down.
 */
export function comparePackages(
  a: readonly SizedPackage[],
  b: readonly SizedPackage[],
): readonly PackageChange[] {
  const keyOf = ({ kind, name }: SizedPackage) => `${kind} ${name}`;
  const [before, after] = [Map.groupBy(a, keyOf), Map.groupBy(b, keyOf)];
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.flatMap((key) => compareNamed(before.get(key) ?? [], after.get(key) ?? []));
}

function compareNamed(before: readonly SizedPackage[], after: readonly SizedPackage[]): PackageChange[] {
  const { left, right } = withoutEqual(before, after);
  const changes: PackageChange[] = [];
  for (let i = 0; i < Math.max(left.length, right.length); i++) changes.push(changeOf(left[i], right[i]));
  return changes;
}

/** Takes out what both have in the same version, and sorts the rest, the highest version first. */
function withoutEqual(before: readonly SizedPackage[], after: readonly SizedPackage[]) {
  const left = less(before, after);
  const right = less(after, before);
  return { left: left.sort(byVersion), right: right.sort(byVersion) };
}

/** Returns the packages of a list without as many of each version as another list has. */
function less(list: readonly SizedPackage[], other: readonly SizedPackage[]): SizedPackage[] {
  const counts = new Map<string | null, number>();
  for (const { version } of other) counts.set(version, (counts.get(version) ?? 0) + 1);
  return list.filter(({ version }) => {
    const count = counts.get(version) ?? 0;
    counts.set(version, count - 1);
    return count <= 0;
  });
}

function byVersion(a: SizedPackage, b: SizedPackage): number {
  if (a.version === null || b.version === null)
    return Number(a.version === null) - Number(b.version === null);
  return compareVersions(a.kind, b.version, a.version) ?? (a.version < b.version ? 1 : -1);
}

function changeOf(a: SizedPackage | undefined, b: SizedPackage | undefined): PackageChange {
  const { kind, name } = (a ?? b) as SizedPackage;
  return {
    kind,
    name: decodeForDisplay(name, (text) => text),
    change: a === undefined ? 'added' : b === undefined ? 'removed' : directionOf(a, b),
    a: a?.version ?? null,
    b: b?.version ?? null,
    bytesA: a?.bytes ?? 0,
    bytesB: b?.bytes ?? 0,
  };
}

function directionOf(a: SizedPackage, b: SizedPackage): PackageChange['change'] {
  const order =
    a.version === null || b.version === null ? null : compareVersions(a.kind, a.version, b.version);
  return order === null || order === 0 ? 'changed' : order < 0 ? 'upgraded' : 'downgraded';
}
