/**
 * Recipes: texts that name everything that decides about the bytes of a layer. The cache remembers what each recipe made,
 * and the layer writer makes a layer once for all images of a run that have the same recipe.
 */
import { createHash, type Hash } from 'node:crypto';
import { describeEncoder } from '../../codec/describe-encoder.ts';
import type { PackedEncoding } from '../../codec/encoding.ts';
import type { EntryAction, LayerEdit } from '../../changeset/edit.ts';
import { type Image, layerOf } from '../../image/image.ts';
import type { ResolvedContent } from '../../slim/resolve/resolve.ts';

/**
 * Returns the recipe of a layer's tar: the same recipe gives the same tar. It names what the image states of its blobs
 * (digest, size, media type, DiffID), so that what was verified for one statement is not believed of another.
 */
export function recipeOf(image: Image, content: ResolvedContent): string {
  if (content.kind === 'stored') return sourceRecipe(image, content.layer);
  // It names files that may change: for the layers of one run it is enough, the cache takes another one.
  if (content.kind === 'added') return `added ${JSON.stringify([content.addition, content.placement])}`;
  const { before, sources, order, after } = content.edit;
  const hash = createHash('sha256');
  addBlocks(hash, before);
  for (const { layer, actions } of sources) {
    hash.update(`${sourceRecipe(image, layer)} ${actions.size}\n`);
    for (const [entry, action] of actions)
      hash.update(`${entry}${action.kind === 'keep' ? '' : JSON.stringify(named(action))}\n`);
  }
  addBlocks(hash, after);
  if (order !== null) addOrder(hash, order);
  return `edit ${hash.digest('hex')}`;
}

/** Returns the part of a recipe that names the packing. A new version of an encoder may give other bytes, so it counts. */
export function packerOf(encoding: PackedEncoding): string {
  const { name, version, level, blockSize } = describeEncoder(encoding);
  return JSON.stringify([encoding.kind, name, version, level, blockSize]);
}

function sourceRecipe(image: Image, number: number): string {
  const { descriptor, diffId } = layerOf(image, number);
  return `${descriptor.digest} ${descriptor.size} ${descriptor.mediaType} ${diffId}`;
}

/** Returns an action with the digest of new contents in the place of their bytes. */
function named(action: EntryAction): object {
  return action.kind === 'replace' ? { ...action, contents: action.contents.digest } : action;
}

function addBlocks(hash: Hash, blocks: readonly Uint8Array[]): void {
  hash.update(`${blocks.length}\n`);
  for (const block of blocks) hash.update(`${block.length}\n`).update(block);
}

function addOrder(hash: Hash, { layers, entries }: NonNullable<LayerEdit['order']>): void {
  hash.update('in order\n');
  for (const { buffer, byteOffset, byteLength } of [layers, entries])
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
}
