/**
 * Learns what the components of an earlier version of an image held, by scanning its layers. The history of `relayer` asks it for versions
 * whose manifest and config do not tell.
 */
import { Scratch } from '../../files/scratch.ts';
import type { Image } from '../../image/image.ts';
import type { ContentDigests } from '../../image/relayering.ts';
import type { Gathering } from '../../layers/read/gathering.ts';
import { LayerReader } from '../../layers/read/layer-reader.ts';
import { type DivisionWish, laidProbe, versionDigestSteps } from '../../slim/resolve/divide-image.ts';
import { inTurns } from '../../steps.ts';
import { CachedSource } from '../../store/cache/cached-source.ts';
import { mapParallel } from '../../stream/parallel.ts';
import { layerNumbers } from '../one-image.ts';
import type { RunOptions } from './run.ts';

export interface VersionOptions
  extends Pick<RunOptions, 'source' | 'jobs' | 'maxScratch' | 'cache' | 'limits' | 'listener' | 'signal'> {
  readonly division: DivisionWish;
  /** The layers up to this one are those of a base, and count for no component. */
  readonly base: number;
}

/**
 * Digests what the components of a version held, by their names: each layer is scanned, from the cache where an earlier command has scanned it.
 * @throws what reading layers throws
 */
export async function digestVersion(
  image: Image,
  { division, base, jobs, signal, cache = null, maxScratch, ...options }: VersionOptions,
): Promise<ContentDigests> {
  await using opened = new AsyncDisposableStack();
  const scratch = new Scratch(maxScratch);
  opened.defer(() => scratch.close());
  const source = cache === null ? options.source : new CachedSource(options.source, cache);
  const { limits, listener } = options;
  const reader = new LayerReader({ source, scratch, listener, cache, limits });
  const gathering: Gathering = {
    probe: laidProbe,
    digests: false,
    twins: false,
    parts: false,
    programs: false,
    identities: 'quick',
  };
  const scans = await mapParallel(layerNumbers(image), jobs, signal, async (number, _, inner) => ({
    number,
    ...(await reader.scan(image, number, gathering, inner)),
  }));
  const steps = versionDigestSteps(
    {
      indexes: new Map(scans.map(({ number, index }) => [number, index])),
      facts: new Map(scans.map(({ number, facts }) => [number, facts])),
      base,
    },
    division,
  );
  return inTurns(steps, signal);
}
