/**
 * A source that reads through the cache. The commands put it around the sources of runs with `--cache-dir`.
 */
import { Closeable } from '../../closeable.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { collect, streamOf } from '../../stream/collect.ts';
import { tally } from '../../stream/seal.ts';
import { type Mountable, mountOf, type RawManifest, type Referrer, type Source } from '../../place/place.ts';
import type { BlobCache } from './blob-cache.ts';

/**
 * Takes blobs, and manifests by digest, from the cache; those that the cache lacks come from the inner source, and are kept. The
 * meaning of a name is always asked of the inner source: by HEAD where the registry says enough in it, which does not count as
 * a pull. A place on this machine's disk is as near as the cache, and is read directly.
 */
export class CachedSource extends Closeable implements Source {
  readonly #inner: Source;
  readonly #cache: BlobCache;
  /** Bytes that came from the inner source, manifests included. */
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

  mountableOf(digest: Digest): Mountable | null {
    return mountOf(this.#inner, digest);
  }

  get unpacksLayers(): boolean {
    return this.#inner.unpacksLayers;
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

  /** Returns a manifest from the cache, which compares it with its digest; null where the cache lacks it. */
  async #cachedManifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest | null> {
    await using cached = await this.#cache.read(descriptor, signal);
    if (cached === null) return null;
    const bytes = await collect(cached.read(), descriptor.size, `manifest ${descriptor.digest}`);
    this.reused += bytes.length;
    return { descriptor, bytes };
  }

  /** Keeps a manifest that came from the inner source, unless that is on this machine. */
  async #keepManifest(manifest: RawManifest): Promise<RawManifest> {
    const { descriptor, bytes } = manifest;
    this.downloaded += bytes.length;
    if (this.mountable !== null) for await (const _ of this.#cache.keep(streamOf(bytes), descriptor));
    return manifest;
  }

  /** Streams a blob from the cache, or from the inner source into the cache. Either way it is verified. */
  async *blob(descriptor: Descriptor, signal: AbortSignal): ByteStream {
    const isLocal = this.mountable === null;
    await using cached = isLocal ? null : await this.#cache.read(descriptor, signal);
    if (cached !== null) {
      yield* tally(cached.read(), (count) => (this.reused += count));
      return;
    }
    const stream = tally(this.#inner.blob(descriptor, signal), (count) => (this.downloaded += count));
    yield* isLocal ? stream : this.#cache.keep(stream, descriptor);
  }

  names(signal: AbortSignal): Promise<readonly string[]> {
    return this.#inner.names(signal);
  }

  referrers(digest: Digest, signal: AbortSignal): Promise<readonly Referrer[]> {
    return this.#inner.referrers(digest, signal);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
