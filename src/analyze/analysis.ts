/**
 * The face of the room that judges what is in an image and what it wastes. An `Analysis` is plain data: renderers, gates, the page and
 * the bill of materials are made from it. The room reads no layer; `jobs/analyze` scans them and calls it.
 */
import type { Path } from '../bytes/path.ts';
import type { Digest } from '../oci/digest.ts';
import type { ComponentKind } from '../rootfs/packages/package.ts';
import type { SurfaceFiles } from '../rootfs/surface/surface.ts';

/** What one image holds, and what of it is waste. All bytes are unpacked unless a name says `transfer`. */
export interface Analysis {
  readonly image: AnalyzedImage;
  readonly layers: readonly AnalyzedLayer[];
  readonly totals: Totals;
  readonly dive: DiveNumbers;
  /** What could go, security first, then by bytes, largest first. Empty for a quick analysis. */
  readonly findings: readonly WasteFinding[];
  /** The largest visible files and directories, largest first. */
  readonly largestFiles: readonly SizedPath[];
  readonly largestDirectories: readonly SizedPath[];
  /** The packages with files in the image, largest first. */
  readonly packages: readonly AnalyzedPackage[];
  /** Package databases that cannot be read, with the reason. */
  readonly unreadDatabases: readonly { readonly path: Path; readonly why: string }[];
  /** Null for a quick analysis. */
  readonly surface: AnalyzedSurface | null;
  /** What each command would save by itself. Null where samples were not asked for. */
  readonly savings: Savings | null;
}

export interface AnalyzedImage {
  /** The reference as the user wrote it. */
  readonly name: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** `linux/amd64`; null where the config states none. */
  readonly platform: string | null;
  /** RFC 3339 as the config states it. */
  readonly created: string | null;
  readonly config: AnalyzedConfig;
}

/** What of the config people look for. */
export interface AnalyzedConfig {
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  /** Sorted: `80/tcp`. */
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly healthcheck: boolean;
  /** The number of environment variables. Their values stay out of reports. */
  readonly environment: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AnalyzedLayer {
  /** From 1, the lowest. */
  readonly number: number;
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly mediaType: string;
  /** Bytes of the blob. */
  readonly transferBytes: number;
  /** Bytes of the tar. */
  readonly tarBytes: number;
  /** `created_by` of the history row, as written; null where the history does not tell. */
  readonly instruction: string | null;
  /** RFC 3339, of the history row. */
  readonly created: string | null;
  readonly entries: number;
  /** Whiteouts and opaque markers. */
  readonly markers: number;
  /** Regular files that the layer has. */
  readonly files: number;
  /** Bytes of content in regular files. The next two are parts of it, and the rest is what a container sees. */
  readonly contentBytes: number;
  /** Bytes of files that layers above (or later entries) hide. */
  readonly shadowedBytes: number;
  /** Bytes of visible files whose contents are already in a visible file of this or a lower layer. 0 for a quick analysis. */
  readonly duplicateBytes: number;
  /** `layer.FileSize` of dive. */
  readonly diveBytes: number;
}

export interface Totals {
  readonly transferBytes: number;
  readonly tarBytes: number;
  readonly contentBytes: number;
  /** Regular files and directories that a container sees, and the bytes of the files, each inode once. */
  readonly visibleFiles: number;
  readonly visibleDirectories: number;
  readonly visibleBytes: number;
  /** Bytes of regular-file content that no visible name shows: what `prune --shadowed` frees. */
  readonly reclaimableBytes: number;
  /** Bytes of visible files beyond the first with the same contents. */
  readonly duplicateBytes: number;
}

/** The numbers of dive (wagoodman/dive, `efficiency.go` and `analysis.go`), quirks included. */
export interface DiveNumbers {
  /** From 0 to 1. */
  readonly efficiency: number;
  readonly sizeBytes: number;
  readonly userSizeBytes: number;
  readonly wastedBytes: number;
  /** wastedBytes / userSizeBytes: NaN or Infinity for an image of one layer. */
  readonly wastedUserPercent: number;
  /** Most wasteful first, all of them. */
  readonly inefficient: readonly { readonly path: Path; readonly count: number; readonly bytes: number }[];
}

export const wasteKinds = [
  'secret-file',
  'secret-variable',
  'overwritten',
  'deleted',
  'attributes',
  'duplicates',
  'cache',
  'documentation',
  'static-libraries',
  'debug-symbols',
  'package-twice',
  'development',
] as const;
export type WasteKind = (typeof wasteKinds)[number];

/** Something that the image could do without, with the way to get it back. */
export interface WasteFinding {
  readonly kind: WasteKind;
  /** Bytes of content; 0 for findings about security. */
  readonly bytes: number;
  readonly files: number;
  /** The layer that carries the bytes; null for several or none. */
  readonly layer: number | null;
  /** The layer whose instruction made them waste (that overwrote or deleted them); null where no layer did. */
  readonly by: number | null;
  /** One sentence without a full stop: what is wasted, by which instruction. */
  readonly why: string;
  /** Where it lies, the heaviest first, at most five. */
  readonly places: readonly SizedPath[];
  /** What to change in the Dockerfile: one line; null where there is nothing to say. */
  readonly dockerfile: string | null;
  /** Arguments of the ocislim command that gets it back, without program and references: `['prune', '--shadowed']`. */
  readonly command: readonly string[] | null;
}

export interface SizedPath {
  readonly path: Path;
  readonly bytes: number;
  readonly files: number;
  /** The layer that carries it; null for several. */
  readonly layer: number | null;
}

export interface AnalyzedPackage {
  readonly kind: ComponentKind;
  readonly name: string;
  readonly version: string | null;
  /** A package URL (purl-spec); null where none can be made. */
  readonly purl: string | null;
  /** Files that are in the image, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** The layer that carries most of its bytes; null for none. */
  readonly layer: number | null;
}

export interface AnalyzedSurface {
  readonly files: SurfaceFiles;
  readonly isRoot: boolean;
  /** Names of variables whose values look like secrets. */
  readonly secretVariables: readonly string[];
  /** Files that look like secrets, in any layer. `visible`: in the final root filesystem. */
  readonly secretFiles: readonly { readonly path: Path; readonly layer: number; readonly visible: boolean }[];
}

/** What one command would save of the transfer, and of what is unpacked. */
export interface Saving {
  /** Bytes, negative for a loss; within `error`, up or down. */
  readonly transferBytes: number;
  readonly error: number;
  readonly unpackedBytes: number;
  /** Arguments of the command, without program and references. */
  readonly command: readonly string[];
}

export interface Savings {
  readonly squash: Saving;
  readonly prune: Saving;
  readonly recompress: Saving;
}
