/**
 * Takes an image apart with programs of others, into what a container would see and do. The tests of real images
 * compare two of these.
 */
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

/** An image as programs of others see it. */
export interface JudgedImage {
  readonly image: LayoutImage;
  readonly listing: Listing;
  readonly layers: readonly (readonly ShownEntry[])[];
  /** The output of `/app/run.sh`. */
  readonly said: string;
}

/** Returns the DiffIDs of layers that umoci wrote: their tars have no end blocks. */
export function untidyLayers({ rootfs, history = [] }: JudgedConfig): ReadonlySet<string> {
  const steps = history.filter(({ empty_layer }) => empty_layer !== true);
  return new Set(rootfs.diff_ids.filter((_, i) => steps[i]?.created_by?.startsWith('umoci insert') === true));
}

/**
 * Pulls by skopeo (any transport), unpacks by pigz, zstd and umoci, lists by Python, runs by bubblewrap. Nothing
 * stays in the folder `work`.
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
 * Judges an image that was only recompressed, without listing its layers. umoci checks them against their DiffIDs;
 * zstd layers, which it cannot read, are decompressed by zstd first, and checked then.
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
