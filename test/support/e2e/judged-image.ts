import { join } from 'node:path';
import {
  layerEntries,
  openLayout,
  plainLayout,
  pull,
  runApp,
  unpack,
  type JudgedConfig,
  type LayoutImage,
  type ShownEntry,
} from './judge.ts';
import { removeFolder } from './programs.ts';
import { listRootfs, type Listing } from './rootfs-listing.ts';

/** An image as programs of other people see it. */
export interface JudgedImage {
  readonly image: LayoutImage;
  readonly listing: Listing;
  readonly layers: readonly (readonly ShownEntry[])[];
  /** What `/app/run.sh` says. */
  readonly said: string;
}

/** The DiffIDs of layers that umoci wrote: it leaves the end of a tar off. */
export function untidyLayers({ rootfs, history = [] }: JudgedConfig): ReadonlySet<string> {
  const steps = history.filter(({ empty_layer }) => empty_layer !== true);
  return new Set(rootfs.diff_ids.filter((_, i) => steps[i]?.created_by?.startsWith('umoci insert') === true));
}

/**
 * Pulls by skopeo (from any transport of its), unpacks by pigz, zstd and umoci, lists by Python, runs by bubblewrap.
 * Nothing is left in the folder `work` afterwards.
 */
export async function judgeImage(
  source: string,
  work: string,
  untidy: ReadonlySet<string>,
): Promise<JudgedImage> {
  const layout = join(work, 'layout');
  const plain = join(work, 'plain');
  const rootfs = join(work, 'rootfs');
  try {
    await pull(source, layout);
    const image = await openLayout(layout);
    const layers = await layerEntries(await plainLayout(image, plain), untidy);
    await unpack(plain, rootfs);
    const listing = await listRootfs(rootfs);
    return { image, listing, layers, said: steady(await runApp(rootfs)) };
  } finally {
    for (const folder of [layout, plain, rootfs]) removeFolder(folder);
  }
}

/**
 * The same for an image that was packed anew: its layers are listed by nobody. umoci unpacks them as they are, and holds
 * them against their DiffIDs; zstd layers, which it cannot read, are unpacked by zstd first, and held against theirs.
 */
export async function judgePacked(source: string, work: string): Promise<Omit<JudgedImage, 'layers'>> {
  const layout = join(work, 'layout');
  const plain = join(work, 'plain');
  const rootfs = join(work, 'rootfs');
  try {
    await pull(source, layout);
    const image = await openLayout(layout);
    const isZstd = image.manifest.layers.some(({ mediaType }) => mediaType.endsWith('zstd'));
    await unpack(isZstd ? (await plainLayout(image, plain)).layout : layout, rootfs);
    const listing = await listRootfs(rootfs);
    return { image, listing, said: steady(await runApp(rootfs)) };
  } finally {
    for (const folder of [layout, plain, rootfs]) removeFolder(folder);
  }
}

/** nginx stamps its lines with times and process numbers. */
function steady(said: string): string {
  return said.replace(/^\d{4}\/\d\d\/\d\d [\d:]+ |\b\d+#\d+/gm, '');
}
