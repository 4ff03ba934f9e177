/**
 * Takes entries of the previous version of an image in the place of those that differ from them in noise alone: times above all. `resolve`
 * calls it for a range that is relayered with `--noise adopt`, before the range is divided into layers.
 */
import type { Path } from '../../bytes/path.ts';
import type { Change } from '../../changeset/change.ts';
import type { NewContents } from '../../changeset/edit.ts';
import type { Stack } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import { pairSteps } from './compiled-pairs.ts';
import { type CarrierAt, EarlierFiles, type KnownEntries } from './earlier-files.ts';
import { type FileGroup, type GroupedChanges, groupSteps, orderedFiles } from './file-groups.ts';
import { TimeWitnesses } from './time-witnesses.ts';

/** Both versions, over one table of paths. */
export interface AdoptionInput extends KnownEntries {
  /** The layers after all prunings. */
  readonly stack: Stack;
  /** The layers of the previous version, by numbers above those of the stack. */
  readonly previous: ReadonlyMap<number, readonly Change[]>;
  /** New contents by file. */
  readonly contents: ReadonlyMap<number, NewContents>;
}

/** What was adopted. */
export interface AdoptedNoise {
  /** Entries of another time in the previous version, which is theirs now. */
  readonly times: number;
  /** Compiled modules of Python among them, which state that of their source, too. */
  readonly compiled: number;
  /** Returns the change of the new version that an entry of the previous one stands for; null for any other entry. */
  readonly standsFor: (layer: number, entry: number) => Change | null;
}

/** Replaces the changes of a range by those of the previous version where anything but noise is equal. */
export function* adoptSteps(
  changes: readonly Change[],
  input: AdoptionInput,
): Steps<{ readonly changes: readonly Change[]; readonly adopted: AdoptedNoise }> {
  const { stack, previous } = input;
  const earlier = yield* EarlierFiles.steps(previous, stack, input);
  const grouped = yield* groupSteps(changes);
  const standIns = yield* standInSteps(grouped, earlier, input);
  const tally = new Tally(input);
  const files = grouped.files.map((group, i) => {
    const standIn = standIns.files[i] ?? null;
    if (standIn === null) return group;
    tally.replace(group, standIn);
    return standIn;
  });
  yield;
  const structure = grouped.structure.map((change, i) => {
    const standIn = standIns.structure[i] ?? null;
    if (standIn !== null) tally.put(change, standIn);
    return standIn ?? change;
  });
  return { changes: [...structure, ...orderedFiles(files)], adopted: tally.finish() };
}

/** What stands in for the changes of a layer, in their order; null for what stays. */
interface FoundStandIns {
  readonly structure: readonly (Change | null)[];
  readonly files: readonly (FileGroup | null)[];
}

function* standInSteps(
  { structure, files }: GroupedChanges,
  earlier: EarlierFiles,
  input: AdoptionInput,
): Steps<FoundStandIns> {
  const { table } = input.stack;
  const carrierAt = yield* carrierSteps(input.stack);
  const witnesses = new TimeWitnesses();
  const found: (FileGroup | null)[] = [];
  for (const group of files) {
    const isEdited = group.data !== null && input.contents.has(group.data.file);
    const standIn = isEdited ? null : earlier.fileLike(group, carrierAt);
    if (found.push(standIn) % itemsPerStep === 0) yield;
    if (standIn === null) for (const path of pathsOf(group)) witnesses.note(table.paths[path] as Path);
  }
  const mayGo = (path: number): boolean => !witnesses.holdsTimeOf(table.paths[path] as Path);
  const standIns = found.map((standIn) =>
    standIn !== null && pathsOf(standIn).every(mayGo) ? standIn : null,
  );
  yield;
  yield* pairSteps({ files, standIns }, { ...input, table, carrierAt });
  return {
    structure: structure.map((change) => (mayGo(change.path) ? earlier.structureLike(change) : null)),
    files: standIns,
  };
}

/** Merges the layers of the new version, to look its files up. */
function* carrierSteps({ table, list, layers }: Stack): Steps<CarrierAt> {
  const tree = new Tree(table, list);
  for (const changes of layers.values()) {
    tree.apply(changes);
    yield;
  }
  return (path) => {
    const file = tree.file[path] as number;
    return file > 0 ? list.get(file - 1) : null;
  };
}

function pathsOf({ data, links }: FileGroup): readonly number[] {
  return [...(data === null ? [] : [data]), ...links].map(({ path }) => path);
}

/** Counts what was replaced, and notes by what. */
class Tally {
  readonly #input: AdoptionInput;
  readonly #standsFor = new Map<number, Map<number, Change>>();
  #times = 0;
  #compiled = 0;

  constructor(input: AdoptionInput) {
    this.#input = input;
  }

  replace(own: FileGroup, other: FileGroup): void {
    const { data } = own;
    if (data !== null && other.data !== null) {
      this.put(data, other.data);
      if (this.#stamp(data) !== this.#stamp(other.data)) this.#compiled++;
    }
    own.links.forEach((link, i) => this.put(link, other.links[i] as Change));
  }

  /** Notes that an entry of the previous version stands for one of the new. */
  put(own: Change, other: Change): void {
    const { indexes } = this.#input;
    const before = indexes.get(own.layer)?.mtimes[own.entry];
    if (before !== indexes.get(other.layer)?.mtimes[other.entry]) this.#times++;
    const known = this.#standsFor.get(other.layer) ?? new Map<number, Change>();
    this.#standsFor.set(other.layer, known.set(other.entry, own));
  }

  finish(): AdoptedNoise {
    const times = this.#times;
    const standsFor = (layer: number, entry: number) => this.#standsFor.get(layer)?.get(entry) ?? null;
    return { times, compiled: this.#compiled, standsFor };
  }

  #stamp({ layer, entry }: Change): number | undefined {
    return this.#input.facts.get(layer)?.identities?.stamps.get(entry)?.time;
  }
}
