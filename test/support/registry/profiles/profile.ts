import type { Credential } from '../../../../src/registry/auth/credential.ts';
import type { Recorded } from '../exchange.ts';
import type { FakeOptions, FakeRegistry } from '../fake-registry.ts';
import type { Fault } from '../faults.ts';

/** The peculiarities of one make of registry, as far as a client can tell. */
export interface Profile {
  readonly name: string;
  /** The options of a fake. `now` is the time by which tokens expire. */
  readonly options: (now: () => number) => Partial<FakeOptions>;
  readonly credential: Credential;
  /** Faults that occur once in a run. */
  readonly faults?: (fake: FakeRegistry) => readonly Fault[];
  /** The name of its repositories. */
  readonly repository: string;
  /** Seconds that pass with every request. Default: none. */
  readonly pace?: number;
  /** Whether images can only be pulled from it. Default: no. */
  readonly readOnly?: boolean;
  /** Returns the requests of one run that a client that knows the registry does not send. */
  readonly vain?: (requests: readonly Recorded[]) => readonly Recorded[];
}

/** Returns the requests of a kind after the first `most`. */
export function beyond(
  most: number,
  requests: readonly Recorded[],
  isOne: (request: Recorded) => boolean,
): readonly Recorded[] {
  return requests.filter(isOne).slice(most);
}
