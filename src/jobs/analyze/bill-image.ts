/** Makes the bill of materials of one image: scans it, reads its package databases, and names what is there. Caller: `sbom`. */
import { type Bill, type BilledImage, type BilledLayer, billSteps } from '../../analyze/bill.ts';
import { rowsOfLayers } from '../../analyze/instruction.ts';
import { type Image, layerOf } from '../../image/image.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { componentProbe, componentsOf } from '../../rootfs/packages/component-index.ts';
import { mergeFacts } from '../../rootfs/facts/merged-facts.ts';
import { inTurns } from '../../steps.ts';
import type { OneImageOptions } from '../one-image.ts';
import { scanImage } from './scan-image.ts';

/** How the image is called. */
export type ImageName = Pick<BilledImage, 'reference' | 'name' | 'repository' | 'tag'>;

export interface BillOptions extends OneImageOptions {
  readonly name: ImageName;
  /** The time of the bill, in seconds since 1970. Null: when the image was created, as its config states it. */
  readonly epoch: number | null;
}

/**
 * Makes the bill of materials of the one image that the options select. Every layer is read once, from the cache where an earlier
 * command has scanned it. @throws USAGE where there are several images to choose from, and what `scanImage` throws
 */
export async function billImage(options: BillOptions): Promise<Bill> {
  const gathering = { probe: componentProbe, digests: false, twins: false, programs: false, parts: true };
  const { image, fs, facts } = await scanImage(options, gathering);
  const index = componentsOf({ fs, facts: mergeFacts(fs, facts) });
  const steps = billSteps(describeImage(image, options), describeLayers(image), { fs, index });
  return inTurns(steps, options.signal);
}

function describeImage(
  { descriptor, manifest, config }: Image,
  { name, epoch }: Pick<BillOptions, 'name' | 'epoch'>,
): BilledImage {
  const { platform, json } = config;
  return {
    ...name,
    digest: descriptor.digest,
    mediaType: manifest.mediaType,
    platform: platform === null ? null : formatPlatform(platform),
    architecture: platform?.architecture ?? null,
    time: epoch ?? secondsOf(json['created']),
  };
}

/** Reads a time as RFC 3339 has it, in whole seconds since 1970; null for anything else. */
function secondsOf(created: unknown): number | null {
  if (typeof created !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(created)) return null;
  const milliseconds = Date.parse(created);
  // Builders that state no time write zero. Years after 9999 have no text.
  return milliseconds > 0 && milliseconds < 253_402_300_800_000 ? Math.floor(milliseconds / 1000) : null;
}

function describeLayers(image: Image): readonly BilledLayer[] {
  const rows = rowsOfLayers(image.config.history, image.manifest.layers.length);
  return image.manifest.layers.map((_, i) => {
    const { descriptor, diffId } = layerOf(image, i + 1);
    return { number: i + 1, digest: descriptor.digest, diffId, instruction: rows[i]?.createdBy ?? null };
  });
}
