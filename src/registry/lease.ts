import { RegistryClient } from './client.ts';
import { RegistryClients } from './clients.ts';
import type { ClientOptions } from './options.ts';
import { Repository } from './repository.ts';

/** How to open places in registries. */
export interface RegistryOptions extends ClientOptions {
  /** Shares connections, tokens and what is known of a host between the places of one run. */
  readonly clients?: RegistryClients;
}

/** A repository with its claim on a client. */
export interface Lease {
  readonly repository: Repository;
  /** Gives the claim back; the last one closes the connections. Once is enough, twice does no harm. */
  release(): Promise<void>;
}

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
