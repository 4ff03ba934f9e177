/**
 * A source whose blobs come from several places: those of an original, or of a base image, beside its own. The commands that need them make one, and
 * runs read from it as from any other.
 */
import { Closeable } from '../closeable.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { type Mountable, mountOf, type RawManifest, type Referrer, type Source } from './place.ts';

/** A source that also gives blobs of other places. Its label is that of its own source. */
export class JoinedSource extends Closeable implements Source {
  readonly #own: Source;
  readonly #others: ReadonlyMap<Digest, Source>;

  /** Joins sources. `others` has those of blobs that do not come from `own`, by digest. `close` closes only `own`. */
  constructor(own: Source, others: ReadonlyMap<Digest, Source>) {
    super();
    this.#own = own;
    this.#others = others;
  }

  get label(): string {
    return this.#own.label;
  }

  get mountable(): Mountable | null {
    return this.#own.mountable;
  }

  mountableOf(digest: Digest): Mountable | null {
    const other = this.#others.get(digest);
    return other === undefined ? this.mountable : mountOf(other, digest);
  }

  get unpacksLayers(): boolean {
    return this.#own.unpacksLayers;
  }

  root(signal: AbortSignal): Promise<RawManifest> {
    return this.#own.root(signal);
  }

  head(signal: AbortSignal): Promise<Descriptor | null> {
    return this.#own.head(signal);
  }

  manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    return this.#own.manifest(descriptor, signal);
  }

  blob(descriptor: Descriptor, signal: AbortSignal): ByteStream {
    return (this.#others.get(descriptor.digest) ?? this.#own).blob(descriptor, signal);
  }

  names(signal: AbortSignal): Promise<readonly string[]> {
    return this.#own.names(signal);
  }

  referrers(digest: Digest, signal: AbortSignal): Promise<readonly Referrer[]> {
    return this.#own.referrers(digest, signal);
  }

  close(): Promise<void> {
    return this.#own.close();
  }
}
