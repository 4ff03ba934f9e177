import { Closeable } from '../../closeable.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { collect, streamOf } from '../../stream/collect.ts';
import { tally } from '../../stream/seal.ts';
import type { Mountable, RawManifest, Source } from '../../place/place.ts';
import type { BlobCache } from './blob-cache.ts';

/**
 * A source whose blobs, and manifests by digest, come from the cache where it has them, and go into it where it has not.
 * What a name stands for is always asked, by a HEAD where the registry tells enough in it: then it is not a pull. A place on this machine's disk is as near as the cache: it is read as it is.
 */
export class CachedSource extends Closeable implements Source {
  readonly #inner: Source;
  readonly #cache: BlobCache;
  /** Bytes that came from the source itself, manifests included. */
  downloaded = 0;
  /** Bytes that came from the cache. */
  reused = 0;

  constructor(inner: Source, cache: BlobCache) {
    super();
    this.#inner = inner;
    this.#cache = cache;
  }

  get label(): string {
    return this.#inner.label;
  }

  get mountable(): Mountable | null {
    return this.#inner.mountable;
  }

  async root(signal: AbortSignal): Promise<RawManifest> {
    const head = this.mountable === null ? null : await this.#inner.head(signal);
    const cached = head === null ? null : await this.#cachedManifest(head, signal);
    return cached ?? this.#keepManifest(await this.#inner.root(signal));
  }

  head(signal: AbortSignal): Promise<Descriptor | null> {
    return this.#inner.head(signal);
  }

  async manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    const cached = this.mountable === null ? null : await this.#cachedManifest(descriptor, signal);
    return cached ?? this.#keepManifest(await this.#inner.manifest(descriptor, signal));
  }

  async #cachedManifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest | null> {
    const cached = await this.#cache.read(descriptor, signal);
    if (cached === null) return null;
    try {
      const bytes = await collect(cached.read(), descriptor.size, `manifest ${descriptor.digest}`);
      this.reused += bytes.length;
      return { descriptor, bytes };
    } finally {
      await cached.close();
    }
  }

  async #keepManifest(manifest: RawManifest): Promise<RawManifest> {
    const { descriptor, bytes } = manifest;
    this.downloaded += bytes.length;
    if (this.mountable !== null) for await (const _ of this.#cache.keep(streamOf(bytes), descriptor));
    return manifest;
  }

  async *blob(descriptor: Descriptor, signal: AbortSignal): ByteStream {
    const isLocal = this.mountable === null;
    const cached = isLocal ? null : await this.#cache.read(descriptor, signal);
    if (cached !== null) {
      try {
        yield* tally(cached.read(), (count) => (this.reused += count));
      } finally {
        await cached.close();
      }
      return;
    }
    const stream = tally(this.#inner.blob(descriptor, signal), (count) => (this.downloaded += count));
    yield* isLocal ? stream : this.#cache.keep(stream, descriptor);
  }

  referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]> {
    return this.#inner.referrers(digest, signal);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
