/**
 * `slim --record`: records the original, prunes what it did not use, runs the result, and publishes it if it does the same. `planned-work.ts` calls it
 * in place of a plain run.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporaryFolder } from '../../files/temporary.ts';
import { requireArchitecture } from '../../jobs/record/sandbox/architecture.ts';
import type { RecordingFacts } from '../../jobs/record/trial/trial.ts';
import { run, type RunOptions, type RunOutcome } from '../../jobs/rewrite/run.ts';
import { escapeText } from '../../report/escape.ts';
import { type PruneStage, type Stages } from '../../settings/stages.ts';
import type { SlimSettings } from '../../settings/tables/commands.ts';
import { inTurns } from '../../steps.ts';
import { mergeSteps } from '../../trace/merge.ts';
import type { Trace } from '../../trace/trace.ts';
import { fromTraceDataSteps, traceDataSteps } from '../../trace/trace-data.ts';
import { BlobCache } from '../../store/cache/blob-cache.ts';
import { CachedSource } from '../../store/cache/cached-source.ts';
import type { Transform } from '../../image/image.ts';
import type { TracePruning } from '../../image/trace-pruning.ts';
import type { Source } from '../../place/place.ts';
import type { Surroundings } from '../surroundings.ts';
import { type Check, runChecked } from '../verify-with.ts';
import { version } from '../version.ts';
import type { Workspace } from '../workspace.ts';
import { openProgram } from './open-program.ts';
import { otherPlatforms } from './other-platforms.ts';
import { recordedPlatform } from './program.ts';
import { Proof } from './proof.ts';
import { creportText, type RecordedFiles, recordedFiles, traceText } from './recorded-files.ts';
import { type RecordedImage, readRecordedImage } from './recorded-image.ts';
import { TrialFailed } from './trial-failed.ts';

/** A job whose result is proven. */
export interface ProvenJob {
  readonly source: Source;
  readonly cache: BlobCache;
  readonly settings: SlimSettings;
  readonly stages: Stages;
  /** Plans what changes in the config. The original runs with the config that is published, so that what that needs is seen. */
  readonly configure: Transform;
  /** Makes the transform of stages that have a pruning by what was seen. */
  readonly transformOf: (stages: Stages) => Promise<RunOptions['transform']>;
  /** What else looks at the result before it is published; null for nothing. */
  readonly check: Check | null;
}

/** What a proven job led to. */
export interface Proven {
  readonly outcome: RunOutcome;
  readonly recording: RecordingFacts;
  /** The files that options ask for. */
  readonly recorded: RecordedFiles;
}

/** What a proven job may use. */
interface ProofMeans {
  readonly workspace: Workspace;
  readonly surroundings: Surroundings;
}

/**
 * Records, prunes, tries and publishes. A dry run records, and says what would be pruned.
 * @throws GATE where the original does not do what is expected, TrialFailed where the result does something else, and what runs throw
 */
export async function runProven(
  job: ProvenJob,
  options: Omit<RunOptions, 'transform'>,
  means: ProofMeans,
): Promise<Proven> {
  const { workspace } = means;
  const { settings, stages } = job;
  await using cleanup = new AsyncDisposableStack();
  const cached = new CachedSource(job.source, job.cache);
  const { proof, filesOf } = await begin({ ...job, source: cached }, means, cleanup);
  const name = options.target?.label ?? '';
  let recorded: RecordedFiles | null = null;
  const check: Check = async (place, digest) => {
    await using result = await workspace.openResult(place);
    const tried = { source: result, cache: null, platform: recordedPlatform(settings.platform) };
    await using pruned = await openProgram(tried, workspace);
    await proof.try(pruned);
    // Made before anything is published, since it may fail.
    const creport =
      settings.creport === null ? null : await creportText({ ...tried, name }, proof.trace, workspace);
    recorded = { ...(await filesOf()), creport };
    await job.check?.(place, digest);
  };
  for (let repairs = 0; ; repairs++) {
    const prunings = await withGiven(await proof.prunings(), stages, workspace.signal);
    const transform = await job.transformOf(withPrunings(stages, prunings));
    try {
      const outcome = await runTried({ ...options, transform }, check, workspace);
      recorded ??= { ...(await filesOf()), creport: null };
      return { outcome: withTransfer(outcome, cached, settings), recording: proof.facts, recorded };
    } catch (error) {
      if (!(error instanceof TrialFailed)) throw error;
      if (repairs >= settings.repair || error.trial.missing.length === 0) {
        if (settings.saveTrace !== null) error.trace = await traceText(proof.trace);
        throw error;
      }
      proof.putBack(error.trial);
    }
  }
}

/** Runs a transform with a try of its result; a dry run without. */
function runTried(options: RunOptions, check: Check, workspace: Workspace): Promise<RunOutcome> {
  const { target } = options;
  return target === null ? run(options) : runChecked({ ...options, target }, check, workspace);
}

/**
 * Adds to what a run says of its transfer what the recording has downloaded before it. The cache that the job has made for itself does not
 * count, and nothing is downloaded from a place on this machine.
 */
function withTransfer(
  outcome: RunOutcome,
  { downloaded, reused, mountable }: CachedSource,
  { cacheDir }: Pick<SlimSettings, 'cacheDir'>,
): RunOutcome {
  const { cache } = outcome;
  if (cache === null || mountable === null) return { ...outcome, cache: null };
  const known = cacheDir === null ? 0 : cache.reused + reused;
  return { ...outcome, cache: { downloaded: cache.downloaded + downloaded, reused: known } };
}

/** A recording of the original, and what makes the files that options ask for. */
interface Begun {
  readonly proof: Proof;
  readonly filesOf: () => Promise<Omit<RecordedFiles, 'creport'>>;
}

/** Reads and records the original. @throws what `runProven` throws */
async function begin(
  { source, settings, configure }: ProvenJob,
  { workspace, surroundings }: ProofMeans,
  cleanup: AsyncDisposableStack,
): Promise<Begun> {
  const platform = recordedPlatform(settings.platform);
  const image = await readRecordedImage(source, platform, workspace, configure);
  await requireArchitecture(image.platform);
  const alike = settings.platformsAlike ? await otherPlatforms(source, image.platform, workspace) : [];
  if (!settings.platformsAlike) warnOfOthers(image, workspace);
  const rootfs = cleanup.use(await openProgram({ source, cache: null, platform }, workspace));
  const proof = await Proof.begin(
    { image, rootfs, settings, others: alike },
    {
      workspace,
      wait: surroundings.wait,
      onPublished: (all) => {
        for (const { address, to } of all)
          surroundings.tell(`port ${to} of the program is at http://${escapeText(address)}`);
      },
      programOutput: surroundings.programOutput,
    },
  );
  const filesOf = () => {
    const { trace, profiles } = proof;
    return recordedFiles({ trace, profiles, image, rootfs }, settings, workspace.signal);
  };
  return { proof, filesOf };
}

/** Says which images of an index are left out. */
function warnOfOthers({ others, platform }: RecordedImage, { listener }: Workspace): void {
  if (others.length === 0) return;
  listener({
    type: 'warning',
    code: 'LEFT_OUT',
    message: `${others.join(', ')}: only ${platform} was recorded; --platforms-alike prunes the others by the same paths, without trying them`,
  });
}

/** Adds to prunings what the traces of --trace saw on their platforms. @throws TRACE_INVALID for a trace of another image */
async function withGiven(
  prunings: readonly TracePruning[],
  { prune }: Stages,
  signal: AbortSignal,
): Promise<readonly TracePruning[]> {
  const given = prune?.traces ?? [];
  const joined: TracePruning[] = [];
  for (const pruning of prunings) {
    const { platform } = pruning.trace;
    const same = given.filter(({ trace }) => trace.platform === null || trace.platform === platform);
    if (same.length === 0) {
      joined.push(pruning);
      continue;
    }
    const traces: Trace[] = [];
    for (const { trace } of [pruning, ...same]) traces.push(await inTurns(fromTraceDataSteps(trace), signal));
    const merged = await inTurns(mergeSteps(traces), signal);
    joined.push({ ...pruning, trace: await inTurns(traceDataSteps(merged), signal) });
  }
  return joined;
}

/** Puts prunings by trace in the place of those of stages. */
function withPrunings(stages: Stages, traces: readonly TracePruning[]): Stages {
  const prune: PruneStage = stages.prune ?? {
    selection: { kind: 'all' },
    rules: [],
    keep: [],
    shadowed: false,
    clearSetuid: [],
    packageDb: 'keep',
    force: false,
    traces: [],
    notes: [],
  };
  return { ...stages, prune: { ...prune, traces } };
}

/** Opens the cache of a job that is read several times and pulled once: that of --cache-dir, or one that is removed at the end. */
export async function openJobCache(workspace: Workspace, cleanup: AsyncDisposableStack): Promise<BlobCache> {
  const given = await workspace.openCache();
  if (given !== null) return given;
  const folder = cleanup.adopt(await makeTemporaryFolder('cache'), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const { listener } = workspace;
  return cleanup.use(
    await BlobCache.open({
      folder: join(folder, 'cache'),
      maxBytes: Number.MAX_SAFE_INTEGER,
      version,
      listener,
    }),
  );
}
