import { RegistryClient } from './client.ts';
import { RegistryClients } from './clients.ts';
import type { ClientOptions } from './options.ts';
import { Repository } from './repository.ts';

/** How to open a place in a registry. */
export interface RegistryOptions extends ClientOptions {
  /** The clients that the places of one run share. Default: a client for each place. */
  readonly clients?: RegistryClients;
}

/** A repository with its claim on a client. */
export interface Lease {
  readonly repository: Repository;
  /** Gives the claim back; the last one closes the client. A second call does nothing. */
  release(): Promise<void>;
}

/** Claims the client for a host, for one side of a run. */
export function lease(
  host: string,
  side: 'source' | 'destination',
  name: string,
  options: RegistryOptions,
): Lease {
  const clients = options.clients ?? new RegistryClients();
  const client = clients.acquire(host, options, (...made) => new RegistryClient(...made));
  let held = true;
  return {
    repository: new Repository(client, side, name),
    async release() {
      if (!held) return;
      held = false;
      await clients.release(client);
    },
  };
}
