/**
 * The types of the benchmark: a work, the rivals that can do it, and the task that a contender gets. works/all.ts
 * and rivals/all.ts have the rows.
 */
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
  'analyse-quick',
  'copy',
  'copy-layout',
  'help',
] as const;
export type WorkName = (typeof workNames)[number];

/** The place of the image and of the result. It is the same for all contenders of a work. */
export type Form = 'layout' | 'registry' | 'archive' | 'none';

/** Something to be done to an image, the same for every contender. */
export interface Work {
  readonly name: WorkName;
  /** The title: the beginning of a sentence. */
  readonly title: string;
  readonly form: Form;
  /** The ending of the image's sibling that is the source. */
  readonly source?: '-zstd';
  /** Returns how many layers the result has, of so many. */
  readonly layers: (count: number) => number;
  /** The least number of layers for which an image is of use. */
  readonly least: number;
  readonly runs: number;
  /** Whether a run takes minutes: done on the first image only, unless the work is asked for by name. */
  readonly heavy?: true;
  /** Whether it is in the chart. */
  readonly charted?: true;
  /**
   * What `ocislim verify` must find: the same filesystem, or that less what `prunedPaths` name; null where no image
   * is made.
   */
  readonly verify: 'same' | 'pruned' | null;
}

/** One blob of the source as a file. */
export interface LayerFile {
  readonly file: string;
  readonly size: number;
  readonly compression: 'gzip' | 'zstd' | 'none';
}

/** The task of a contender: the image in every form that its work may need, and the place for its result. */
export interface Task {
  /** The OCI layout; its tag is v1. */
  readonly layout: string;
  readonly layers: readonly LayerFile[];
  /** References without a scheme. */
  readonly registry: { readonly source: string; readonly target: string };
  /** The archive that `docker save` wrote before Docker 25: plain layers, folders with `layer.tar`. */
  readonly archive: string;
  /** The folder for the result and for temporary files: empty before, removed after. */
  readonly folder: string;
}

/** One way in which one rival does one work. */
export interface Contender {
  readonly work: WorkName;
  /** The name in the tables. */
  readonly label: string;
  readonly command: (task: Task) => Command;
  /** The kind of result, where it is not the one of the work's form. */
  readonly makes?: 'blobs' | 'layout' | 'nothing';
  /** Whether it leaves out layers that have become empty. */
  readonly dropsLayers?: true;
  /** How its work differs from ocislim's. */
  readonly differs?: string;
}

/** A program, or a pair of them, with everything that it can do. */
export interface Rival {
  readonly name: string;
  /** The programs that must be in PATH. */
  readonly programs: readonly string[];
  /** The commands that print its version and those of its helpers, by name. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
  readonly contenders: readonly Contender[];
}

/** Returns the reference of the layout for the result. */
export const resultLayout = (task: Task): string => `${task.folder}/result`;
export const resultArchive = (task: Task): string => `${task.folder}/result.tar`;
export const resultBlob = (task: Task, index: number): string => `${task.folder}/blob-${index}`;

/** The paths that `prune-rule` removes. */
export const prunedPaths = ['usr/share/doc', 'usr/share/man', 'usr/share/locale'] as const;
