import { Closeable } from '../closeable.ts';
import { OcislimError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, hasher } from '../oci/digest.ts';
import { formatReference, type RegistryReference } from '../oci/reference.ts';
import { tally } from '../stream/seal.ts';
import type {
  Adoption,
  Mountable,
  Produce,
  RawManifest,
  Source,
  StagedBlob,
  Target,
} from '../place/place.ts';
import { BlobsUnknown } from '../place/blobs-unknown.ts';
import { nameOf } from './failure.ts';
import { getManifest, headManifest, type ManifestName, type PutManifest, putManifest } from './manifests.ts';
import { mountBlob, type MountOutcome } from './upload/mount.ts';
import { type Lease, lease, type RegistryOptions } from './lease.ts';
import { noteReferrer } from './referrers-tag.ts';
import { blobName, type Repository } from './repository.ts';
import { pauseBefore } from './retry/retry.ts';
import type { HttpAnswer } from './http/transport.ts';
import { SessionLost } from './upload/session-lost.ts';
import { StagedUpload } from './upload/staged-upload.ts';
import { type Taken, Uploader } from './upload/uploader.ts';

/**
 * Opens a repository for writing. The references name one repository and any number of tags; none means that the image
 * is reachable by its digest only. @throws REFERENCE_INVALID for references to several repositories
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
      {
        advice: 'Push to one repository, then copy the result to the other.',
      },
    );
  }
  return new RegistryTarget(references, lease(first.host, 'destination', first.repository, options));
}

class RegistryTarget extends Closeable implements Target {
  readonly label: string;
  readonly layerFormat = 'any';
  readonly #references: readonly RegistryReference[];
  readonly #repository: Repository;
  readonly #uploader: Uploader;
  readonly #lease: Lease;
  /** Repositories that gave us no mount for want of rights. */
  readonly #unmountable = new Set<string>();
  /** Does the registry take a mount that does not say from where? One request finds out. */
  #finds: 'unknown' | 'asking' | 'yes' | 'no' = 'unknown';
  readonly #manifests = new Map<Digest, RawManifest>();
  /** How to bring what was written a second time; what was staged is gone. */
  readonly #ways = new Map<Digest, (signal: AbortSignal) => Promise<unknown>>();
  readonly #broughtTwice = new Set<Digest>();

  constructor(references: readonly RegistryReference[], lease: Lease) {
    super();
    this.label = references.map(formatReference).join(', ');
    this.#references = references;
    this.#repository = lease.repository;
    this.#uploader = new Uploader(lease.repository);
    this.#lease = lease;
  }

  /** The scheme is settled by the first answer: compare after something has been asked. */
  get mountable(): Mountable {
    return { registry: this.#repository.client.origin, repository: this.#repository.name };
  }

  has({ digest, size }: Descriptor, signal: AbortSignal): Promise<boolean> {
    return this.#uploader.has(digest, size, signal);
  }

  async adopt(
    descriptor: Descriptor,
    source: Source,
    signal: AbortSignal,
    onBytes: (count: number) => void = () => {},
  ): Promise<Adoption> {
    let adoption: Adoption = 'present';
    this.#ways.set(descriptor.digest, (again) =>
      this.#uploader.once(descriptor.digest, () => this.#copy(descriptor, source, null, again, () => {})),
    );
    await this.#uploader.once(descriptor.digest, async () => {
      if (await this.has(descriptor, signal)) return;
      const offered = await this.#mount(descriptor, source, signal);
      if (offered === 'mounted') {
        adoption = 'mounted';
        return;
      }
      await this.#copy(descriptor, source, offered, signal, onBytes);
      adoption = 'copied';
    });
    return adoption;
  }

  /**
   * Mounts from the source's repository if it is in this registry, else from wherever the registry finds the blob; else what
   * it offers for an upload, if anything.
   */
  async #mount(
    descriptor: Descriptor,
    source: Source,
    signal: AbortSignal,
  ): Promise<'mounted' | HttpAnswer | null> {
    const { mountable } = source;
    const from = mountable?.registry === this.mountable.registry ? mountable.repository : null;
    if (from === this.#repository.name || this.#uploader.isDoubted(descriptor.digest)) return null;
    if (from === null ? this.#finds === 'asking' || this.#finds === 'no' : this.#unmountable.has(from))
      return null;
    const known = this.#finds;
    if (from === null && known === 'unknown') this.#finds = 'asking';
    let outcome: MountOutcome | null = null;
    try {
      outcome = await mountBlob(this.#repository, descriptor.digest, from, signal);
    } finally {
      if (from === null) {
        const isTaken = outcome?.kind === 'mounted' || outcome?.kind === 'session';
        this.#finds = outcome === null ? known : isTaken ? 'yes' : 'no';
      }
    }
    switch (outcome.kind) {
      case 'mounted':
        // Some registries say so without having done it; the length is checked on the way.
        return (await this.has(descriptor, signal)) ? 'mounted' : null;
      case 'session':
        return outcome.answer;
      case 'denied':
        if (from !== null) this.#unmountable.add(from);
        return null;
      case 'refused':
        return null;
    }
  }

  /** Copies the bytes as they are; the source verifies them. An upload that is lost on the way starts over. */
  async #copy(
    descriptor: Descriptor,
    source: Source,
    offered: HttpAnswer | null,
    signal: AbortSignal,
    onBytes: (count: number) => void,
  ): Promise<void> {
    const { clock, options } = this.#repository.client;
    let told = 0;
    let answer = offered;
    for (let failures = 0; ; ) {
      let sent = 0;
      const counted = tally(source.blob(descriptor, signal), (count) => {
        sent += count;
        // Bytes that are sent again are no news.
        if (sent > told) {
          onBytes(sent - told);
          told = sent;
        }
      });
      let taken: Taken | null = null;
      try {
        if (this.#uploader.streams(descriptor.size)) {
          const first = answer;
          answer = null;
          if (await this.#uploader.pass(counted, descriptor, signal, first)) return;
          continue;
        }
        const name = blobName(descriptor.digest);
        const session = answer === null ? null : await this.#uploader.session(answer, signal, name);
        answer = null;
        taken = await this.#uploader.take(counted, signal, session, name);
        await taken.upload(descriptor.digest, descriptor.size, signal);
        return;
      } catch (error) {
        await taken?.abort();
        if (!(error instanceof SessionLost) || failures >= options.retryTimes) throw error;
        await clock.sleep(pauseBefore(failures, clock), signal);
        failures += 1;
      }
    }
  }

  stage(produce: Produce, signal: AbortSignal): Promise<StagedBlob> {
    return StagedUpload.start(this.#repository, this.#uploader, produce, signal);
  }

  async put(bytes: Uint8Array, { digest, size }: Descriptor, signal: AbortSignal): Promise<void> {
    const bring = (again: AbortSignal): Promise<unknown> =>
      this.#uploader.once(digest, async () => {
        if (!(await this.#uploader.has(digest, size, again)))
          await this.#uploader.whole(bytes, digest, again);
      });
    this.#ways.set(digest, bring);
    await bring(signal);
  }

  async putManifest(manifest: RawManifest, signal: AbortSignal): Promise<void> {
    const { digest } = manifest.descriptor;
    if (this.#manifests.has(digest)) return;
    const { subjectNoted } = await this.#put({ digest }, manifest, signal);
    if (!subjectNoted) await noteReferrer(this.#repository, manifest, signal);
    this.#manifests.set(digest, manifest);
    this.#ways.set(digest, (again) => {
      this.#manifests.delete(digest);
      return this.putManifest(manifest, again);
    });
  }

  /**
   * Puts a manifest. Where the registry then misses something that it said it had, that is sent without asking, each
   * blob once in a run. @throws BlobsUnknown with what only its maker can make again
   */
  async #put(name: ManifestName, manifest: RawManifest, signal: AbortSignal): Promise<PutManifest> {
    for (;;) {
      try {
        return await putManifest(this.#repository, name, manifest, signal);
      } catch (error) {
        if (!(error instanceof BlobsUnknown)) throw error;
        const missing = error.digests.filter((digest) => !this.#broughtTwice.has(digest));
        if (missing.length === 0) throw error;
        for (const digest of missing) {
          this.#broughtTwice.add(digest);
          this.#uploader.doubt(digest);
          this.#repository.client.options.listener({
            type: 'detail',
            message: `${nameOf(this.#repository.party)}: the registry has lost ${digest}; sending it once more`,
          });
          await this.#ways.get(digest)?.(signal);
        }
        const made = missing.filter((digest) => !this.#ways.has(digest));
        if (made.length > 0) throw new BlobsUnknown(error.message, made);
      }
    }
  }

  async publish(root: RawManifest, signal: AbortSignal): Promise<void> {
    const { digest } = root.descriptor;
    const promised = this.#references.find(
      (reference) => reference.digest !== null && reference.digest !== digest,
    );
    if (promised !== undefined) {
      throw new OcislimError(
        'DIGEST_MISMATCH',
        `the result has the digest ${digest}, so it cannot be put at ${formatReference(promised)}`,
        {
          advice: 'Name the destination by a tag.',
        },
      );
    }
    await this.putManifest(root, signal);
    const tags = new Set(this.#references.flatMap(({ tag }) => (tag === null ? [] : [tag])));
    for (const tag of tags) await this.#put({ tag }, root, signal);
    for (const tag of tags) await this.#confirm({ tag }, digest, signal);
    if (tags.size === 0) await this.#confirm({ digest }, digest, signal);
  }

  /** Asks the registry what it has under a name: some say yes to everything. */
  async #confirm(name: ManifestName, digest: Digest, signal: AbortSignal): Promise<void> {
    const { clock, options } = this.#repository.client;
    const what = 'digest' in name ? name.digest : `tag ${name.tag}`;
    for (let attempt = 0; ; attempt += 1) {
      const last = attempt >= options.retryTimes;
      const head = await headManifest(this.#repository, name, signal);
      if (head?.digest === digest) return;
      // A HEAD may say less than a GET, or something else. But a GET counts as a pull, so it comes second.
      const found = head === null && !last ? null : await this.#digestOf(name, digest, signal);
      if (found === digest) return;
      // Replicas may lag behind for a moment.
      if (!last) {
        await clock.sleep(pauseBefore(attempt, clock), signal);
        continue;
      }
      const sentence = found === null ? 'is not there' : `is ${found}, not ${digest}`;
      throw new OcislimError(
        'REGISTRY',
        `${nameOf(this.#repository.party)}: the registry took the manifest, but ${what} ${sentence}`,
        {
          advice: 'Somebody else may have pushed to it at the same time; the result is there by its digest.',
        },
      );
    }
  }

  /** The digest of the manifest itself, by the algorithm of `wanted`; null when there is none. */
  async #digestOf(name: ManifestName, wanted: Digest, signal: AbortSignal): Promise<Digest | null> {
    try {
      const { bytes } = await getManifest(this.#repository, name, signal);
      const hash = hasher(wanted);
      hash.update(bytes);
      return hash.digest();
    } catch (error) {
      if (error instanceof OcislimError && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  nameOf(digest: Digest): string {
    const { host } = this.#repository.client;
    return `${host}/${this.#repository.name}@${digest}`;
  }

  async close(): Promise<void> {
    await this.#uploader.close();
    await this.#lease.release();
  }
}
