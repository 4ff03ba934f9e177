/**
 * Runs transforms with the options that tests leave at their defaults. The rigs of memory, registries and jobs all go
 * through here, so that a new option of `run` needs a default in one place.
 */
import { afterAll } from 'vitest';
import { createEncoderPool, type EncoderPool } from '../../src/codec/encoder-pool.ts';
import { type RunOptions, type RunOutcome, run } from '../../src/jobs/rewrite/run.ts';

const pools = new Map<number, EncoderPool>();

/** Returns the pool of encoders for so many jobs. The tests of a file share it; it is closed after them. */
export function poolOf(jobs: number): EncoderPool {
  const pool = pools.get(jobs) ?? createEncoderPool({ jobs });
  pools.set(jobs, pool);
  return pool;
}

afterAll(async () => {
  for (const pool of pools.values()) await pool.close();
  pools.clear();
});

/** What a run needs: the places and the transform. All else has a default. */
export type RunRecipe = Pick<RunOptions, 'source' | 'target' | 'transform'> & Partial<RunOptions>;

/** Runs a transform between two places: two jobs, all platforms, scratch for everything, no cache, no events. */
export function runTransform({ jobs = 2, ...recipe }: RunRecipe): Promise<RunOutcome> {
  return run({
    platforms: [],
    jobs,
    pool: poolOf(jobs),
    maxScratch: 1e9,
    cache: null,
    epoch: null,
    requireSavings: null,
    listener: () => {},
    signal: new AbortController().signal,
    ...recipe,
  });
}
