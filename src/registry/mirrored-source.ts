/**
 * Images read by the mirrors of their registry. The jobs open sources in registries here; without mirrors it is the registry's own
 * source.
 */
import { Closeable } from '../closeable.ts';
import { OcislimError } from '../errors.ts';
import type { Listener } from '../events.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { RegistryReference } from '../oci/reference.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { verify } from '../stream/verify.ts';
import type { Mountable, RawManifest, Referrer, Source } from '../place/place.ts';
import type { RegistryOptions } from './lease.ts';
import { mirrored, type Mirrors } from './mirrors.ts';
import { defaultRetryTimes, defaultTimeoutMs } from './options.ts';
import { openRegistrySource, type RegistrySource } from './source.ts';

/** How to reach mirrors. */
export interface MirrorOptions {
  readonly mirrors: Mirrors;
  /** The mirrors' own credentials and certificates: what was given for a registry is not for its mirrors. */
  readonly options: RegistryOptions;
}

/** Opens an image in a registry for reading, by its mirrors if it has any. No request is sent yet. */
export function openMirroredSource(
  reference: RegistryReference,
  options: RegistryOptions,
  mirrors: MirrorOptions | null,
): Source {
  const origin = openRegistrySource(reference, options);
  const known = mirrors?.mirrors.get(reference.host) ?? [];
  if (mirrors === null || known.length === 0) return origin;
  // The registry itself is left to ask: a mirror with an outage is not waited for long.
  const { retryTimes = defaultRetryTimes } = mirrors.options;
  const brief = { ...mirrors.options, retryTimes: Math.min(1, retryTimes) };
  const copies = known.map((mirror) => openRegistrySource(mirrored(reference, mirror), brief));
  const { timeoutMs = defaultTimeoutMs } = options;
  const hasty = { ...options, retryTimes: 0, timeoutMs: Math.min(timeoutMs, longestWait) };
  return new MirroredSource(
    copies,
    { origin, asked: openRegistrySource(reference, hasty) },
    options.listener,
  );
}

/** Milliseconds that the registry is waited for where its mirrors have told all but the referrers. */
const longestWait = 10_000;

/** The registry of mirrors. */
interface Origin {
  readonly origin: RegistrySource;
  /** The same, asked once and for a short time. */
  readonly asked: RegistrySource;
}

/**
 * A repository of a registry and its mirrors: manifests and blobs are asked of the mirrors first, in their order, and of the
 * registry last. What has a digest is verified, whichever server sent it. A tag is what the first mirror that knows it
 * says, as in docker: a mirror may be behind its registry.
 */
class MirroredSource extends Closeable implements Source {
  readonly label: string;
  readonly unpacksLayers = false;
  readonly #mirrors: readonly RegistrySource[];
  readonly #origin: RegistrySource;
  readonly #hasty: RegistrySource;
  readonly #listener: Listener;
  /** Why the registry was asked for referrers in vain. */
  #silence: OcislimError | null = null;
  /** Mirrors that have failed, and are not asked again. */
  readonly #off = new Set<RegistrySource>();

  constructor(mirrors: readonly RegistrySource[], { origin, asked }: Origin, listener: Listener) {
    super();
    this.label = origin.label;
    this.#mirrors = mirrors;
    this.#origin = origin;
    this.#hasty = asked;
    this.#listener = listener;
  }

  /** The registry's: it most likely has what its mirrors have, and a mount that fails becomes a copy. */
  get mountable(): Mountable {
    return this.#origin.mountable;
  }

  names(): Promise<readonly string[]> {
    return this.#origin.names();
  }

  head(signal: AbortSignal): Promise<Descriptor | null> {
    // Where it does not tell, the caller reads the manifest from the mirror.
    return (this.#asked()[0] ?? this.#origin).head(signal);
  }

  root(signal: AbortSignal): Promise<RawManifest> {
    return this.#first('the image', signal, (source) => source.root(signal));
  }

  manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest> {
    return this.#first(`manifest ${descriptor.digest}`, signal, (source) =>
      source.manifest(descriptor, signal),
    );
  }

  blob(descriptor: Descriptor, signal: AbortSignal): ByteStream {
    // Verified as a whole, since its parts may come from several registries.
    return verify(
      this.#pieces(descriptor, signal),
      descriptor,
      `source ${this.label}: blob ${descriptor.digest} (read from a mirror, in part or whole)`,
    );
  }

  async *#pieces(descriptor: Descriptor, signal: AbortSignal): ByteStream {
    let offset = 0;
    for (const mirror of this.#asked()) {
      try {
        for await (const chunk of mirror.rest(descriptor, offset, signal)) {
          offset += chunk.length;
          yield chunk;
        }
        // A body that ends too early is a failure too.
        if (offset >= descriptor.size) return;
        throw new OcislimError('NETWORK', `it ended after ${offset} of ${descriptor.size} bytes`);
      } catch (error) {
        this.#passOver(mirror, `blob ${descriptor.digest}, from byte ${offset} on`, error, signal);
      }
    }
    yield* this.#origin.rest(descriptor, offset, signal);
  }

  /**
   * Returns the referrers of the first mirror that has some, else the registry's: many mirrors have none. Where a mirror answers, the
   * registry may be out of reach on purpose: it is asked once, and not again if it does not answer.
   */
  async referrers(digest: Digest, signal: AbortSignal): Promise<readonly Referrer[]> {
    for (const mirror of this.#asked()) {
      try {
        const found = await mirror.referrers(digest, signal);
        if (found.length > 0) return found;
      } catch (error) {
        this.#passOver(mirror, `referrers of ${digest}`, error, signal);
      }
    }
    if (this.#asked().length === 0) return this.#origin.referrers(digest, signal);
    if (this.#silence !== null) throw this.#silence;
    try {
      return await this.#hasty.referrers(digest, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof OcislimError && error.code !== 'INTERNAL') this.#silence = error;
      throw error;
    }
  }

  async #first<T>(
    what: string,
    signal: AbortSignal,
    ask: (source: RegistrySource) => Promise<T>,
  ): Promise<T> {
    for (const mirror of this.#asked()) {
      try {
        return await ask(mirror);
      } catch (error) {
        this.#passOver(mirror, what, error, signal);
      }
    }
    return ask(this.#origin);
  }

  #asked(): readonly RegistrySource[] {
    return this.#mirrors.filter((mirror) => !this.#off.has(mirror));
  }

  /** Reports why the next mirror is asked. @throws the signal's reason, and errors that are bugs */
  #passOver(mirror: RegistrySource, what: string, error: unknown, signal: AbortSignal): void {
    signal.throwIfAborted();
    if (!(error instanceof OcislimError) || error.code === 'INTERNAL') throw error;
    // A mirror without one blob may have the next; a mirror that refuses or cannot be reached is not asked again.
    if (error.code !== 'NOT_FOUND') this.#off.add(mirror);
    this.#listener({
      type: 'detail',
      message: `source ${this.label}: not from the mirror ${mirror.label}: ${what}: ${error.message}`,
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#mirrors, this.#origin, this.#hasty].map((source) => source.close()));
  }
}
