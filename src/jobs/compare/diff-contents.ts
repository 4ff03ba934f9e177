/**
 * Sums up what whole images hold, for the comparison of two: paths, bytes, packages, and the contents that are new to a client. `diff.ts`
 * calls it with the layers that were read.
 */
import type { DiffedContents } from '../../analyze/diff/image-diff.ts';
import type { NewContents } from '../../analyze/diff/downloads.ts';
import type { SizedPackage } from '../../analyze/diff/packages.ts';
import type { DigestedLayer } from '../../layers/read/digest-tar.ts';
import { mergeFacts } from '../../rootfs/facts/merged-facts.ts';
import { componentsOf } from '../../rootfs/packages/component-index.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';
import type { Rootfs } from './rootfs.ts';

/** Reads the packages of an image, with the bytes of their files. */
export function* packageSteps(
  rootfs: Rootfs,
  layers: readonly DigestedLayer[],
): Steps<readonly SizedPackage[]> {
  const fs = rootfs.filesystem();
  yield;
  const facts = mergeFacts(fs, new Map(layers.map((layer, i) => [i + 1, layer.facts])));
  const sized: SizedPackage[] = [];
  let seen = 0;
  for (const { kind, name, version, files } of componentsOf({ fs, facts }).components) {
    let bytes = 0;
    for (const file of files) {
      bytes += fs.size(file);
      if (++seen % itemsPerStep === 0) yield;
    }
    sized.push({ kind, name, version, bytes });
  }
  return sized;
}

/** Counts what a container sees. */
export function* contentsSteps(rootfs: Rootfs, packages: number): Steps<DiffedContents> {
  const { node, file } = rootfs.tree;
  const counted = new Set<number>();
  let [paths, bytes] = [0, 0];
  for (let id = 1; id < node.length; id++) {
    if (id % itemsPerStep === 0) yield;
    if (node[id] === 0) continue;
    paths++;
    const length = rootfs.lengthOf(id);
    if (length === 0 || counted.has(file[id] as number)) continue;
    counted.add(file[id] as number);
    bytes += length;
  }
  return { paths, bytes, packages };
}

/** Finds, for each layer of B, how much of its contents neither A nor a lower layer of B has. */
export function* newContentsSteps(
  a: readonly DigestedLayer[],
  b: readonly DigestedLayer[],
): Steps<readonly NewContents[]> {
  const known = new Set<string>();
  for (const layer of a) yield* takeContents(layer, known);
  const found: NewContents[] = [];
  for (const layer of b) found.push(yield* takeContents(layer, known));
  return found;
}

function* takeContents({ index, traits }: DigestedLayer, known: Set<string>): Steps<NewContents> {
  let [newBytes, allBytes] = [0, 0];
  for (let entry = 0; entry < index.kinds.length; entry++) {
    if (entry % itemsPerStep === itemsPerStep - 1) yield;
    if (index.kinds[entry] !== 'file') continue;
    const size = index.sizes[entry] as number;
    const content = traits.contentKey(entry);
    allBytes += size;
    if (known.has(content)) continue;
    known.add(content);
    newBytes += size;
  }
  return { newBytes, allBytes };
}
