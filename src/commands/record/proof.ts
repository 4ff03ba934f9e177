/**
 * The proof behind `slim --record`: the original runs twice, the images that are pruned by what it used run once each, and what is published did
 * the same as the original. `prove.ts` calls it between pruning and publishing.
 */
import { OcislimError } from '../../errors.ts';
import type { TraceData, TracePruning } from '../../image/trace-pruning.ts';
import type { OpenedRootfs } from '../../jobs/export.ts';
import { compareRuns, refusalOfOriginals } from '../../jobs/record/trial/compare-runs.ts';
import { missingPaths, withPaths } from '../../jobs/record/trial/missing-paths.ts';
import type { RecordingFacts, Trial } from '../../jobs/record/trial/trial.ts';
import { utf8Bytes } from '../../bytes/bytes.ts';
import type { SlimSettings } from '../../settings/tables/commands.ts';
import { inTurns } from '../../steps.ts';
import { alikeSteps } from '../../trace/alike.ts';
import { mergeSteps } from '../../trace/merge.ts';
import { traceDataSteps } from '../../trace/trace-data.ts';
import type { Trace } from '../../trace/trace.ts';
import { Profiles } from './profiles.ts';
import type { RecordedImage } from './recorded-image.ts';
import { Recorder } from './recorder.ts';
import type { RunMeans, SeenRun } from './run-program.ts';
import { TrialFailed } from './trial-failed.ts';

/** How often the original runs before anything is pruned. Only what both runs do alike is asked of a pruned image. */
const originalRuns = 2;

export interface ProofOptions {
  readonly image: RecordedImage;
  /** Its root filesystem. The caller closes it. */
  readonly rootfs: OpenedRootfs;
  readonly settings: SlimSettings;
  /** Platforms that are pruned by the same paths. */
  readonly others: readonly string[];
}

/** What a proof begins with: the original has run as often as it must. */
interface Begun {
  readonly recorder: Recorder;
  readonly originals: readonly [SeenRun, ...SeenRun[]];
  readonly trace: Trace;
}

export class Proof {
  readonly #options: ProofOptions;
  readonly #means: RunMeans;
  readonly #recorder: Recorder;
  readonly #originals: [SeenRun, ...SeenRun[]];
  readonly #trials: Trial[] = [];
  #trace: Trace;
  /** Whether the last try ran under the seccomp profile, and why it did not. */
  #isFiltered = false;
  #unfiltered: readonly string[] = [];
  /** The profiles of the original. */
  readonly profiles: Profiles;

  private constructor(options: ProofOptions, means: RunMeans, { recorder, originals, trace }: Begun) {
    this.#options = options;
    this.#means = means;
    this.#recorder = recorder;
    this.#originals = [...originals];
    this.#trace = trace;
    this.profiles = new Profiles(trace, options.settings);
  }

  /** Runs the original. @throws GATE where it does not do what is expected, UNSUPPORTED, and what running throws */
  static async begin(options: ProofOptions, means: RunMeans): Promise<Proof> {
    const { image, rootfs } = options;
    const recorder = await Recorder.open(options, means);
    const original = { profile: null, isOpen: false };
    const nameOf = (number: number) => `the original, ${number} of ${originalRuns}`;
    const first = await recorder.run(rootfs, { ...original, label: nameOf(1), isOpen: true });
    const originals: [SeenRun, ...SeenRun[]] = [first];
    checkOriginals(originals);
    while (originals.length < originalRuns) {
      originals.push(await recorder.run(rootfs, { ...original, label: nameOf(originals.length + 1) }));
      checkOriginals(originals);
    }
    const own = await inTurns(mergeSteps(originals.map(({ trace }) => trace)), means.workspace.signal);
    const command = recorder.command.map(utf8Bytes);
    const trace = { ...own, name: 'the recording', platform: image.platform, image: image.digest, command };
    return new Proof(options, means, { recorder, originals, trace });
  }

  /** What the original used, and what was put back. */
  get trace(): Trace {
    return this.#trace;
  }

  /** Returns the prunings by what was seen: that of the platform which was recorded, and those of the others. */
  async prunings(): Promise<readonly TracePruning[]> {
    const { settings, others } = this.#options;
    const { granularity, keepCommand: keepCommands } = settings;
    const data = [await inTurns(traceDataSteps(this.trace), this.#signal)];
    for (const platform of others)
      data.push(await inTurns(alikeSteps(data[0] as TraceData, platform), this.#signal));
    return data.map((trace) => ({ trace, granularity, keepCommands }));
  }

  /** Runs a pruned image, and compares. @throws TrialFailed where it does something else than the original, and what running throws */
  async try(rootfs: OpenedRootfs): Promise<void> {
    const name = this.#trials.length === 0 ? 'the pruned image' : 'the pruned image, again';
    const turn = { label: name, profile: this.profiles.filter, isOpen: false };
    const tried = await this.#recorder.run(rootfs, turn);
    const { filtering } = tried;
    this.#isFiltered = this.profiles.filter !== null && filtering.isApplied;
    this.#unfiltered = filtering.isApplied || filtering.why === null ? [] : [filtering.why];
    for (const why of this.#unfiltered)
      this.#means.workspace.listener({
        type: 'warning',
        code: 'SETTING_IGNORED',
        message: `the pruned image was not tried under the profile of --seccomp: ${why}`,
      });
    let trial = this.#judge(tried);
    if (trial.differences.length > 0 && trial.missing.length === 0) {
      // The original itself may do this differently now: a page that shows the minute does.
      await this.#runOriginalAgain();
      trial = this.#judge(tried);
    }
    this.#trials.push(trial);
    if (trial.differences.length + trial.missing.length === 0) return;
    throw new TrialFailed({
      trial,
      facts: this.facts,
      lines: tried.lines,
      refused: this.profiles.refusedCalls(tried.trace),
    });
  }

  /** Adds paths that a pruned image lacked to what was seen. */
  putBack({ missing }: Trial): void {
    this.#trace = withPaths(this.trace, missing);
  }

  get facts(): RecordingFacts {
    const [first] = this.#originals;
    const { image } = this.#options;
    const { calls, losses } = this.profiles;
    return {
      platform: image.platform,
      sandbox: sandboxOf(first),
      command: this.#recorder.command,
      paths: this.trace.paths.size,
      originals: this.#originals.map(({ run }) => run),
      trials: this.#trials,
      seccomp: calls === null ? null : { calls, isTried: this.#isFiltered },
      alike: this.#options.others,
      losses: [...new Set([...this.#originals.flatMap(lossesOf), ...losses, ...this.#unfiltered])],
    };
  }

  get #signal(): AbortSignal {
    return this.#means.workspace.signal;
  }

  async #runOriginalAgain(): Promise<void> {
    const label = 'the original, to see whether it still does the same';
    const turn = { label, profile: null, isOpen: false };
    this.#originals.push(await this.#recorder.run(this.#options.rootfs, turn));
    checkOriginals(this.#originals);
  }

  #judge(tried: SeenRun): Trial {
    const [first] = this.#originals;
    const runs = this.#originals.map(({ run }) => run);
    return {
      run: tried.run,
      differences: compareRuns(runs, tried.run),
      missing: missingPaths(tried.absent, first.names, tried.names),
    };
  }
}

/** @throws GATE where the last run of the original does not do what is expected, or not what the others did */
function checkOriginals(originals: readonly [SeenRun, ...SeenRun[]]): void {
  const refusal = refusalOfOriginals(originals.map(({ run }) => run));
  if (refusal === null) return;
  throw new OcislimError(
    'GATE',
    `the original itself does not do what is expected: ${refusal}; nothing was published`,
    { advice: adviceOf(originals.at(-1) ?? originals[0]) },
  );
}

function sandboxOf({ launch }: SeenRun): RecordingFacts['sandbox'] {
  const entrance = launch.place?.entrance;
  return entrance?.kind === 'sandbox' ? entrance.by : 'chroot';
}

/** What the sandbox could not do as the image says. */
function lossesOf({ losses, refusal, launch }: SeenRun): readonly string[] {
  if (refusal === null || launch.users === 'own') return losses;
  return [...losses, `the program could not switch users (${refusal.call}: ${refusal.error})`];
}

/** Says what the program printed last. */
function adviceOf({ lines }: SeenRun): string {
  const last = lines.at(-1);
  const hint = 'Change the probe, or how the program runs: --run-env, --run-mount, --run-user, --ready.';
  return last === undefined || last === '' ? hint : `It printed last: ${last}. ${hint}`;
}
