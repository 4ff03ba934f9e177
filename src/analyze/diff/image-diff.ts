/**
 * What differs between two images, as plain data. `jobs/compare` makes an `ImageDiff`, and the renderers of `report/diff` and the page
 * are made from it.
 */
import type { Path } from '../../bytes/path.ts';
import type { NodeKind } from '../../rootfs/filesystem.ts';
import type { ComponentKind } from '../../rootfs/packages/package.ts';
import type { Digest } from '../../oci/digest.ts';

/** The aspects that `--ignore` takes, in the order of help. */
export const ignorable = [
  'mtime',
  'mode',
  'owner',
  'xattr',
  'links',
  'sparse',
  'order',
  'pax',
  'layers',
  'compression',
  'mediatype',
  'annotations',
  'history',
  'created',
  'config',
  'env',
  'labels',
  'artifacts',
  'json',
] as const;
export type Ignorable = (typeof ignorable)[number];

/**
 * Everything in which two images can differ. `files`: a path that only one has. `content`: contents, kind, link target or device
 * numbers of a path. `platform`: an image for a platform that only one side has.
 */
export type DiffAspect = Ignorable | 'files' | 'content' | 'platform';

/** Everything that differs between images A and B. All bytes are unpacked unless a name says `transfer`. */
export interface ImageDiff {
  readonly a: DiffedReference;
  readonly b: DiffedReference;
  readonly verdict: DiffVerdict;
  /** What was left out of the verdict and of the lists. */
  readonly ignored: readonly Ignorable[];
  /** The globs of the paths compared; empty for all. With some, nothing but these paths counts. */
  readonly paths: readonly string[];
  readonly platforms: readonly PlatformDiff[];
  /** What differs in the index around the images: its annotations and type. */
  readonly index: readonly MemberChange[];
  /** What is not an image (attestations, artifacts), where one side alone has it. */
  readonly artifacts: readonly ArtifactChange[];
}

export interface DiffedReference {
  /** The reference as the user wrote it. */
  readonly name: string;
  /** Of the manifest or index. */
  readonly digest: Digest;
  readonly mediaType: string;
}

/** `identical`: nothing differs. `identical-but`: nothing but what was ignored. */
export interface DiffVerdict {
  readonly kind: 'identical' | 'identical-but' | 'different';
  /** The ignored aspects in which they differ. */
  readonly butFor: readonly Ignorable[];
  /** The other aspects in which they differ; empty unless `different`. */
  readonly differIn: readonly DiffAspect[];
}

export interface ArtifactChange {
  readonly digest: Digest;
  /** The artifact type, where one is stated, else the media type. */
  readonly type: string;
  readonly change: 'added' | 'removed';
}

/** What differs between the images of one platform. */
export interface PlatformDiff {
  /** `linux/amd64`; null where no config states one. */
  readonly platform: string | null;
  /** Null where this side has no image for the platform. Then all lists are empty. */
  readonly a: DiffedImage | null;
  readonly b: DiffedImage | null;
  readonly verdict: DiffVerdict;
  readonly totals: FileTotals;
  /** By path. */
  readonly files: readonly FileChange[];
  /** Members of the config: its platform, `config.Env.PATH`, `config.Labels.version`. */
  readonly config: readonly MemberChange[];
  readonly history: readonly HistoryChange[];
  /** Members of the manifest: media types, annotations, also of its descriptors. */
  readonly manifest: readonly MemberChange[];
  /** Lowest first, in an order in which both sides ascend. */
  readonly layers: readonly LayerPair[];
  /** Sorted by kind and name. */
  readonly packages: readonly PackageChange[];
  /** What a client that has A downloads for B. Empty where one side has no image. */
  readonly downloads: readonly Download[];
  /** A, further versions and B, where such are compared: what a client of each downloads for each. */
  readonly versions?: readonly VersionDownloads[];
}

/** A version of an image, and what a client that has it downloads for others. */
export interface VersionDownloads {
  /** The reference as it was written. */
  readonly name: string;
  /** Of the manifest; null where it is not written yet. */
  readonly digest: Digest | null;
  /** For each version of the list, in its order: bytes for clients that reuse blobs, and for those that reuse chains of layers. */
  readonly downloads: readonly { readonly blob: number; readonly prefix: number }[];
}

export interface DiffedImage {
  /** Of the manifest. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** RFC 3339 as the config states it. */
  readonly created: string | null;
  /** Bytes of config and layers, a blob that is named twice counted once. */
  readonly transferBytes: number;
  readonly layers: number;
  /** What a container sees; null where both sides have the same layers, so that none was read. */
  readonly contents: DiffedContents | null;
}

export interface DiffedContents {
  /** Paths of any kind. */
  readonly paths: number;
  /** Bytes of regular files, each inode once. */
  readonly bytes: number;
  readonly packages: number;
}

/** Counts of paths of any kind, and bytes of regular files, each inode once. */
export interface FileTotals {
  readonly added: CountedBytes;
  readonly removed: CountedBytes;
  /** Paths with other contents: another kind, target or device too. */
  readonly changed: { readonly paths: number; readonly bytesBefore: number; readonly bytesAfter: number };
  /** Paths with the same contents and other attributes: mode, owner, time, extended attributes, hard links. */
  readonly attributes: CountedBytes;
}

export interface CountedBytes {
  readonly paths: number;
  readonly bytes: number;
}

/** A path that differs. */
export interface FileChange {
  /** Without a leading slash; empty for the root. */
  readonly path: Path;
  /** `attributes`: the contents are the same. */
  readonly change: 'added' | 'removed' | 'changed' | 'attributes';
  readonly a: FileState | null;
  readonly b: FileState | null;
  /** Empty for an added or removed path. */
  readonly details: readonly FileDetail[];
  /** A unified diff of the contents. Missing where none was asked for, or the contents are no text or too large. */
  readonly patch?: string;
}

/** What one side has at a path. */
export interface FileState {
  readonly kind: NodeKind;
  /** Bytes of the contents of a regular file; 0 for another kind. Each name of an inode has them. */
  readonly bytes: number;
  /** The number of the layer that brought it, from 1; null for a directory that only its contents imply. */
  readonly layer: number | null;
}

/** One aspect in which a path differs, in texts for a person. */
export interface FileDetail {
  readonly what: FileAspect;
  readonly a: string;
  readonly b: string;
}

export type FileAspect =
  | 'kind'
  | 'content'
  | 'target'
  | 'device'
  | 'mode'
  | 'owner'
  | 'mtime'
  | 'xattr'
  | 'links'
  | 'sparse';

/** A member of a document that differs, as JSON; null where a side lacks it. */
export interface MemberChange {
  /** `config.User`, `layers.3.mediaType`. Names in it come from the document. */
  readonly member: string;
  readonly aspect: Ignorable;
  readonly a: string | null;
  readonly b: string | null;
}

/** A row of the history that differs. */
export interface HistoryChange {
  /** The numbers of the rows, from 1; null where a side lacks it. */
  readonly numberA: number | null;
  readonly numberB: number | null;
  /** The instruction as written, null for none. */
  readonly a: string | null;
  readonly b: string | null;
  /** The members of the row that differ: `created_by`, `comment`, `created`. Empty for a row that one side lacks. */
  readonly members: readonly string[];
}

/** A layer of A beside the layer of B that stands in its place. `same`: the same blob. `repacked`: it unpacks to the same bytes. */
export interface LayerPair {
  readonly relation: 'same' | 'repacked' | 'changed' | 'added' | 'removed';
  readonly a: DiffedLayer | null;
  readonly b: DiffedLayer | null;
  /** The aspects in which a changed layer differs that its own entries show. Empty for the other relations. */
  readonly aspects: readonly DiffAspect[];
  /** The entries that differ, as the layers store them. Null unless they were asked for. */
  readonly entries: readonly LayerEntryChange[] | null;
}

export interface DiffedLayer {
  /** From 1, the lowest. */
  readonly number: number;
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly mediaType: string;
  readonly transferBytes: number;
  /** Bytes of the tar; null for a layer that was not read. */
  readonly tarBytes: number | null;
  /** `created_by` of its history row, as written; null where the history does not tell. */
  readonly instruction: string | null;
}

/** An entry of a layer that differs, whiteouts included. */
export interface LayerEntryChange {
  readonly path: Path;
  readonly kind: LayerEntryKind;
  readonly change: 'added' | 'removed' | 'changed' | 'moved';
  /** `form`: how its header is written. Empty for an added, removed or moved entry. */
  readonly details: readonly (
    | FileDetail
    | { readonly what: 'form'; readonly a: string; readonly b: string }
  )[];
}

export type LayerEntryKind = NodeKind | 'link' | 'whiteout' | 'opaque';

/** A package that differs. `changed`: another version that is neither higher nor lower. */
export interface PackageChange {
  readonly kind: ComponentKind;
  readonly name: string;
  readonly change: 'added' | 'removed' | 'upgraded' | 'downgraded' | 'changed';
  /** Versions, null where the side lacks the package or its files do not tell. */
  readonly a: string | null;
  readonly b: string | null;
  /** Bytes of its files that are in the image. */
  readonly bytesA: number;
  readonly bytesB: number;
}

/**
 * What a client that has A downloads for B. `blob`: it reuses blobs by digest (containerd, Docker with its image store, podman).
 * `prefix`: a layer only if it and all layers below are those of A (Docker's classic store). `file`: files with contents that no layer
 * of A has (zstd:chunked, eStargz, composefs).
 */
export interface Download {
  readonly model: 'blob' | 'prefix' | 'file';
  readonly transferBytes: number;
  /** Bytes that a client without A downloads. */
  readonly totalBytes: number;
  /** The numbers of the layers of B that it reads, whole or in part. */
  readonly layers: readonly number[];
  /** Whether the bytes are estimated by the packing of their layer. */
  readonly isEstimate: boolean;
}
