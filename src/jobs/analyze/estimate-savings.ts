/**
 * Estimates what single commands would save, each by itself, from samples of the layers. `analyzeImage` calls it where samples are asked
 * for; it takes the steps of a dry run, and shares the scans of the analysis and the local copies of layers.
 */
import type { Saving, Savings } from '../../analyze/analysis.ts';
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import { tune } from '../../compress/tune.ts';
import { type Image, layerOf, type Transform } from '../../image/image.ts';
import type { LayerReader } from '../../layers/read/layer-reader.ts';
import { expandPresets, safePresets } from '../../slim/presets.ts';
import { prune } from '../../slim/prune.ts';
import { squash } from '../../slim/squash.ts';
import type { BlobCache } from '../../store/cache/blob-cache.ts';
import type { Listener } from '../../events.ts';
import { estimateLayers } from '../rewrite/estimate-layers.ts';
import type { DecidedImage, ResolvedImage } from '../rewrite/records.ts';
import { resolveImages } from '../rewrite/resolve-images.ts';
import { tuneLayers } from '../rewrite/tune-layers.ts';
import type { ImageMember } from '../image-set.ts';

export interface EstimateOptions {
  readonly member: ImageMember;
  readonly reader: LayerReader;
  readonly pool: EncoderPool;
  readonly cache: BlobCache | null;
  readonly jobs: number;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

const all = { kind: 'all' } as const;

/** A command with its default options, and the transform that it makes of them. */
interface Trial {
  readonly command: readonly string[];
  readonly transform: Transform;
}

function trials(): { readonly [name in keyof Savings]: Trial } {
  return {
    squash: { command: ['squash', '--all'], transform: squash(all) },
    prune: {
      command: ['prune', '--shadowed', '--preset', safePresets.join(',')],
      transform: prune(all, { rules: expandPresets(safePresets).remove, shadowed: true }),
    },
    // What `recompress` and `slim` do where no packing is asked for.
    recompress: {
      command: ['recompress'],
      transform: tune(all, { goal: { kind: 'size', effort: 'balanced' } }),
    },
  };
}

/** Estimates all savings, one after the other. @throws what reading and encoding layers throw */
export async function estimateSavings(options: EstimateOptions): Promise<Savings> {
  const { squash, prune, recompress } = trials();
  return {
    squash: await estimate(squash, options),
    prune: await estimate(prune, options),
    recompress: await estimate(recompress, options),
  };
}

async function estimate({ command, transform }: Trial, options: EstimateOptions): Promise<Saving> {
  const { member, reader, pool, cache, jobs, listener, signal } = options;
  const image = transform(member.image);
  const context = { reader, jobs, signal, epoch: null, digests: false };
  const resolved = await resolveImages([{ member, image, platform: member.image.config.platform }], context);
  const decided = await decide(resolved, { reader, pool, cache, plain: false, listener, signal });
  const estimates = await estimateLayers(decided, { layerFormat: 'any', reader, pool, listener, signal });
  const before = { transfer: 0, unpacked: 0 };
  const after = { transfer: 0, unpacked: 0, error: 0 };
  for (const [number] of member.image.manifest.layers.entries()) {
    before.transfer += layerOf(member.image, number + 1).descriptor.size;
    before.unpacked += await tarBytesOf(member.image, number + 1, options);
  }
  for (const layer of decided.flatMap(({ layers }) => layers)) {
    const found = estimates.get(layer);
    if (found !== undefined) {
      after.transfer += found.size;
      after.unpacked += found.tarBytes;
      after.error += found.error;
    } else if (layer.content.kind === 'stored') {
      after.transfer += layerOf(member.image, layer.content.layer).descriptor.size;
      after.unpacked += await tarBytesOf(member.image, layer.content.layer, options);
    }
  }
  return {
    transferBytes: before.transfer - after.transfer,
    error: after.error,
    unpackedBytes: before.unpacked - after.unpacked,
    command,
  };
}

/** Returns the bytes of a layer's tar. The analysis has scanned it. */
async function tarBytesOf(
  image: Image,
  number: number,
  { reader, signal }: EstimateOptions,
): Promise<number> {
  return (await reader.index(image, number, signal)).tarBytes;
}

/** Decides the encodings that are left to tuning. */
async function decide(
  images: readonly ResolvedImage[],
  context: Parameters<typeof tuneLayers>[1],
): Promise<readonly DecidedImage[]> {
  return (await tuneLayers(images, context)).images;
}
