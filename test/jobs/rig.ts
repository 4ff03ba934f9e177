/**
 * Runs transforms between two stores in memory, and judges what they leave behind. Tests of jobs use it where the forms
 * of places do not matter.
 */
import { OcislimError } from '../../src/errors.ts';
import type { ProgressEvent } from '../../src/events.ts';
import type { RunOptions, RunOutcome } from '../../src/jobs/rewrite/run.ts';
import { pipe, type Transform } from '../../src/image/image.ts';
import { type BuiltTree, type ReadImage, readImageFrom, validateTree } from '../support/image-builder.ts';
import {
  MemorySource,
  type MemorySourceOptions,
  MemoryTarget,
  type MemoryTargetOptions,
} from '../support/memory-store.ts';
import { applyLayers, type Rootfs } from '../support/model/filesystem.ts';
import { runTransform } from '../support/run-image.ts';
import { type Short, specOf } from '../support/model/shorthand.ts';
import { type TarEnd, writeTar } from '../support/model/tar-bytes.ts';

export { tar } from '../support/model/shorthand.ts';
export { poolOf } from '../support/run-image.ts';

export function tarEnding(end: TarEnd, ...entries: Short[]): Uint8Array {
  return writeTar(entries.map(specOf), end);
}

export type RigOptions = Partial<
  Pick<
    RunOptions,
    'platforms' | 'jobs' | 'pool' | 'maxScratch' | 'cache' | 'epoch' | 'requireSavings' | 'signal'
  >
> & {
  readonly source?: MemorySourceOptions;
  readonly target?: MemoryTargetOptions;
};

export type Rewritten = {
  readonly outcome: RunOutcome;
  readonly source: MemorySource;
  readonly target: MemoryTarget;
  readonly events: readonly ProgressEvent[];
  /** Each warning as `CODE message`. */
  readonly warnings: readonly string[];
  /** The published image or index. */
  readonly tree: BuiltTree;
};

type Tried = {
  readonly source: MemorySource;
  readonly target: MemoryTarget;
  readonly events: ProgressEvent[];
  readonly result: Promise<RunOutcome>;
};

function start(tree: BuiltTree, transforms: readonly Transform[], options: RigOptions): Tried {
  const source = new MemorySource(tree, options.source);
  const target = new MemoryTarget(options.target);
  const events: ProgressEvent[] = [];
  const jobs = options.jobs ?? 2;
  const [only] = transforms;
  const result = runTransform({
    source,
    target,
    transform: transforms.length === 1 && only !== undefined ? only : pipe(...transforms),
    platforms: options.platforms ?? [],
    jobs,
    ...(options.pool === undefined ? {} : { pool: options.pool }),
    maxScratch: options.maxScratch ?? 1_000_000_000,
    cache: options.cache ?? null,
    epoch: options.epoch ?? null,
    requireSavings: options.requireSavings ?? null,
    listener: (event) => void events.push(event),
    signal: options.signal ?? new AbortController().signal,
  });
  return { source, target, events, result };
}

/** Runs transforms from one memory to another, and checks that what was published is a valid image or index. */
export async function rewrite(
  tree: BuiltTree,
  transforms: readonly Transform[],
  options: RigOptions = {},
): Promise<Rewritten> {
  const { source, target, events, result } = start(tree, transforms, options);
  const outcome = await result;
  const problems = validateTree(target.tree);
  if (problems.length > 0) throw new Error(`what was published is not valid:\n${problems.join('\n')}`);
  if (source.held !== 0 || target.pending !== 0) throw new Error('streams or staged blobs are left over');
  return { outcome, source, target, events, warnings: warningsOf(events), tree: target.tree };
}

/** Runs transforms from one memory to another, and returns what was published without judging it: layers may hold anything. */
export async function publish(tree: BuiltTree, transforms: readonly Transform[]): Promise<BuiltTree> {
  const { target, result } = start(tree, transforms, {});
  await result;
  return target.tree;
}

export type Failed = {
  readonly error: OcislimError;
  readonly source: MemorySource;
  readonly target: MemoryTarget;
  readonly warnings: readonly string[];
};

/** Runs transforms that must fail: with an error of the family, nothing published and nothing left over. */
export async function fail(
  tree: BuiltTree,
  transforms: readonly Transform[],
  options: RigOptions = {},
): Promise<Failed> {
  const { source, target, events, result } = start(tree, transforms, options);
  const error = await result.then(
    () => {
      throw new Error('it should have failed');
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof OcislimError)) throw error;
  if (target.published !== null) throw new Error('published in spite of the error');
  if (source.held !== 0) throw new Error(`${source.held} streams of the source were not let go`);
  if (target.pending !== 0)
    throw new Error(`${target.pending} staged blobs were neither committed nor aborted`);
  const whole = `${error.message} ${error.advice ?? ''}`;
  if (/undefined|NaN|\[object|null/.test(whole)) throw new Error(`not a message for a person: ${whole}`);
  return { error, source, target, warnings: warningsOf(events) };
}

function warningsOf(events: readonly ProgressEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [`${event.code} ${event.message}`] : []));
}

export function imageIn(tree: BuiltTree, platform?: string): ReadImage {
  return readImageFrom(tree, platform);
}

export function rootfsIn(tree: BuiltTree, platform?: string): Rootfs {
  return applyLayers(imageIn(tree, platform).layers);
}

/** Returns the digests of the layers of an image. */
export function digestsOf(tree: BuiltTree, platform?: string): string[] {
  return imageIn(tree, platform).manifest.layers.map(({ digest }) => digest);
}
