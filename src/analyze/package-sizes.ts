/** Says how large each package of an image is, and which layer brought it. `analysisSteps` calls it. */
import { utf8Text } from '../bytes/bytes.ts';
import type { Filesystem } from '../rootfs/filesystem.ts';
import type { ComponentIndex } from '../rootfs/packages/component-index.ts';
import { purlOf } from '../rootfs/packages/purl.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import type { AnalyzedPackage } from './analysis.ts';

/**
 * Measures packages, the largest first. A file (inode) counts once within a package; one that belongs to several packages counts in
 * each. The layer is that of most of its bytes, since a file of it may have been written again later.
 */
export function* packageSizeSteps(
  fs: Filesystem,
  { components, distribution }: Pick<ComponentIndex, 'components' | 'distribution'>,
): Steps<readonly AnalyzedPackage[]> {
  const measured: AnalyzedPackage[] = [];
  let seen = 0;
  for (const each of components) {
    const inodes = new Set<number>();
    const byLayer = new Map<number, number>();
    let bytes = 0;
    for (const path of each.files) {
      if (++seen % itemsPerStep === 0) yield;
      const carrier = fs.carrier(path);
      if (carrier === null || inodes.has(carrier.id)) continue;
      inodes.add(carrier.id);
      const size = carrier.kind === 'file' ? fs.size(path) : 0;
      bytes += size;
      byLayer.set(carrier.layer, (byLayer.get(carrier.layer) ?? 0) + size);
    }
    measured.push({
      kind: each.kind,
      name: utf8Text(each.name),
      version: each.version,
      purl: purlOf(each, distribution),
      files: each.files.length,
      bytes,
      layer: heaviest(byLayer),
    });
  }
  yield;
  return measured.sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Returns the layer with the most bytes, the lowest of equal ones; null for none. */
function heaviest(byLayer: ReadonlyMap<number, number>): number | null {
  let best: number | null = null;
  for (const [layer, bytes] of [...byLayer].sort(([a], [b]) => a - b))
    if (best === null || bytes > (byLayer.get(best) ?? 0)) best = layer;
  return best;
}
