/**
 * The room `place`: what a place that images are read from or written to can do, whatever it is. It knows no registry, layout or
 * archive: those rooms implement these interfaces, and the jobs open them.
 */
import type { FileHandle } from 'node:fs/promises';
import type { AsyncCloseable } from '../closeable.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Family } from '../oci/media-type.ts';
import type { Packing } from '../oci/packing-notes.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import type { Sealing } from '../stream/seal.ts';

/** A manifest or index: its exact bytes, verified against the digest by the place that gives them. */
export interface RawManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** A repository that blobs can be mounted from: by places with the same `registry`. */
export interface Mountable {
  /** `scheme://host:port`. */
  readonly registry: string;
  readonly repository: string;
}

/** Bytes in an open file of this machine, which nothing has verified. It is closed as it is disposed of. */
export interface FileRange extends AsyncDisposable {
  readonly handle: FileHandle;
  /** Where they begin. */
  readonly offset: number;
  /** Their number. The file may have become shorter since. */
  readonly size: number;
}

/** A place that an image is read from. Messages of errors name it as the source. */
export interface Source extends AsyncCloseable {
  /** The reference as the user wrote it, without secrets. */
  readonly label: string;
  /** Null for a place that is not a registry. */
  readonly mountable: Mountable | null;
  /** Returns the repository of a blob, where blobs come from several places. Default: that of `mountable`. */
  mountableOf?(digest: Digest): Mountable | null;
  /**
   * Whether the place has unpacked the layers that it holds as plain tars, so that their packing was not the image's own: true of
   * what `docker save` writes. Places that take packed layers get these packed.
   */
  readonly unpacksLayers: boolean;
  /** Reads the manifest or index that the reference names. @throws NOT_FOUND, UNAUTHORIZED, NETWORK, … */
  root(signal: AbortSignal): Promise<RawManifest>;
  /**
   * Returns the descriptor of `root` without reading it, which registries do not count as a pull. Returns null where only
   * `root` tells, errors included.
   */
  head(signal: AbortSignal): Promise<Descriptor | null>;
  /** Reads a manifest by its descriptor. @throws DIGEST_MISMATCH, SIZE_MISMATCH, NOT_FOUND, … */
  manifest(descriptor: Descriptor, signal: AbortSignal): Promise<RawManifest>;
  /**
   * Returns the bytes of a blob. The stream throws DIGEST_MISMATCH or SIZE_MISMATCH at its end at the latest, so a consumer
   * must read to the end before it trusts any byte.
   */
  blob(descriptor: Descriptor, signal: AbortSignal): ByteStream;
  /**
   * Opens the file in which a blob lies as it is. The caller verifies the bytes as those of `blob`, and closes the file.
   * Default: no blob lies in a file of this machine. @throws NOT_FOUND, IO
   */
  fileOf?(descriptor: Descriptor, signal: AbortSignal): Promise<FileRange>;
  /**
   * Opens the file in which a blob lies, for a caller that looks at parts of it, so that its bytes are not verified. The caller closes
   * it. Default: no blob lies in a file of this machine. @throws NOT_FOUND, IO
   */
  peek?(descriptor: Descriptor, signal: AbortSignal): Promise<FileRange>;
  /**
   * Returns the names of the image at the place, as clients know them (`docker.io/library/app:1`, a tag of a layout): the name by
   * which it was asked for, or else all. An image asked for by digest alone may have none. @throws what `root` throws
   */
  names(signal: AbortSignal): Promise<readonly string[]>;
  /** Returns what refers to a manifest: by the referrers API or its tag, and by cosign's `sha256-….sig` tags. */
  referrers(digest: Digest, signal: AbortSignal): Promise<readonly Referrer[]>;
}

/** Returns the repository from which a blob of a source can be mounted; null for none. */
export function mountOf(source: Pick<Source, 'mountable' | 'mountableOf'>, digest: Digest): Mountable | null {
  return source.mountableOf === undefined ? source.mountable : source.mountableOf(digest);
}

/** An artifact about an image, as the place lists it. Lists may lack its type and annotations, which its manifest has. */
export interface Referrer extends Descriptor {
  /** The tags that stand for its subject and name it: `sha256-….sig`, as cosign writes them. Default: none, it is found by its `subject`. */
  readonly tags?: readonly string[];
}

/** How an unchanged blob came to the target. */
export type Adoption = 'present' | 'mounted' | 'copied';

/** A blob whose bytes have all been taken in, but that is not visible yet. */
export interface StagedBlob {
  /** Makes it visible under its digest. The target checks digest and size where it can. */
  commit(digest: Digest, size: number, signal: AbortSignal): Promise<void>;
  /** Discards the bytes. Never fails. */
  abort(): Promise<void>;
}

/** Makes the bytes of a blob from the start. Every call must give the same bytes. */
export type Produce = () => ByteStream | Sealing;

/** A place that an image is written to. Nothing is visible under a name before `publish`. */
export interface Target extends AsyncCloseable {
  /** The references as the user wrote them, without secrets. */
  readonly label: string;
  /** Null for a place that is not a registry. */
  readonly mountable: Mountable | null;
  /** `plain` for `docker save` archives, whose layers are uncompressed tars. */
  readonly layerFormat: 'any' | 'plain';
  /** Whether `stage` takes any number of blobs side by side, without one waiting for another. Default: no. */
  readonly takesSideBySide?: boolean;
  /** The only family of manifests that other programs read there. Null: any. */
  readonly family: Family | null;
  /** Returns whether the place has a blob. */
  has(descriptor: Descriptor, signal: AbortSignal): Promise<boolean>;
  /**
   * Brings a blob as it is: it is present, or mounted from the source's repository, or copied and verified. `onBytes` is told
   * of the bytes that are copied.
   */
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
  /** Writes a small blob, such as a config. */
  put(bytes: Uint8Array, descriptor: Descriptor, signal: AbortSignal): Promise<void>;
  /** Writes a manifest under its digest only. The place must have all blobs that it names. */
  putManifest(manifest: RawManifest, signal: AbortSignal): Promise<void>;
  /**
   * Writes an artifact about an image, such as a signature, so that it is found by that image's digest: in a registry by the referrers
   * API or the tag that replaces it, in a layout and an OCI archive by that tag. With `tag`, one of cosign's, it stands under the tag
   * instead; a manifest there with layers that it lacks stays, and the result is false. The place must have all blobs that it names, and need not have its
   * subject. Local places show it with `publish`, so it comes before. @throws UNSUPPORTED for a place that cannot hold any
   */
  attach(artifact: RawManifest, signal: AbortSignal, tag?: string): Promise<boolean>;
  /**
   * Makes the root manifest visible under the names asked for: its tags, or its digest only. This is the last step; a file is
   * renamed into place. `packing`: how its layers are packed, for annotations of the place that say so. Default: not known.
   */
  publish(root: RawManifest, signal: AbortSignal, packing?: Packing): Promise<void>;
  /** Returns a reference to the result: `registry/app@sha256:…`, `oci:DIR:tag@sha256:…`. */
  nameOf(digest: Digest): string;
  /** Releases all resources. Without a `publish` before it, removes all unfinished work. */
  close(): Promise<void>;
}
