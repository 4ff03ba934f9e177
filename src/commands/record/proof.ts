/**
 * The proof behind `slim --record`: the original runs twice, the images that are pruned by what it used run once each, and what is published did
 * the same as the original. `prove.ts` calls it between pruning and publishing.
 */
import { OcislimError } from '../../errors.ts';
import { task } from '../../events.ts';
import type { TraceData, TracePruning } from '../../image/trace-pruning.ts';
import type { OpenedRootfs } from '../../jobs/export.ts';
import { straceArguments } from '../../jobs/record/strace.ts';
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
import { commandOfImage } from './program.ts';
import { Profiles } from './profiles.ts';
import type { RecordedImage } from './recorded-image.ts';
import { type RunMeans, runProgram, type SeenRun } from './run-program.ts';
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

export class Proof {
  readonly #options: ProofOptions;
  readonly #means: RunMeans;
  readonly #command: readonly string[];
  readonly #strace: readonly string[];
  readonly #originals: SeenRun[] = [];
  readonly #trials: Trial[] = [];
  #trace: Trace | null = null;
  /** Whether the last try ran under the seccomp profile, and why it did not. */
  #isFiltered = false;
  #unfiltered: readonly string[] = [];
  #profiles: Profiles | null = null;

  private constructor(options: ProofOptions, means: RunMeans, strace: readonly string[]) {
    this.#options = options;
    this.#means = means;
    this.#strace = strace;
    const { image, settings } = options;
    this.#command = commandOfImage(image.runtime, settings, settings.runCommand ?? []);
  }

  /** Runs the original. @throws GATE where it does not do what is expected, UNSUPPORTED, and what running throws */
  static async begin(options: ProofOptions, means: RunMeans): Promise<Proof> {
    const { signal } = means.workspace;
    // A seccomp profile needs all calls.
    const strace = await straceArguments(options.settings.seccomp !== null, signal);
    const proof = new Proof(options, means, strace);
    for (let i = 0; i < originalRuns; i++) await proof.#runOriginal();
    proof.#trace = await proof.#merged();
    proof.#profiles = new Profiles(proof.#trace, options.settings);
    return proof;
  }

  /** What the original used, and what was put back. */
  get trace(): Trace {
    if (this.#trace === null) throw new OcislimError('INTERNAL', 'nothing was recorded');
    return this.#trace;
  }

  /** The profiles of the original. */
  get profiles(): Profiles {
    if (this.#profiles === null) throw new OcislimError('INTERNAL', 'nothing was recorded');
    return this.#profiles;
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
    const tried = await this.#run(rootfs, name, { isOpen: false, isTrial: true });
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
      await this.#runOriginal('the original, to see whether it still does the same');
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
      command: this.#command,
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

  async #runOriginal(label?: string): Promise<void> {
    const number = this.#originals.length + 1;
    const isFirst = number === 1;
    const name = label ?? `the original, ${number} of ${originalRuns}`;
    const seen = await this.#run(this.#options.rootfs, name, { isOpen: isFirst, isTrial: false });
    this.#originals.push(seen);
    const refusal = refusalOfOriginals(this.#originals.map(({ run }) => run));
    if (refusal !== null)
      throw new OcislimError(
        'GATE',
        `the original itself does not do what is expected: ${refusal}; nothing was published`,
        { advice: adviceOf(seen) },
      );
  }

  async #run(
    rootfs: OpenedRootfs,
    label: string,
    { isOpen, isTrial }: { readonly isOpen: boolean; readonly isTrial: boolean },
  ): Promise<SeenRun> {
    const { image, settings } = this.#options;
    const { workspace } = this.#means;
    const id = `run-${this.#originals.length}-${this.#trials.length}`;
    using running = task(workspace.listener, { id, phase: 'run', label, total: null });
    const seen = await runProgram(
      {
        image,
        rootfs,
        settings,
        command: this.#command,
        strace: this.#strace,
        profile: isTrial ? this.profiles.filter : null,
        isOpen,
        name: 'the recording',
      },
      this.#means,
    );
    const { results, end } = seen.run;
    running.end(
      `${results.length} ${results.length === 1 ? 'probe' : 'probes'}, ${seen.trace.paths.size} paths, ${(end.seconds ?? 0).toFixed(1)} s`,
    );
    return seen;
  }

  async #merged(): Promise<Trace> {
    const { image } = this.#options;
    const own = await inTurns(mergeSteps(this.#originals.map(({ trace }) => trace)), this.#signal);
    return {
      ...own,
      name: 'the recording',
      platform: image.platform,
      image: image.digest,
      command: this.#command.map(utf8Bytes),
    };
  }

  #judge(tried: SeenRun): Trial {
    const [first] = this.#originals;
    const runs = this.#originals.map(({ run }) => run);
    return {
      run: tried.run,
      differences: compareRuns(runs, tried.run),
      missing: first === undefined ? [] : missingPaths(tried.absent, first.names, tried.names),
    };
  }
}

function sandboxOf(seen: SeenRun | undefined): RecordingFacts['sandbox'] {
  const entrance = seen?.launch.place?.entrance;
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
