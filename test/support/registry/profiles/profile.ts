import type { Credential } from '../../../../src/registry/auth/credential.ts';
import type { Recorded } from '../exchange.ts';
import type { FakeOptions, FakeRegistry } from '../fake-registry.ts';
import type { Fault } from '../faults.ts';

/** What one make of registry does in its own way, as far as a client can tell. */
export interface Profile {
  readonly name: string;
  /** `now` is the time by which tokens run out. */
  readonly options: (now: () => number) => Partial<FakeOptions>;
  readonly credential: Credential;
  /** Trouble that comes with it, once in a run. */
  readonly faults?: (fake: FakeRegistry) => readonly Fault[];
  /** How its repositories are called. */
  readonly repository: string;
  /** Seconds that pass with every request; none unless told. */
  readonly pace?: number;
  /** Images come from here only. */
  readonly readOnly?: boolean;
  /** What a client that knows the registry does not send: the requests of one run that were in vain. */
  readonly vain?: (requests: readonly Recorded[]) => readonly Recorded[];
}

/** The requests after the first so many of a kind. */
export function beyond(
  most: number,
  requests: readonly Recorded[],
  isOne: (request: Recorded) => boolean,
): readonly Recorded[] {
  return requests.filter(isOne).slice(most);
}
