import { backoff, type RetryPolicy } from '../retry/retrying.ts';
import { ExchangeError } from './failure.ts';

/** Returns the policy for requests to servers: an `ExchangeError` says whether it may pass, and how long the server wants rest. */
export function exchangePolicy(retries: number): RetryPolicy {
  return {
    retries,
    isTransient: (error) => error instanceof ExchangeError && error.transient,
    delay: (failures, error, clock) =>
      (error instanceof ExchangeError ? error.pause : null) ?? backoff(failures, clock),
  };
}
