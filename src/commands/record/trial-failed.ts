import { OcislimError } from '../../errors.ts';
import type { Trial } from '../../jobs/record/trial/trial.ts';
import { trialFailure } from '../../report/recording-text.ts';

/** The error of a pruned image that does something else than the original. Nothing was published. */
export class TrialFailed extends OcislimError {
  readonly trial: Trial;
  /** What the original used, as the text of a trace file; null where --save-trace does not ask for it. */
  trace: string | null = null;

  constructor(failed: Parameters<typeof trialFailure>[0]) {
    const { message, advice } = trialFailure(failed);
    super('GATE', message, { advice });
    this.trial = failed.trial;
  }
}
