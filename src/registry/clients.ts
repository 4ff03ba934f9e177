/**
 * Clients that the places of one run share, with their connections, tokens and outages. The command line opens one set for a run.
 */
import { Closeable } from '../closeable.ts';
import type { RegistryClient } from './client.ts';
import type { ClientOptions } from './options.ts';

/** A client, and how many places use it. */
interface Shared {
  readonly client: RegistryClient;
  readonly options: ClientOptions;
  users: number;
}

/**
 * The clients of one run: one for each host and set of options, closed with the last place that uses it. Callers make them,
 * so that a run without registries does not load the HTTP client.
 */
export class RegistryClients extends Closeable {
  readonly #shared = new Map<string, Shared[]>();

  /** Returns the client for a host, by `make` if it is the first. Each call must be paired with a `release`. */
  acquire(
    host: string,
    options: ClientOptions,
    make: (host: string, options: ClientOptions) => RegistryClient,
  ): RegistryClient {
    const list = this.#shared.get(host) ?? [];
    this.#shared.set(host, list);
    let shared = list.find((each) => isSame(each.options, options));
    if (shared === undefined) {
      shared = { client: make(host, options), options, users: 0 };
      list.push(shared);
    }
    shared.users += 1;
    return shared.client;
  }

  /** Gives a client back; the last user's call closes it. */
  async release(client: RegistryClient): Promise<void> {
    const list = this.#shared.get(client.host) ?? [];
    const index = list.findIndex((each) => each.client === client);
    const shared = list[index];
    if (shared === undefined) return;
    shared.users -= 1;
    if (shared.users > 0) return;
    list.splice(index, 1);
    await client.close();
  }

  /** Closes all clients. Requests of places that are still open fail. */
  async close(): Promise<void> {
    const lists = [...this.#shared.values()];
    this.#shared.clear();
    await Promise.all(lists.flat().map(({ client }) => client.close()));
  }
}

function isSame(one: ClientOptions, other: ClientOptions): boolean {
  return (
    one.credentials === other.credentials &&
    one.insecure === other.insecure &&
    one.tlsVerify === other.tlsVerify &&
    one.authorities === other.authorities &&
    one.certificates === other.certificates &&
    one.proxies === other.proxies &&
    one.limits === other.limits &&
    one.retryTimes === other.retryTimes &&
    one.largestStream === other.largestStream &&
    one.blockSize === other.blockSize &&
    one.timeoutMs === other.timeoutMs
  );
}
