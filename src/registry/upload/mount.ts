/**
 * Mounts: blobs that a registry takes over from another of its repositories (distribution-spec, "Mounting a blob from
 * Another Repository"). The target tries one before it copies a blob. No failure of a mount fails a push.
 */
import { OcislimError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { discard, header, type HttpAnswer } from '../http/transport.ts';
import { blobName, type Repository } from '../repository.ts';

export type MountOutcome =
  | { readonly kind: 'mounted' }
  /** The registry started an upload session instead: the answer holds its location. */
  | { readonly kind: 'session'; readonly answer: HttpAnswer }
  /** The account may not read the other repository, or the server fails at mounts: no further mount will succeed. */
  | { readonly kind: 'denied' }
  | { readonly kind: 'refused' };

/** Mounts blobs into one repository, and remembers which mounts are not worth asking for. */
export class Mounter {
  readonly #repository: Repository;
  /** Repositories that this account may not mount from. */
  readonly #denied = new Set<string>();
  /** Whether the registry takes a mount that names no repository. One request finds out. */
  #findsBlobs: 'unknown' | 'asking' | 'yes' | 'no' = 'unknown';

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /**
   * Mounts from the repository `from`; without one (null), from wherever the registry finds the blob.
   * @returns null if no request was worth it
   */
  async mount(digest: Digest, from: string | null, signal: AbortSignal): Promise<MountOutcome | null> {
    if (from === this.#repository.name) return null;
    if (from === null) return this.#find(digest, signal);
    if (this.#denied.has(from)) return null;
    const outcome = await mountBlob(this.#repository, digest, from, signal);
    if (outcome.kind === 'denied') this.#denied.add(from);
    return outcome;
  }

  async #find(digest: Digest, signal: AbortSignal): Promise<MountOutcome | null> {
    const known = this.#findsBlobs;
    if (known === 'asking' || known === 'no') return null;
    if (known === 'unknown') this.#findsBlobs = 'asking';
    let outcome: MountOutcome | null = null;
    try {
      outcome = await mountBlob(this.#repository, digest, null, signal);
      return outcome;
    } finally {
      const isTaken = outcome?.kind === 'mounted' || outcome?.kind === 'session';
      this.#findsBlobs = outcome === null ? known : isTaken ? 'yes' : 'no';
    }
  }
}

/** Asks for a mount. Without `from` most registries answer as to any upload that begins, Quay with an error. */
async function mountBlob(
  repository: Repository,
  digest: Digest,
  from: string | null,
  signal: AbortSignal,
): Promise<MountOutcome> {
  const query = new URLSearchParams(from === null ? { mount: digest } : { mount: digest, from });
  const name = blobName(digest);
  try {
    const answer = await repository.send(
      {
        method: 'POST',
        target: `blobs/uploads/?${query.toString()}`,
        headers: { 'content-length': '0' },
        ...(from === null ? {} : { from }),
        what: from === null ? `starting the upload of ${name}` : `mounting ${name} from ${from}`,
        accept: isAnswer,
        idempotent: true,
      },
      signal,
    );
    return outcomeOf(answer);
  } catch (error) {
    // The token server or the registry may not let this account read the other repository.
    if (error instanceof OcislimError && ['UNAUTHORIZED', 'DENIED', 'REGISTRY'].includes(error.code))
      return { kind: 'denied' };
    throw error;
  }
}

/** Registries that know no mounts refuse in many ways. */
function isAnswer(status: number): boolean {
  if (status >= 400 && status < 500) return ![401, 408, 429].includes(status);
  return status === 200 || status === 201 || status === 202;
}

function outcomeOf(answer: HttpAnswer): MountOutcome {
  const { status } = answer;
  if (status === 202 && header(answer, 'location') !== null) return { kind: 'session', answer };
  discard(answer);
  if (status === 200 || status === 201) return { kind: 'mounted' };
  return { kind: status === 403 ? 'denied' : 'refused' };
}
