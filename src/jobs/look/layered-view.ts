/**
 * The root filesystem of an image as far as its upper layers tell: layers are added from the top down, and a question that the ones
 * there are cannot answer names the next. `cat` and `extract` read no more layers than that.
 */
import type { Path } from '../../bytes/path.ts';
import { parentOf, quotePath } from '../../bytes/path.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import type { LayerIndex } from '../../changeset/layer-index.ts';
import { type Stack, stackSteps } from '../../changeset/stack.ts';
import { Tree } from '../../changeset/tree.ts';
import { OcislimError } from '../../errors.ts';
import type { NameView, NodeKind } from '../../rootfs/filesystem.ts';
import type { Steps } from '../../steps.ts';

/** Thrown where an answer depends on a layer that is not there yet. */
export class NeedsLayer extends Error {
  readonly layer: number;

  constructor(layer: number) {
    super(`layer ${layer} has not been read`);
    this.layer = layer;
  }
}

/** What stands at a path: the topmost layer that has it, and the entry that carries its data; -1 for a directory without an entry. */
export interface Standing {
  readonly kind: NodeKind;
  readonly layer: number;
  readonly entry: number;
}

/** One layer by itself, applied to what is not known. */
interface AppliedLayer {
  readonly index: LayerIndex;
  readonly stack: Stack;
  readonly tree: Tree;
}

/** Layers 1 to `top` of an image. */
export class LayeredView implements NameView {
  readonly #top: number;
  readonly #layers = new Map<number, AppliedLayer>();

  constructor(top: number) {
    this.#top = top;
  }

  /** Adds a layer. @throws LAYER_INVALID */
  *add(number: number, index: LayerIndex): Steps<void> {
    const stack = yield* stackSteps(new Map([[number, index]]));
    const tree = new Tree(stack.table, stack.list, number === 1 ? 'nothing' : 'unknown');
    tree.apply(stack.layers.get(number) ?? []);
    this.#layers.set(number, { index, stack, tree });
  }

  /** Returns the indexes of the layers that were added. */
  get indexes(): ReadonlyMap<number, LayerIndex> {
    return new Map([...this.#layers].map(([number, { index }]) => [number, index]));
  }

  kind(path: Path): NodeKind | null {
    return this.find(path)?.kind ?? null;
  }

  target(path: Path): ByteString | null {
    const found = this.find(path);
    if (found?.kind !== 'symlink') return null;
    return this.#layers.get(found.layer)?.index.symlinks.get(found.entry) ?? null;
  }

  /** Finds what stands at a path in layers up to one; null for nothing. @throws NeedsLayer, LAYER_INVALID */
  find(path: Path, from: number = this.#top): Standing | null {
    for (let number = from; number >= 1; number--) {
      const layer = this.#layers.get(number);
      if (layer === undefined) throw new NeedsLayer(number);
      const { stack, tree } = layer;
      const id = stack.table.findId(path);
      if (id !== null && tree.node[id] !== 0) return this.#standing(layer, number, id);
      if (hides(layer, path, id)) return null;
    }
    return path === '' ? { kind: 'directory', layer: 0, entry: -1 } : null;
  }

  #standing({ stack, tree }: AppliedLayer, number: number, id: number): Standing {
    if (tree.isDirectory(id)) return { kind: 'directory', layer: number, entry: tree.at(id)?.entry ?? -1 };
    const file = tree.file[id] as number;
    if (file > 0) {
      const { kind, entry } = stack.list.get(file - 1);
      return { kind: kind as NodeKind, layer: number, entry };
    }
    // A hard link to a file of the layers below.
    const target = stack.table.paths[-file - 1] as Path;
    const found = this.find(target, number - 1);
    if (found !== null && found.kind !== 'directory') return found;
    const own = stack.table.paths[id] as Path;
    throw new OcislimError(
      'LAYER_INVALID',
      `the hard link ${quotePath(own)} in layer ${number} points at ${quotePath(target)}, which is not a file there`,
      { advice: 'The image is damaged: no program can unpack it. Rebuild it.' },
    );
  }
}

/** Whether a layer hides what layers below have at a path that it does not have itself. */
function hides({ stack, tree }: AppliedLayer, path: Path, id: number | null): boolean {
  if (id !== null && tree.hidesAt(id)) return true;
  for (let above = path; above !== ''; ) {
    above = parentOf(above);
    const at = stack.table.findId(above);
    if (at === null) continue;
    if (tree.hidesChildrenAt(at)) return true;
    if (tree.node[at] !== 0 && !tree.isDirectory(at)) return true;
  }
  return false;
}
