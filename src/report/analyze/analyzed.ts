/**
 * What the renderers of an analysis get: the analysis, and the scanned image for lists of files. The command `analyze` makes it; each
 * file of this folder turns it into one format.
 */
import type { Analysis } from '../../analyze/analysis.ts';
import { allEntries, type ImageEntry, type LayeredImage, visibleEntries } from '../../analyze/entries.ts';
import type { Fate } from '../../analyze/fates.ts';
import type { Path } from '../../bytes/path.ts';
import type { ChangeKind } from '../../changeset/layer-index.ts';
import type { LayerFacts } from '../../rootfs/facts/facts.ts';

/** A scanned image. Fingerprints, where there are some, tell which files are the same. */
export interface ScannedFiles extends LayeredImage {
  readonly facts?: ReadonlyMap<number, Pick<LayerFacts, 'prints'>>;
}

/** An analysis with the image that lists of files are made of. */
export interface Analyzed {
  readonly analysis: Analysis;
  readonly scanned: ScannedFiles;
}

export interface Tool {
  readonly name: string;
  readonly version: string;
}

/** Which entries a list has: those of the final root filesystem, or those of all layers. */
export type Scope = 'root' | 'layers';

/** What a reader asks for beside the format. */
export interface RenderOptions {
  readonly scope: Scope;
  /** The most rows of each list of Markdown. */
  readonly top: number;
  /** Whether a NUL ends each path. */
  readonly nul: boolean;
  readonly tool: Tool;
  /** What cancels the work on long lists. */
  readonly signal: AbortSignal;
}

/** A row of a list of files: an entry of a layer, or a path of the final root filesystem. */
export interface Row {
  readonly path: Path;
  readonly kind: ChangeKind;
  /** Bytes of content, of a file with several names once. */
  readonly bytes: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The layer that has it, from 1; 0 for a directory that only its contents imply. */
  readonly layer: number;
  readonly fate: Fate;
  /** The layer that hides it; 0 for what is not hidden. */
  readonly hiddenBy: number;
  readonly lost: boolean;
}

/**
 * Lists rows one by one, so that none is held. `root`: by path, a directory before what is in it. `layers`: the lowest layer first, each
 * in the order of its tar.
 */
export function* rowsOf(image: LayeredImage, scope: Scope): Generator<Row> {
  if (scope === 'layers') for (const entry of allEntries(image)) yield rowOf(entry);
  else
    for (const { path, entry, carrier, isAnotherName } of visibleEntries(image)) {
      const row = entry === null ? { ...implied, path } : rowOf(entry);
      yield carrier === null || carrier === entry ? row : { ...row, bytes: isAnotherName ? 0 : carrier.size };
    }
}

const implied = {
  kind: 'directory',
  bytes: 0,
  mode: 0o755,
  uid: 0,
  gid: 0,
  layer: 0,
  fate: 'kept',
  hiddenBy: 0,
  lost: false,
} as const;

/** Makes the row of one entry of a layer. */
export function rowOf({ size, path, kind, mode, uid, gid, layer, fate, hiddenBy, lost }: ImageEntry): Row {
  return { path, kind, bytes: size, mode, uid, gid, layer, fate, hiddenBy, lost };
}

const fateWords: Readonly<Record<Fate, string>> = {
  kept: 'visible',
  replaced: 'shadowed: overwritten',
  deleted: 'shadowed: deleted',
  marker: 'whiteout',
  ignored: 'ignored',
};

/** Says what became of an entry: whether a container sees it, and if not, why. */
export function fateText({ fate }: Pick<Row, 'fate'>): string {
  return fateWords[fate];
}

/** Says what became of an entry, and which layer hides it: `shadowed: deleted by layer 4`. */
export function stateText(row: Pick<Row, 'fate' | 'hiddenBy'>): string {
  return row.hiddenBy === 0 ? fateText(row) : `${fateText(row)} by layer ${row.hiddenBy}`;
}
