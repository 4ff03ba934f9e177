/**
 * A repository of a registry: the client's requests, with the path, the rights and the name of one side of a run. Manifests,
 * blobs, uploads and referrers send their requests through it.
 */
import type { OcislimError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { RegistryClient, RegistryRequest } from './client.ts';
import { type Party, protocolError, refusal } from './failure.ts';
import { readFault } from './http/fault.ts';
import { printable } from './printable.ts';
import type { Access } from './auth/scope.ts';
import { header, type HttpAnswer } from './http/transport.ts';

/** A request to a repository, which fills in the rest. */
export type RepositoryRequest = Omit<RegistryRequest, 'access' | 'party' | 'target'> & {
  /** A path below `/v2/REPOSITORY/`, or a URL that the registry gave. */
  readonly target: string | URL;
  /** Another repository that the request needs to read: that of a mount. */
  readonly from?: string;
};

/** One repository of a registry, for one side of a run. */
export class Repository {
  readonly client: RegistryClient;
  readonly party: Party;
  readonly name: string;
  readonly #actions: Access['actions'];

  constructor(client: RegistryClient, side: Party['side'], name: string) {
    this.client = client;
    this.name = name;
    this.party = { side, host: client.host, repository: name };
    this.#actions = side === 'source' ? 'pull' : 'pull,push';
  }

  /** Does what `RegistryClient.send` does, with the rights of this side. */
  send(request: RepositoryRequest, signal: AbortSignal): Promise<HttpAnswer> {
    return this.client.send(this.#complete(request), signal);
  }

  /** Does what `RegistryClient.fetch` does, with the rights of this side. */
  fetch(
    request: RepositoryRequest,
    signal: AbortSignal,
  ): Promise<{ readonly answer: HttpAnswer; readonly bytes: Uint8Array }> {
    return this.client.fetch(this.#complete(request), signal);
  }

  #complete({ from, target, ...request }: RepositoryRequest): RegistryRequest {
    return {
      ...request,
      target: typeof target === 'string' ? `/v2/${this.name}/${target}` : target,
      access: { repository: this.name, actions: this.#actions, from: from ?? null },
      party: this.party,
    };
  }

  /** Reads an answer that a request accepted but its caller cannot use. Returns the error for it. */
  async refusal(what: string, answer: HttpAnswer): Promise<OcislimError> {
    return refusal(this.party, what, answer, await readFault(answer));
  }

  /** Requires that the bytes of an answer are as they were stored: an encoding breaks their digest. @throws REGISTRY */
  requireIdentity(what: string, answer: HttpAnswer): void {
    const encoding = header(answer, 'content-encoding')?.trim().toLowerCase() ?? '';
    if (encoding === '' || encoding === 'identity') return;
    answer.body.destroy();
    throw protocolError(
      this.party,
      what,
      `${answer.url.host} sent it with the content encoding ${printable(encoding, 40)}, which was not asked for: a proxy on the way changes what it passes on`,
    );
  }
}

/** Returns the name of a blob for messages: `blob sha256:…`. */
export function blobName(digest: Digest): string {
  return `blob ${digest}`;
}
