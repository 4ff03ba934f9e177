/**
 * Puts the layers of two images side by side, and says in which aspects those that differ do so: their entries, the order of these,
 * how heads are written. `diff.ts` calls it with what was read of the layers.
 */
import { align } from '../../analyze/diff/align.ts';
import type { DiffedLayer, LayerPair, MemberChange } from '../../analyze/diff/image-diff.ts';
import type { AspectTally } from '../../analyze/diff/verdict.ts';
import { type Image, layerOf } from '../../image/image.ts';
import type { DigestedLayer } from '../../layers/read/digest-tar.ts';
import { familyOf, layerKind } from '../../oci/media-type.ts';
import type { JsonObject } from '../../oci/json.ts';
import { compareMembers, without } from './compare-members.ts';
import { hiderOf } from './hidden-values.ts';

/** A pair of layers by number, from 1; null where one side has none. */
export interface PairedLayers {
  readonly a: number | null;
  readonly b: number | null;
}

/** Pairs the layers of two images: those with the same DiffID in their common order, the others by position. */
export function pairLayers(a: Image, b: Image): readonly PairedLayers[] {
  return align(a.config.diffIds, b.config.diffIds).map(([i, j]) => ({
    a: i === null ? null : i + 1,
    b: j === null ? null : j + 1,
  }));
}

/** Says how two paired layers relate, and in which aspects they differ that their entries do not show. */
export function relate(a: Image, b: Image, pair: PairedLayers): Pick<LayerPair, 'relation' | 'aspects'> {
  if (pair.a === null) return { relation: 'added', aspects: ['layers'] };
  if (pair.b === null) return { relation: 'removed', aspects: ['layers'] };
  const [was, is] = [layerOf(a, pair.a), layerOf(b, pair.b)];
  if (was.descriptor.digest === is.descriptor.digest) return { relation: 'same', aspects: [] };
  const isSame = was.diffId === is.diffId;
  const isPacked = isSame || isOtherPacking(was.descriptor.mediaType, is.descriptor.mediaType);
  return { relation: isSame ? 'repacked' : 'changed', aspects: isPacked ? ['compression'] : [] };
}

/** Lists the members of the descriptors of two layers that differ, except digest and size. */
export function diffDescriptors(
  a: Image,
  b: Image,
  pair: PairedLayers,
  tally: AspectTally,
): readonly MemberChange[] {
  if (pair.a === null || pair.b === null) return [];
  const [was, is] = [layerOf(a, pair.a).descriptor, layerOf(b, pair.b).descriptor];
  const plain = (json: JsonObject) => without(json, ['digest', 'size', 'data']);
  return [...compareMembers(`layers.${pair.b}`, plain(was.json), plain(is.json))]
    .map(
      (found) =>
        ({ ...found, aspect: found.member.endsWith('.mediaType') ? 'mediatype' : 'annotations' }) as const,
    )
    .filter(({ aspect }) => aspect !== 'mediatype' || !isOtherPacking(was.mediaType, is.mediaType))
    .filter(({ aspect }) => tally.note(aspect));
}

/** Returns whether two media types are of one family and differ in their compression. */
function isOtherPacking(a: string, b: string): boolean {
  const [was, is] = [layerKind(a), layerKind(b)];
  return a !== b && was.kind === 'layer' && is.kind === 'layer' && familyOf(a) === familyOf(b);
}

/** Describes one layer of an image. `digested` is what was read of it. */
export function describeLayer(image: Image, number: number, digested: DigestedLayer | null): DiffedLayer {
  const { descriptor, diffId } = layerOf(image, number);
  return {
    number,
    digest: descriptor.digest,
    diffId,
    mediaType: descriptor.mediaType,
    transferBytes: descriptor.size,
    tarBytes: digested?.index.tarBytes ?? null,
    instruction: instructionOf(image, number),
  };
}

/** Returns `created_by` of the history row of a layer, secrets hidden; null where the rows do not fit the layers. */
function instructionOf({ config, manifest }: Image, number: number): string | null {
  const rows = config.history.filter(({ emptyLayer }) => !emptyLayer);
  const instruction = rows.length === manifest.layers.length ? rows[number - 1]?.createdBy : null;
  return instruction == null ? null : hiderOf([config])(instruction);
}
