/**
 * What of a layer the rest of the image needs or sees. `pruneSteps` makes these predicates once, from the original stack and
 * the marking; `LayerPruning` asks them while it takes entries out of one layer.
 */
import type { Path } from '../../bytes/path.ts';
import type { Change } from '../../changeset/change.ts';
import type { Pruning } from '../../image/image.ts';
import type { Rule } from '../../rules/rule.ts';
import { type Marking, ruledKind, within } from './marking.ts';
import type { OriginalStack } from './original-stack.ts';

/** The predicates for the entries of one layer. */
export interface LayerSurvivors {
  /** Returns the rule that takes an entry; null where no rule names it, or where it must stay all the same. */
  ruleFor(change: Change): Rule | null;
  /** Tells whether a rule takes a directory that no layer has an entry for. */
  takesImplied(path: number): boolean;
  /** Tells whether the whole image has at this path the very node that the layer puts there. */
  isVisible(path: number, node: number): boolean;
  /** Tells whether a path of the whole image names this file. */
  isVisibleFile(file: number): boolean;
  /** Tells whether a hard link of an unselected layer names the entry. */
  isForced(change: Change): boolean;
  /** Tells whether a directory of a higher layer took the place of the entry. */
  gaveWay(change: Change): boolean;
  /** Tells whether the whole image has a directory at this path, and this layer is the last that puts or implies it. */
  isWanted(path: number): boolean;
}

export class Survivors {
  /** Entries that a hard link of an unselected layer names. */
  readonly forced: readonly Change[];
  readonly #original: OriginalStack;
  readonly #prunings: readonly Pruning[];
  readonly #marking: Marking;
  readonly #forcedIds: ReadonlySet<number>;
  /** By path: the highest layer that keeps something below it, plus one; `always` where it stays in every layer. */
  readonly #keptUntil: Int32Array;
  /** By file: 1 for a file of the whole image. */
  readonly #visibleFiles: Uint8Array;

  constructor(original: OriginalStack, prunings: readonly Pruning[], marking: Marking) {
    this.#original = original;
    this.#prunings = prunings;
    this.#marking = marking;
    this.forced = original.crossings.namedFromOutside((layer) => this.isSelected(layer));
    this.#forcedIds = new Set(this.forced.map(({ id }) => id));
    this.#keptUntil = this.#protectAncestors();
    this.#visibleFiles = filesOf(original.tree.file);
  }

  /** Tells whether a pruning works on the layer. */
  isSelected(layer: number): boolean {
    return this.#prunings.some(({ layers }) => within(layers, layer));
  }

  /** Tells whether a pruning drops what layers above this one hide. */
  dropsShadowed(layer: number): boolean {
    return this.#prunings.some(({ layers, shadowed }) => shadowed && within(layers, layer));
  }

  /** Returns the predicates for a layer. `position`: how many layers were applied up to it. */
  inLayer(layer: number, position: number): LayerSurvivors {
    const { tree, gaveWay } = this.#original;
    const isProtected = (path: number) => (this.#keptUntil[path] as number) > layer;
    const isForced = ({ id }: Change) => this.#forcedIds.has(id);
    return {
      isForced,
      ruleFor: (change) => {
        const rule = this.#marking.removed.get(change.id) ?? null;
        const isSpared = isForced(change) || (change.kind === 'directory' && isProtected(change.path));
        return isSpared ? null : rule;
      },
      takesImplied: (path) => !isProtected(path) && this.ruleForDirectory(path) !== null,
      isVisible: (path, node) => tree.node[path] === node,
      isVisibleFile: (file) => this.#visibleFiles[file] === 1,
      gaveWay: ({ id }) => gaveWay.has(id),
      isWanted: (path) => tree.isDirectory(path) && tree.touched[path] === position,
    };
  }

  /** Returns the rule that would take a directory at this path; null for none. */
  ruleForDirectory(path: number): Rule | null {
    return this.#marking.wish(this.#pathAt(path), 'directory');
  }

  /** Finds the directories that contain a kept entry: they stay, whatever the rules say. Returns `#keptUntil`. */
  #protectAncestors(): Int32Array {
    const { table, layers } = this.#original.stack;
    const keptUntil = new Int32Array(table.paths.length);
    for (const changes of layers.values()) {
      for (const change of changes) {
        const until = this.#keepsAncestorsUntil(change);
        // A marker implies the directory whose children it hides.
        const start = change.kind === 'opaque' ? change.path : (table.parent[change.path] as number);
        for (
          let above = start;
          above >= 0 && (keptUntil[above] as number) < until;
          above = table.parent[above] as number
        ) {
          keptUntil[above] = until;
        }
      }
    }
    return keptUntil;
  }

  /** Returns up to which layer an entry keeps the directories above it: 0 for none, `always` for all. */
  #keepsAncestorsUntil(change: Change): number {
    const isSelected = this.isSelected(change.layer);
    if (isMarker(change)) return isSelected ? 0 : change.layer;
    if (this.#marking.removed.has(change.id) && !this.#forcedIds.has(change.id)) return 0;
    // What rules would take from an unselected layer must not keep the directories of the layers above.
    const isWished = !isSelected && this.#marking.wish(this.#pathAt(change.path), ruledKind(change)) !== null;
    return isWished ? change.layer : always;
  }

  #pathAt(path: number): Path {
    return this.#original.stack.table.paths[path] as Path;
  }
}

/** Above the number of every layer. */
const always = 0x7fffffff;

export function isMarker({ kind }: Change): boolean {
  return kind === 'whiteout' || kind === 'opaque';
}

/** Returns by file number, 1 for each file that has a path. */
function filesOf(files: Int32Array): Uint8Array {
  const found = new Uint8Array(files.reduce((most, file) => Math.max(most, file), 0) + 1);
  for (const file of files) found[file] = 1;
  return found;
}
