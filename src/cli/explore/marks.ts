/**
 * What is marked for pruning: paths that were chosen, paths that were taken back, and presets. From these follow which entries go and
 * what that saves. `rules-file.ts` writes the same marks as rules.
 */
import type { Path } from '../../bytes/path.ts';
import { createMatcher } from '../../rules/rules.ts';
import { expandPresets, presets } from '../../slim/presets.ts';
import { ruledKind } from '../../slim/resolve/marking.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { Contents } from './contents.ts';

/** The words for what was chosen at a path: `drop` takes it and all below; `keep` takes it back from a directory or preset above. */
export type Choice = 'drop' | 'keep';

/** The marks that were set. */
export interface Marks {
  /** By path number. */
  readonly paths: ReadonlyMap<number, Choice>;
  /** The names of presets, in the order of the list. */
  readonly presets: readonly string[];
}

export const noMarks: Marks = { paths: new Map(), presets: [] };

/** The presets that remove something, in the order of the documentation. */
export const removingPresets: readonly string[] = Object.values(presets)
  .filter(({ effect }) => effect === 'remove')
  .map(({ name }) => name);

/** What one preset takes by itself. */
export interface PresetTaking {
  /** The ids of the changes. */
  readonly ids: Int32Array;
  /** Bytes of file contents that go with them, each inode once. */
  readonly bytes: number;
}

/** What presets take. A preset that was not looked for so far is missing. */
export type PresetEntries = ReadonlyMap<string, PresetTaking>;

/** Degrees of a marked path. */
export const degrees = { none: 0, partly: 1, whole: 2 } as const;

/** What marks amount to. */
export interface Saving {
  /** 1 for an entry that marks take, by change id. */
  readonly taken: Uint8Array;
  /** Numbers of `degrees`, by path. */
  readonly degree: Uint8Array;
  /** Bytes of file contents that go, each inode once, and their number. */
  readonly bytes: number;
  readonly files: number;
  /** Estimated bytes of the transfer, by the packing ratio of each layer. */
  readonly transferBytes: number;
}

/** Finds the entries that a preset takes. */
export function* presetSteps(contents: Contents, name: string): Steps<PresetTaking> {
  const { changes, table, spans } = contents;
  const visible = new Uint8Array(table.paths.length);
  for (let i = 0; i < spans.path.length; i++) if (spans.until[i] === 0) visible[spans.path[i] as number] = 1;
  const exists = (path: Path): boolean => {
    const id = table.findId(path);
    return id !== null && visible[id] === 1;
  };
  const match = createMatcher(expandPresets([name]).remove, exists);
  const ids: number[] = [];
  let count = 0;
  for (const id of changes.entries) {
    if (++count % (itemsPerStep / 8) === 0) yield;
    const change = changes.all[id];
    if (change !== undefined && match(table.paths[change.path] as Path, ruledKind(change)) !== null)
      ids.push(id);
  }
  const taken = new Uint8Array(changes.all.length);
  for (const id of ids) taken[id] = 1;
  return { ids: Int32Array.from(ids), bytes: freed(contents, taken).bytes };
}

/** Computes what marks take and save, in time proportional to the entries. The entries of all marked presets must be known. */
export function savingOf(contents: Contents, marks: Marks, entries: PresetEntries): Saving {
  const taken = takenBy(contents, marks, entries);
  const degree = degreesOf(contents, marks, taken);
  spareDirectories(contents, taken, degree);
  const { bytes, files, byLayer } = freed(contents, taken);
  const transferBytes = contents.layers.reduce(
    (sum, { number, tarBytes, transferBytes: packed }) =>
      sum + (tarBytes === 0 ? 0 : ((byLayer[number] as number) * packed) / tarBytes),
    0,
  );
  return { taken, degree, bytes, files, transferBytes };
}

/** Leaves directories in which something stays: no rule takes them. */
function spareDirectories({ changes }: Contents, taken: Uint8Array, degree: Uint8Array): void {
  for (const id of changes.entries)
    if (
      taken[id] === 1 &&
      degree[changes.path[id] as number] !== degrees.whole &&
      changes.all[id]?.kind === 'directory'
    )
      taken[id] = 0;
}

/** Adds up the data of files of which no name stays: a hard link that stays keeps the data of all its names. */
function freed(
  { changes, layers }: Contents,
  taken: Uint8Array,
): Pick<Saving, 'bytes' | 'files'> & { readonly byLayer: Float64Array } {
  const stays = new Uint8Array(taken.length);
  for (const id of changes.links) if (taken[id] === 0) stays[changes.file[id] as number] = 1;
  const byLayer = new Float64Array(layers.length + 1);
  let [bytes, files] = [0, 0];
  for (const id of changes.data) {
    if (stays[id] === 1 || taken[id] === 0) continue;
    const size = changes.size[id] as number;
    bytes += size;
    files++;
    const layer = changes.layer[id] as number;
    byLayer[layer] = (byLayer[layer] as number) + size;
  }
  return { bytes, files, byLayer };
}

/** Returns 1 for each change that marks take. What was chosen for a path wins over presets, and over what was chosen above it. */
function takenBy({ changes, table: { end } }: Contents, marks: Marks, entries: PresetEntries): Uint8Array {
  const taken = new Uint8Array(changes.all.length);
  for (const name of marks.presets) for (const id of entries.get(name)?.ids ?? []) taken[id] = 1;
  if (marks.paths.size === 0) return taken;
  const chosen = new Uint8Array(end.length);
  // Parents have lower numbers, so that the choice of a path replaces that of a directory above.
  for (const [path, choice] of [...marks.paths].sort(([a], [b]) => a - b))
    chosen.fill(choice === 'drop' ? 2 : 1, path, end[path]);
  for (const id of changes.entries) {
    const choice = chosen[changes.path[id] as number] as number;
    if (choice !== 0) taken[id] = choice - 1;
  }
  return taken;
}

/** Tells of each path whether it goes whole, partly or not at all. */
function degreesOf({ changes, table }: Contents, marks: Marks, taken: Uint8Array): Uint8Array {
  const degree = new Uint8Array(table.parent.length);
  if (marks.paths.size === 0 && marks.presets.length === 0) return degree;
  /** 1: something at or below a path stays. 2: something goes. */
  const found = new Uint8Array(degree.length);
  for (const id of changes.entries) {
    const path = changes.path[id] as number;
    found[path] = (found[path] as number) | (taken[id] === 1 ? 2 : 1);
  }
  for (let path = degree.length - 1; path > 0; path--) {
    const own = found[path] as number;
    degree[path] = own === 2 ? degrees.whole : own === 3 ? degrees.partly : degrees.none;
    const above = table.parent[path] as number;
    // A directory with an entry that stays is not whole, whatever is in it; one without an entry is what lies in it.
    found[above] = (found[above] as number) | own;
  }
  return degree;
}

/**
 * Turns the mark of a path round: what goes whole stays afterwards, and anything else goes. Choices below the path are forgotten, and
 * none is set that the directories above imply.
 */
export function toggle({ table: { end } }: Contents, marks: Marks, degree: Uint8Array, path: number): Marks {
  const paths = new Map([...marks.paths].filter(([at]) => at < path || at >= (end[path] as number)));
  const above = choiceAbove(paths, end, path);
  if (degree[path] !== degrees.whole) {
    if (above !== 'drop') paths.set(path, 'drop');
  } else if (above === 'drop' || marks.presets.length > 0) paths.set(path, 'keep');
  return { ...marks, paths };
}

/** Returns the choice of the nearest directory above a path; null for none. */
function choiceAbove(paths: Marks['paths'], end: Int32Array, path: number): Choice | null {
  let [nearest, at]: [Choice | null, number] = [null, -1];
  for (const [above, choice] of paths)
    if (above < path && (end[above] as number) > path && above > at) [nearest, at] = [choice, above];
  return nearest;
}

/** Adds a preset, or takes it out. */
export function togglePreset(marks: Marks, name: string): Marks {
  const chosen = new Set(marks.presets);
  if (!chosen.delete(name)) chosen.add(name);
  return { ...marks, presets: removingPresets.filter((each) => chosen.has(each)) };
}
