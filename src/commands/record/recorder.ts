/**
 * Runs the program of one image again and again: the original, and what was pruned. `proof.ts` judges what it sees.
 */
import { task } from '../../events.ts';
import type { OpenedRootfs } from '../../jobs/export.ts';
import { straceArguments } from '../../jobs/record/strace.ts';
import type { SlimSettings } from '../../settings/tables/commands.ts';
import { commandOfImage } from './program.ts';
import type { RecordedImage } from './recorded-image.ts';
import { type RunMeans, runProgram, type SeenRun } from './run-program.ts';

/** The program that a recorder runs. */
interface Program {
  readonly image: RecordedImage;
  readonly settings: SlimSettings;
  readonly command: readonly string[];
  /** The arguments of strace. */
  readonly strace: readonly string[];
}

/** One of several runs. */
export interface Turn {
  /** The name of the run, for its progress. */
  readonly label: string;
  /** The seccomp filter under which the program runs; null for none. */
  readonly profile: Uint8Array | null;
  /** Whether a person may use the program meanwhile. */
  readonly isOpen: boolean;
}

export class Recorder {
  readonly #program: Program;
  readonly #means: RunMeans;
  #runs = 0;

  private constructor(program: Program, means: RunMeans) {
    this.#program = program;
    this.#means = means;
  }

  /** Prepares runs of an image. @throws USAGE where it names no command, UNSUPPORTED without strace */
  static async open(
    { image, settings }: Pick<Program, 'image' | 'settings'>,
    means: RunMeans,
  ): Promise<Recorder> {
    const command = commandOfImage(image.runtime, settings, settings.runCommand ?? []);
    // A seccomp profile needs all calls.
    const strace = await straceArguments(settings.seccomp !== null, means.workspace.signal);
    return new Recorder({ image, settings, command, strace }, means);
  }

  get command(): readonly string[] {
    return this.#program.command;
  }

  /** Runs the program in a root filesystem. @throws what `runProgram` throws */
  async run(rootfs: OpenedRootfs, { label, profile, isOpen }: Turn): Promise<SeenRun> {
    const { listener } = this.#means.workspace;
    const id = `run-${++this.#runs}`;
    using running = task(listener, { id, phase: 'run', label, total: null });
    const wish = { ...this.#program, rootfs, profile, isOpen, name: 'the recording' };
    const seen = await runProgram(wish, this.#means);
    const { results, end } = seen.run;
    running.end(
      `${results.length} ${results.length === 1 ? 'probe' : 'probes'}, ${seen.trace.paths.size} paths, ${(end.seconds ?? 0).toFixed(1)} s`,
    );
    return seen;
  }
}
