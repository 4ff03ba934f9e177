/**
 * Analyzes one image: `analyze`, `check`, `sbom`, the page and `explore` show parts of what it returns. It reads every layer at most
 * once, and none where a cache knows the scans of an earlier command.
 */
import type { Analysis, Savings } from '../../analyze/analysis.ts';
import { analysisSteps } from '../../analyze/analyze.ts';
import type { EncoderPool } from '../../codec/encoder-pool.ts';
import { UnpackThreads } from '../../codec/unpack/threads.ts';
import { at } from '../../errors.ts';
import type { Gathering } from '../../layers/read/gathering.ts';
import { componentProbe } from '../../rootfs/packages/component-index.ts';
import { secretProbe } from '../../rootfs/surface/secret-files.ts';
import { inTurns } from '../../steps.ts';
import { type OneImage, type OneImageOptions, openOneImage } from '../one-image.ts';
import { type ScannedImage, scanOpened } from './scan-image.ts';

export interface AnalyzeOptions extends OneImageOptions {
  /** The reference as the user wrote it. */
  readonly name: string;
  /** Whether to read headers only: sizes and dive's numbers, without findings, packages and surface. */
  readonly quick: boolean;
  /** Whether to estimate what commands would save from samples of the layers. */
  readonly samples: boolean;
  /** What packs samples. Default: one of its own. */
  readonly pool?: EncoderPool;
}

/** An analysis, and the image that it is about, for what walks through the files. */
export interface AnalyzedScan {
  readonly analysis: Analysis;
  readonly scanned: ScannedImage;
}

/**
 * What an analysis asks of a scan. Every command that looks into an image asks for the same, so that the second one finds it in the
 * cache.
 */
export const analysisGathering: Gathering = {
  probe: (path) => Math.max(componentProbe(path), secretProbe(path)),
  digests: false,
  twins: false,
  prints: true,
  programs: false,
  parts: true,
};

/**
 * Analyzes the one image that the options select.
 * @throws USAGE where there are several images to choose from, UNSUPPORTED for an artifact that is not an image, and whatever reading
 * an image throws
 */
export async function analyzeImage(options: AnalyzeOptions): Promise<AnalyzedScan> {
  const { name, quick, samples, signal } = options;
  await using resources = new AsyncDisposableStack();
  // One thread hashes faster than the others of the process work on what it hands out.
  const hashers = quick ? null : new UnpackThreads(1);
  resources.defer(() => hashers?.close());
  await using opened = await openOneImage({ ...options, hashers });
  const scanned = await scanOpened(opened, options, quick ? 'peek' : analysisGathering);
  const savings = samples && !quick ? await savingsOf(opened, options) : null;
  try {
    const steps = analysisSteps({ ...scanned, layerFacts: scanned.facts, name, quick, savings });
    return { analysis: await inTurns(steps, signal), scanned };
  } catch (error) {
    throw at(`source ${options.source.label}`, error);
  }
}

/** Estimates what commands would save. What tries encodings is loaded only here. */
async function savingsOf({ member, reader }: OneImage, options: AnalyzeOptions): Promise<Savings> {
  const { jobs, cache = null, listener, signal } = options;
  const { estimateSavings } = await import('./estimate-savings.ts');
  if (options.pool !== undefined)
    return await estimateSavings({ member, reader, pool: options.pool, cache, jobs, listener, signal });
  const { createEncoderPool } = await import('../../codec/encoder-pool.ts');
  await using pool = createEncoderPool({ jobs, listener });
  return await estimateSavings({ member, reader, pool, cache, jobs, listener, signal });
}
