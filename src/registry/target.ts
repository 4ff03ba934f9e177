/**
 * A repository of a registry as the place that an image is written to. The jobs open it by `openRegistryTarget`; how blobs
 * go up is the uploader's.
 */
import { Closeable } from '../closeable.ts';
import { OcislimError, PartlyPublished } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, type RegistryReference } from '../oci/reference.ts';
import { hasLayersOf } from '../oci/referrers.ts';
import {
  type Adoption,
  type Mountable,
  mountOf,
  type Produce,
  type RawManifest,
  type Source,
  type StagedBlob,
  type Target,
} from '../place/place.ts';
import { confirmManifest, faultOfManifest } from './confirm.ts';
import type { HttpAnswer } from './http/transport.ts';
import { type Lease, lease, type RegistryOptions } from './lease.ts';
import { findManifest, type ManifestName, type PutManifest, putManifest } from './manifests.ts';
import { noteReferrer } from './referrers-tag.ts';
import { Repairs } from './repairs.ts';
import type { Repository } from './repository.ts';
import { copyBlob } from './upload/copy.ts';
import { Mounter } from './upload/mount.ts';
import { StagedUpload } from './upload/staged-upload.ts';
import { Uploader } from './upload/uploader.ts';

/**
 * Opens a repository for writing. The references name one repository and any number of tags; without a tag the image is
 * reachable by its digest only. @throws REFERENCE_INVALID for references to several repositories
 */
export function openRegistryTarget(
  references: readonly RegistryReference[],
  options: RegistryOptions,
): Target {
  const [first, ...others] = references;
  if (first === undefined) throw new OcislimError('REFERENCE_INVALID', 'no destination was given');
  const stray = others.find(({ host, repository }) => host !== first.host || repository !== first.repository);
  if (stray !== undefined) {
    throw new OcislimError(
      'REFERENCE_INVALID',
      `${formatReference(stray)} is in another repository than ${formatReference(first)}`,
      { advice: 'Push to one repository, then copy the result to the other.' },
    );
  }
  return new RegistryTarget(references, lease(first.host, 'destination', first.repository, options));
}

class RegistryTarget extends Closeable implements Target {
  readonly label: string;
  readonly layerFormat = 'any';
  readonly family = null;
  readonly #references: readonly RegistryReference[];
  readonly #repository: Repository;
  readonly #uploader: Uploader;
  readonly #mounter: Mounter;
  readonly #repairs: Repairs;
  readonly #lease: Lease;
  /** Manifests that this run has put. */
  readonly #manifests = new Set<Digest>();
  /** Those with a subject that the registry itself does not list. */
  readonly #noted: RawManifest[] = [];

  constructor(references: readonly RegistryReference[], lease: Lease) {
    super();
    this.label = references.map(formatReference).join(', ');
    this.#references = references;
    this.#repository = lease.repository;
    this.#uploader = new Uploader(lease.repository);
    this.#mounter = new Mounter(lease.repository);
    this.#repairs = new Repairs(lease.repository, this.#uploader.presence);
    this.#lease = lease;
  }

  /** The registry and the repository. The scheme is settled by the first answer: compare after a request. */
  get mountable(): Mountable {
    return { registry: this.#repository.client.origin, repository: this.#repository.name };
  }

  has({ digest, size }: Descriptor, signal: AbortSignal): Promise<boolean> {
    return this.#uploader.presence.has(digest, size, signal);
  }

  async adopt(
    descriptor: Descriptor,
    source: Source,
    signal: AbortSignal,
    onBytes: (count: number) => void = () => {},
  ): Promise<Adoption> {
    const { digest, size } = descriptor;
    const { presence } = this.#uploader;
    let adoption: Adoption = 'present';
    this.#repairs.note(digest, (again) =>
      presence.once(digest, size, async () => {
        await copyBlob(this.#uploader, { descriptor, source, offered: null, onBytes: () => {} }, again);
        return 'sent';
      }),
    );
    await presence.once(digest, size, async () => {
      if (await this.has(descriptor, signal)) return 'seen';
      const offered = await this.#mount(descriptor, source, signal);
      if (offered === 'mounted') {
        adoption = 'mounted';
        return 'seen';
      }
      await copyBlob(this.#uploader, { descriptor, source, offered, onBytes }, signal);
      adoption = 'copied';
      return 'sent';
    });
    return adoption;
  }

  async stage(produce: Produce, signal: AbortSignal): Promise<StagedBlob> {
    return StagedUpload.start(this.#uploader, produce, signal);
  }

  async put(bytes: Uint8Array, { digest, size }: Descriptor, signal: AbortSignal): Promise<void> {
    const { presence } = this.#uploader;
    const bring = (again: AbortSignal): Promise<unknown> =>
      presence.once(digest, size, async () => {
        if (await presence.has(digest, size, again)) return 'seen';
        await this.#uploader.whole(bytes, digest, again);
        return 'sent';
      });
    this.#repairs.note(digest, bring);
    await bring(signal);
  }

  async putManifest(manifest: RawManifest, signal: AbortSignal): Promise<void> {
    const { digest } = manifest.descriptor;
    if (this.#manifests.has(digest)) return;
    const { subjectNoted } = await this.#put({ digest }, manifest, signal);
    if (!subjectNoted && (await noteReferrer(this.#repository, manifest, signal))) this.#noted.push(manifest);
    this.#manifests.add(digest);
    this.#uploader.presence.noteSent(digest, (...how) => faultOfManifest(this.#repository, digest, ...how));
    this.#repairs.note(digest, (again) => {
      this.#manifests.delete(digest);
      return this.putManifest(manifest, again);
    });
  }

  async attach(artifact: RawManifest, signal: AbortSignal, tag?: string): Promise<boolean> {
    await this.putManifest(artifact, signal);
    if (tag === undefined) return true;
    const there = await findManifest(this.#repository, { tag }, signal);
    if (there?.descriptor.digest === artifact.descriptor.digest) return true;
    if (there !== null && !hasLayersOf(artifact.bytes, there.bytes)) return false;
    await this.#put({ tag }, artifact, signal);
    return true;
  }

  /** @throws DIGEST_MISMATCH when a reference names another digest, REGISTRY when the registry lost what it took, … */
  async publish(root: RawManifest, signal: AbortSignal): Promise<void> {
    const { digest } = root.descriptor;
    const promised = this.#references.find(
      (reference) => reference.digest !== null && reference.digest !== digest,
    );
    if (promised !== undefined) {
      throw new OcislimError(
        'DIGEST_MISMATCH',
        `the result has the digest ${digest}, so it cannot be put at ${formatReference(promised)}`,
        { advice: 'Name the destination by a tag.' },
      );
    }
    await this.putManifest(root, signal);
    const tags = new Set(this.#references.flatMap(({ tag }) => (tag === null ? [] : [tag])));
    await this.#putTags(tags, root, signal);
    for (const tag of tags) await confirmManifest(this.#repository, { tag }, digest, signal);
    if (tags.size === 0) await confirmManifest(this.#repository, { digest }, digest, signal);
    // A client that read the list before an entry was added may have written it since.
    for (const noted of this.#noted) await noteReferrer(this.#repository, noted, signal);
  }

  /** Puts a manifest under all tags. @throws PartlyPublished where some have been put */
  async #putTags(tags: ReadonlySet<string>, root: RawManifest, signal: AbortSignal): Promise<void> {
    const waiting = new Set(tags);
    for (const tag of tags) {
      try {
        await this.#put({ tag }, root, signal);
        waiting.delete(tag);
      } catch (error) {
        const isFailure = error instanceof OcislimError && error.code !== 'INTERRUPTED' && !signal.aborted;
        if (waiting.size === tags.size || !isFailure) throw error;
        const { advice } = error;
        throw new PartlyPublished(
          this.nameOf(root.descriptor.digest),
          `not as ${[...waiting].join(', ')}: ${error.message}`,
          { cause: error, ...(advice === undefined ? {} : { advice }) },
        );
      }
    }
  }

  /** Puts a manifest when all blobs and manifests that were sent before it are there. */
  #put(name: ManifestName, manifest: RawManifest, signal: AbortSignal): Promise<PutManifest> {
    return this.#repairs.run(signal, async () => {
      await this.#uploader.presence.confirm(manifest.descriptor.digest, signal);
      return putManifest(this.#repository, name, manifest, signal);
    });
  }

  nameOf(digest: Digest): string {
    const { host } = this.#repository.client;
    return `${host}/${this.#repository.name}@${digest}`;
  }

  async close(): Promise<void> {
    await this.#uploader.close();
    await this.#lease.release();
  }

  /** Mounts a blob. Returns the answer that offers an upload instead, if there is one. */
  async #mount(
    descriptor: Descriptor,
    source: Source,
    signal: AbortSignal,
  ): Promise<'mounted' | HttpAnswer | null> {
    const { digest } = descriptor;
    if (this.#uploader.presence.isDoubted(digest)) return null;
    const mountable = mountOf(source, digest);
    const from = mountable?.registry === this.mountable.registry ? mountable.repository : null;
    const outcome = await this.#mounter.mount(digest, from, signal);
    switch (outcome?.kind) {
      case 'mounted':
        // Some registries say so without having done it; the length is checked on the way.
        return (await this.has(descriptor, signal)) ? 'mounted' : null;
      case 'session':
        return outcome.answer;
      case 'denied':
      case 'refused':
      case undefined:
        return null;
    }
  }
}
