/**
 * An image in a registry as the place that it is read from. Mirrored sources open it, for the registry and for each mirror.
 */
import { Closeable } from '../closeable.ts';
import { OcislimError } from '../errors.ts';
import { type Descriptor, makeDescriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { isIndexType, isManifestType } from '../oci/media-type.ts';
import { formatReference, type RegistryReference } from '../oci/reference.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import type { Mountable, RawManifest, Referrer, Source } from '../place/place.ts';
import { downloadBlob, downloadRest } from './download.ts';
import { nameOf } from './failure.ts';
import { getManifest, headManifest, type ManifestName } from './manifests.ts';
import { type Lease, lease, type RegistryOptions } from './lease.ts';
import { findReferrers } from './referrers.ts';
import type { Repository } from './repository.ts';

/** Opens an image in a registry for reading. No request is sent yet. */
export function openRegistrySource(reference: RegistryReference, options: RegistryOptions): RegistrySource {
  return new RegistrySource(reference, lease(reference.host, 'source', reference.repository, options));
}

/** An image in a registry. A mirrored source has several. */
export class RegistrySource extends Closeable implements Source {
  readonly label: string;
  readonly unpacksLayers = false;
  readonly #reference: RegistryReference;
  readonly #repository: Repository;
  readonly #lease: Lease;
  #root: RawManifest | null = null;

  constructor(reference: RegistryReference, lease: Lease) {
    super();
    this.label = formatReference(reference);
    this.#reference = reference;
    this.#repository = lease.repository;
    this.#lease = lease;
  }

  /** The registry and the repository. The scheme is settled by the first answer: compare after a request. */
  get mountable(): Mountable {
    return { registry: this.#repository.client.origin, repository: this.#repository.name };
  }

  async names(): Promise<readonly string[]> {
    const { tag, digest } = this.#reference;
    if (tag === null && digest !== null) return [];
    return [formatReference({ ...this.#reference, tag: tag ?? 'latest', digest: null })];
  }

  async head(signal: AbortSignal): Promise<Descriptor | null> {
    try {
      const head = await headManifest(this.#repository, this.#named, signal);
      if (head === null || head.digest === null || head.size === null) return null;
      const isKnown = isIndexType(head.mediaType) || isManifestType(head.mediaType);
      return isKnown ? makeDescriptor(head.mediaType, head.digest, head.size) : null;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof OcislimError && error.code !== 'INTERNAL') return null;
      throw error;
    }
  }

  get #named(): ManifestName {
    const { digest, tag } = this.#reference;
    return digest === null ? { tag: tag ?? 'latest' } : { digest };
  }

  async root(signal: AbortSignal): Promise<RawManifest> {
    this.#root ??= await getManifest(this.#repository, this.#named, signal);
    return this.#root;
  }

  async manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    const { digest, size, mediaType } = descriptor;
    const root = this.#root;
    const found = root?.descriptor.digest === digest ? root : await this.#held(digest, mediaType, signal);
    const what = `${nameOf(this.#repository.party)}: manifest ${digest}`;
    if (found.bytes.length !== size) {
      throw new OcislimError('SIZE_MISMATCH', `${what} is ${found.bytes.length} bytes long, not ${size}`);
    }
    // Registries announce types that they do not know as they like.
    const isKnown = isIndexType(mediaType) || isManifestType(mediaType);
    if (found.descriptor.mediaType !== mediaType && isKnown) {
      throw new OcislimError(
        'MANIFEST_INVALID',
        `${what} is announced as ${JSON.stringify(mediaType)} but the registry has it as ${JSON.stringify(found.descriptor.mediaType)}`,
      );
    }
    return { descriptor, bytes: found.bytes };
  }

  #held(digest: Digest, mediaType: string, signal: AbortSignal): Promise<RawManifest> {
    const { client, name } = this.#repository;
    return client.manifests.once(`${name} ${digest} ${mediaType}`, () =>
      getManifest(this.#repository, { digest }, signal, mediaType),
    );
  }

  blob(descriptor: Descriptor, signal: AbortSignal): ByteStream {
    return downloadBlob(this.#repository, descriptor, signal);
  }

  /** Returns the bytes of a blob from an offset on, not verified: the caller, which has the bytes before it, does that. */
  rest(descriptor: Descriptor, offset: number, signal: AbortSignal): ByteStream {
    return downloadRest(this.#repository, descriptor, offset, signal);
  }

  referrers(digest: Digest, signal: AbortSignal): Promise<readonly Referrer[]> {
    return findReferrers(this.#repository, digest, signal);
  }

  close(): Promise<void> {
    return this.#lease.release();
  }
}
