/**
 * Puts the changes of a layer together file by file: the one with the data, and the other names of the same file. `adopt-noise.ts` decides
 * about files as wholes.
 */
import type { Change } from '../../changeset/change.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';

/** The changes that make one file. */
export interface FileGroup {
  /** Null where a layer below has the data. */
  readonly data: Change | null;
  /** In the order of the layer. */
  readonly links: readonly Change[];
}

/** The changes of a layer by what they are. */
export interface GroupedChanges {
  /** Directories and markers. */
  readonly structure: readonly Change[];
  readonly files: readonly FileGroup[];
}

/** Groups the result of `express`, in which links follow the names that they lead to. */
export function* groupSteps(changes: readonly Change[]): Steps<GroupedChanges> {
  const structure: Change[] = [];
  const files: { data: Change | null; links: Change[] }[] = [];
  const byPath = new Map<number, number>();
  for (const [i, change] of changes.entries()) {
    if (i % itemsPerStep === itemsPerStep - 1) yield;
    const { kind, path, target } = change;
    if (kind === 'directory' || kind === 'whiteout' || kind === 'opaque') {
      structure.push(change);
    } else if (kind !== 'link') {
      byPath.set(path, files.push({ data: change, links: [] }) - 1);
    } else {
      const group = byPath.get(target) ?? files.push({ data: null, links: [] }) - 1;
      files[group]?.links.push(change);
      byPath.set(path, group);
      byPath.set(target, group);
    }
  }
  return { structure, files };
}

/** Puts the changes of files into the order in which `express` gives them: data by their sources, then links file by file. */
export function orderedFiles(files: readonly FileGroup[]): readonly Change[] {
  const data = files.flatMap((group) => group.data ?? []).sort(bySource);
  const linked = files.filter(({ links }) => links.length > 0);
  linked.sort((a, b) => lowest(a) - lowest(b));
  return [...data, ...linked.flatMap(({ links }) => links)];
}

/** Compares changes by where their bytes are. */
export function bySource(a: Change, b: Change): number {
  return a.layer - b.layer || a.entry - b.entry || a.path - b.path;
}

function lowest({ links }: FileGroup): number {
  return links.reduce((least, { path }) => Math.min(least, path), Number.POSITIVE_INFINITY);
}
