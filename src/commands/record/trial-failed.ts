import { OcislimError } from '../../errors.ts';
import type { RecordingFacts, Trial } from '../../jobs/record/trial/trial.ts';
import { trialText } from '../../report/recording-text.ts';

/** What is known of a trial that failed. */
export interface FailedTrial {
  readonly trial: Trial;
  readonly facts: RecordingFacts;
  /** The last lines that the program printed. */
  readonly lines: readonly string[];
  /** System calls of the pruned image that the seccomp profile does not allow. */
  readonly refused: readonly string[];
}

/** The error of a pruned image that does something else than the original. Nothing was published. */
export class TrialFailed extends OcislimError {
  readonly failed: FailedTrial;

  constructor(failed: FailedTrial) {
    super('GATE', 'the pruned image does not do what the original does; nothing was published', {
      advice: trialText(failed),
    });
    this.failed = failed;
  }
}
