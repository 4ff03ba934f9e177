import type { Command } from '../measure/command.ts';

export const workNames = [
  'zstd3',
  'zstd19',
  'gzip6',
  'gzip9',
  'small',
  'unzstd',
  'registry-zstd3',
  'squash',
  'squash-layout',
  'squash-archive',
  'squash-last',
  'prune-rule',
  'prune-shadowed',
  'analyse',
  'copy',
  'copy-layout',
  'help',
] as const;
export type WorkName = (typeof workNames)[number];

/** Where the image is, and where the result goes: the same for all contenders of a work. */
export type Form = 'layout' | 'registry' | 'archive' | 'none';

/** Something to be done to an image, the same by everyone who can. */
export interface Work {
  readonly name: WorkName;
  /** What it is, in a sentence's beginning. */
  readonly title: string;
  readonly form: Form;
  /** The image's sibling of this ending is the source. */
  readonly source?: '-zstd';
  /** How many layers the result has, of so many. */
  readonly layers: (count: number) => number;
  /** With how many layers an image is of use. */
  readonly least: number;
  readonly runs: number;
  /** Minutes for each run: done on the first image only, unless the work is asked for by name. */
  readonly heavy?: true;
  /** It is in the chart. */
  readonly charted?: true;
  /** What `ocislim verify` is to find of the result: the same filesystem, or that less what `prunedPaths` name; null: no image is made. */
  readonly verify: 'same' | 'pruned' | null;
}

/** One blob of the source, as the file that it is. */
export interface LayerFile {
  readonly file: string;
  readonly size: number;
  readonly compression: 'gzip' | 'zstd' | 'none';
}

/** What a contender is told: where the image is in every form that its work may want, and where its result goes. */
export interface Task {
  /** The OCI layout; its tag is v1. */
  readonly layout: string;
  readonly layers: readonly LayerFile[];
  /** References without a scheme. */
  readonly registry: { readonly source: string; readonly target: string };
  /** As `docker save` wrote it before Docker 25: plain layers, folders with `layer.tar`. */
  readonly archive: string;
  /** For the result and for temporary files: empty before, removed after. */
  readonly folder: string;
}

/** One way in which one rival does one work. */
export interface Contender {
  readonly work: WorkName;
  /** As the tables call it. */
  readonly label: string;
  readonly command: (task: Task) => Command;
  /** What it makes, where that is not what the work's form says. */
  readonly makes?: 'blobs' | 'layout' | 'nothing';
  /** It leaves out layers in which nothing is left. */
  readonly dropsLayers?: true;
  /** What is different from what ocislim does. */
  readonly differs?: string;
}

/** A program, or a pair of them, with all that it can do. */
export interface Rival {
  readonly name: string;
  /** That must be in PATH. */
  readonly programs: readonly string[];
  /** What says its version, and those of its helpers, by name. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
  readonly contenders: readonly Contender[];
}

/** Where results go. */
export const resultLayout = (task: Task): string => `${task.folder}/result`;
export const resultArchive = (task: Task): string => `${task.folder}/result.tar`;
export const resultBlob = (task: Task, index: number): string => `${task.folder}/blob-${index}`;

/** What `prune-rule` takes away. */
export const prunedPaths = ['usr/share/doc', 'usr/share/man', 'usr/share/locale'] as const;
