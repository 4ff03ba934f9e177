import type { AsyncCloseable } from '../closeable.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import type { Sealing } from '../stream/seal.ts';

/** A manifest or index as it lies there: exact bytes, verified against the digest by whoever hands it out. */
export interface RawManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Where blobs could be mounted from: two places with the same `registry` can mount across repositories. */
export interface Mountable {
  /** `scheme://host:port`. */
  readonly registry: string;
  readonly repository: string;
}

/** A place that an image is read from. Messages of errors name it as the source. */
export interface Source extends AsyncCloseable {
  /** As the person wrote it, without secrets. */
  readonly label: string;
  readonly mountable: Mountable | null;
  /** The manifest or index that the reference names. @throws NOT_FOUND, UNAUTHORIZED, NETWORK, … */
  root(signal: AbortSignal): Promise<RawManifest>;
  /**
   * What the reference names, without reading it, where the place can tell (a registry does not count that as a pull); null
   * where only `root` tells, errors included.
   */
  head(signal: AbortSignal): Promise<Descriptor | null>;
  /** A manifest by descriptor: verified bytes. @throws DIGEST_MISMATCH, SIZE_MISMATCH, NOT_FOUND, … */
  manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest>;
  /**
   * The bytes of a blob. The stream throws DIGEST_MISMATCH or SIZE_MISMATCH no later than at its end, so a consumer
   * must read to the end before it believes anything.
   */
  blob(descriptor: Descriptor, signal: AbortSignal): ByteStream;
  /** What else points at this manifest: referrers API, else the referrers tag, and cosign's `sha256-….sig` tags. */
  referrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]>;
}

/** How an untouched blob came to be at the target. */
export type Adoption = 'present' | 'mounted' | 'copied';

/** A blob whose bytes have all been taken in, but which is not visible yet. */
export interface StagedBlob {
  /** Makes it visible under its digest. The target checks digest and size where it can. */
  commit(digest: Digest, size: number, signal: AbortSignal): Promise<void>;
  /** Throws the bytes away; never fails. */
  abort(): Promise<void>;
}

/** Makes the bytes of a blob from the start. Every call must give the same bytes. */
export type Produce = () => ByteStream | Sealing;

/** A place that an image is written to. Nothing is visible under a name before `publish`. */
export interface Target extends AsyncCloseable {
  readonly label: string;
  readonly mountable: Mountable | null;
  /** `plain` for `docker save` archives, whose layers are uncompressed tars. */
  readonly layerFormat: 'any' | 'plain';
  has(descriptor: Descriptor, signal: AbortSignal): Promise<boolean>;
  /** Already there, else mounted from the source's repository, else copied (verified). Never decodes. */
  adopt(
    descriptor: Descriptor,
    source: Source,
    signal: AbortSignal,
    onBytes?: (count: number) => void,
  ): Promise<Adoption>;
  /**
   * Takes in a blob of unknown length and digest. Calls `produce` once, and again whenever an upload is lost, before
   * `commit` or in it. A stream with a seal is not hashed again, and is committed under no other digest. On any error
   * nothing stays behind.
   */
  stage(produce: Produce, signal: AbortSignal): Promise<StagedBlob>;
  /** Writes a small blob of known content (a config). */
  put(bytes: Uint8Array, descriptor: Descriptor, signal: AbortSignal): Promise<void>;
  /** Writes a manifest under its digest only. All blobs that it names must be there. */
  putManifest(manifest: RawManifest, signal: AbortSignal): Promise<void>;
  /**
   * The last step: makes the root manifest visible under the names asked for (its tags, or its digest only).
   * For files this is the rename into place.
   */
  publish(root: RawManifest, signal: AbortSignal): Promise<void>;
  /** The result as a person can paste it back: `registry/app@sha256:…`, `oci:DIR:tag@sha256:…`. */
  nameOf(digest: Digest): string;
  /** Releases everything; without a `publish` before it, removes every trace of unfinished work. */
  close(): Promise<void>;
}
