import type { TestProject } from 'vitest/node';

// The global setup of every vitest config: decides once, before any worker starts, how much is tested and with which seed.

/** How much of the long tests a run takes, and what its random choices are derived from. */
export interface Extent {
  /** Whether the whole of every table is tested. */
  readonly isWhole: boolean;
  /** A non-negative integer below 2^31: the day, then four random digits. */
  readonly seed: number;
  /** The day as a number: which part of a long table is tested. */
  readonly turn: number;
}

const randoms = 10_000;
const dayLength = 86_400_000;

/** Reads OCISLIM_TESTS and OCISLIM_SEED. A value that is not known is an error, so that a slip does not leave tests out. */
export function extentOf(
  env: Readonly<Record<string, string | undefined>>,
  now: number,
  random: number,
): Extent {
  const tests = env['OCISLIM_TESTS'] || 'sample';
  if (tests !== 'sample' && tests !== 'all')
    throw new Error(`OCISLIM_TESTS is "${tests}": expected "sample" or "all"`);
  const fresh = Math.floor(now / dayLength) * randoms + Math.floor(random * randoms);
  const seed = env['OCISLIM_SEED'] ? Number(env['OCISLIM_SEED']) : fresh;
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 31)
    throw new Error(`OCISLIM_SEED is "${env['OCISLIM_SEED']}": expected an integer below 2^31`);
  return { isWhole: tests === 'all', seed, turn: Math.floor(seed / randoms) };
}

export default function setup(project: TestProject): void {
  const extent = extentOf(process.env, Date.now(), Math.random());
  project.provide('extent', extent);
  // The laws read these, because the fuzzer imports their rig outside of vitest.
  process.env['OCISLIM_LAW_SEED'] ??= String(extent.seed);
  if (extent.isWhole) process.env['OCISLIM_LAW_RUNS'] ??= '400';
  const what = extent.isWhole
    ? 'whole tables'
    : "today's part of long tables (OCISLIM_TESTS=all takes them whole)";
  console.log(`Tests ${what}; OCISLIM_SEED=${extent.seed} repeats this choice.`);
}
