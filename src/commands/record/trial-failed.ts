import { OcislimError } from '../../errors.ts';
import type { RecordingFacts, Trial } from '../../jobs/record/trial/trial.ts';
import { escapeText } from '../../report/escape.ts';
import { trialFailure } from '../../report/recording-text.ts';

/** What is known of a trial that failed. */
export interface FailedTrial {
  readonly trial: Trial;
  /** With this trial as its last. */
  readonly facts: RecordingFacts;
  /** The last lines that the program printed. */
  readonly output: readonly string[];
  /** System calls of the pruned image that the seccomp profile does not allow. */
  readonly refused: readonly string[];
}

/** The error of a pruned image that does something else than the original. Nothing was published. */
export class TrialFailed extends OcislimError {
  readonly trial: Trial;
  /** What differs, as whole lines for a person, escaped. */
  readonly lines: readonly string[];
  /** What the original used, as the text of a trace file; null where --save-trace does not ask for it. */
  trace: string | null = null;

  constructor({ trial, facts, output, refused }: FailedTrial) {
    const { message, lines, advice } = trialFailure(facts, output);
    super('GATE', message, { advice });
    this.trial = trial;
    const calls = escapeText(refused.join(', '));
    this.lines = refused.length === 0 ? lines : [...lines, `the seccomp profile does not allow: ${calls}`];
  }
}
