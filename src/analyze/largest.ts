/** Finds the largest files and directories that a container sees. `analysisSteps` calls it. */
import type { Path } from '../bytes/path.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import type { SizedPath } from './analysis.ts';
import type { LayeredImage } from './entries.ts';

/** The visible bytes of an image, each inode once, at the first of its names. */
export interface VisibleSizes {
  /** By path number: bytes and regular files at and below it. */
  readonly bytes: Float64Array;
  readonly files: Float64Array;
  /** By path number: the layer that carries everything below; 0 for nothing, -1 for several. */
  readonly layers: Int32Array;
  /** By path number: 1 where a regular file counts, which is the first name of its inode. */
  readonly isFile: Uint8Array;
  readonly directories: number;
}

/** Adds up what is visible at and below every path. */
export function* visibleSizeSteps({ stack, indexes, fates }: LayeredImage): Steps<VisibleSizes> {
  const { tree } = fates;
  const { parent } = stack.table;
  const size = tree.node.length;
  const [bytes, files] = [new Float64Array(size), new Float64Array(size)];
  const layers = new Int32Array(size);
  const isFile = new Uint8Array(size);
  const seen = new Uint8Array(tree.file.reduce((most, file) => Math.max(most, file), 0) + 1);
  let directories = 0;
  for (let id = 1; id < size; id++) {
    if (id % itemsPerStep === 0) yield;
    if (tree.node[id] === 0) continue;
    if (tree.isDirectory(id)) directories++;
    const file = tree.file[id] as number;
    if (file <= 0 || seen[file] === 1) continue;
    seen[file] = 1;
    const { kind, layer, entry } = stack.list.get(file - 1);
    if (kind !== 'file') continue;
    bytes[id] = indexes.get(layer)?.sizes[entry] ?? 0;
    files[id] = 1;
    isFile[id] = 1;
    layers[id] = layer;
  }
  // From the last to the first, so that a directory is complete before it counts in its own.
  for (let id = size - 1; id > 0; id--) {
    if (id % itemsPerStep === 0) yield;
    if (files[id] === 0) continue;
    const above = parent[id] as number;
    bytes[above] = (bytes[above] as number) + (bytes[id] as number);
    files[above] = (files[above] as number) + (files[id] as number);
    const [own, others] = [layers[id] as number, layers[above] as number];
    layers[above] = others === 0 || others === own ? own : -1;
  }
  return { bytes, files, layers, isFile, directories };
}

/** The share of a directory's bytes that a single directory in it must hold for it to be named in its place. */
const nearlyAll = 0.9;

/** The paths to be told of: how many, and the bytes below which nothing is worth a line. */
export interface Largest {
  readonly count: number;
  readonly leastBytes: number;
}

/** Finds the largest visible files, largest first. */
export function* largestFileSteps(
  image: LayeredImage,
  sizes: VisibleSizes,
  largest: Largest,
): Steps<readonly SizedPath[]> {
  const best = new Best(image, sizes, largest);
  for (let id = 1; id < sizes.bytes.length; id++) {
    if (id % itemsPerStep === 0) yield;
    if (sizes.isFile[id] === 1) best.offer(id);
  }
  return best.list();
}

/** Finds the largest directories, largest first. One that holds little but a single directory is left out: that one is named. */
export function* largestDirectorySteps(
  image: LayeredImage,
  sizes: VisibleSizes,
  largest: Largest,
): Steps<readonly SizedPath[]> {
  const { parent } = image.stack.table;
  const { tree } = image.fates;
  const { bytes } = sizes;
  /** By path number: the bytes of the largest directory directly in it. */
  const heaviest = new Float64Array(bytes.length);
  for (let id = 1; id < bytes.length; id++) {
    if (id % itemsPerStep === 0) yield;
    const above = parent[id] as number;
    if (tree.isDirectory(id) && (bytes[id] as number) > (heaviest[above] as number))
      heaviest[above] = bytes[id] as number;
  }
  const best = new Best(image, sizes, largest);
  for (let id = 1; id < bytes.length; id++) {
    if (id % itemsPerStep === 0) yield;
    if (tree.isDirectory(id) && (heaviest[id] as number) < nearlyAll * (bytes[id] as number)) best.offer(id);
  }
  return best.list();
}

/** Keeps the largest of many paths. */
class Best {
  readonly #image: LayeredImage;
  readonly #sizes: VisibleSizes;
  readonly #largest: Largest;
  #ids: number[] = [];
  /** What a path must have to be among them. */
  #least: number;

  constructor(image: LayeredImage, sizes: VisibleSizes, largest: Largest) {
    this.#image = image;
    this.#sizes = sizes;
    this.#largest = largest;
    this.#least = Math.max(largest.leastBytes, 1);
  }

  offer(id: number): void {
    if ((this.#sizes.bytes[id] as number) < this.#least) return;
    this.#ids.push(id);
    // Sorted now and then: each time the list has grown to twice what is wanted.
    if (this.#ids.length >= 2 * this.#largest.count + 64) this.#cut();
  }

  #cut(): void {
    const { bytes } = this.#sizes;
    this.#ids.sort((a, b) => (bytes[b] as number) - (bytes[a] as number) || a - b);
    this.#ids.length = Math.min(this.#ids.length, this.#largest.count);
    const last = this.#ids[this.#largest.count - 1];
    if (last !== undefined) this.#least = Math.max(this.#least, bytes[last] as number);
  }

  list(): readonly SizedPath[] {
    this.#cut();
    const { bytes, files, layers } = this.#sizes;
    return this.#ids.map((id) => ({
      path: this.#image.stack.table.paths[id] as Path,
      bytes: bytes[id] as number,
      files: files[id] as number,
      layer: (layers[id] as number) > 0 ? (layers[id] as number) : null,
    }));
  }
}
