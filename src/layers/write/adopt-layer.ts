import { at } from '../../errors.ts';
import { task } from '../../events.ts';
import { type Image, layerOf } from '../../image/image.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { layerKind } from '../../oci/media-type.ts';
import type { UnchangedLayer } from './sealed-layer.ts';
import type { Writing } from './writing.ts';

/** Brings the blob of a source layer to the target as it is, without unpacking it. @throws what places throw, with the layer */
export async function adoptLayer(
  { source, target, reader, listener }: Writing,
  image: Image,
  number: number,
  signal: AbortSignal,
): Promise<UnchangedLayer> {
  const { descriptor, diffId } = layerOf(image, number);
  const { digest, size } = descriptor;
  const format = reader.formatOf(descriptor);
  const facts = { kind: 'unchanged', blob: { digest, size }, diffId, format, rejected: null } as const;
  if (isElsewhere(descriptor)) return { ...facts, adoption: 'present' };
  const label = `layer ${number}`;
  using copying = task(listener, { id: `copy ${digest}`, phase: 'copy', label, total: size });
  try {
    const adoption = await target.adopt(descriptor, source, signal, copying.advance);
    copying.end(adoption === 'present' ? 'already there' : adoption);
    return { ...facts, adoption };
  } catch (error) {
    throw at(label, error);
  }
}

/**
 * Returns whether a layer lies at an address of its own (image-spec layer.md, "Non-Distributable Layers"). Clients fetch such a
 * layer from that address; the source's registry need not have it, and it is not uploaded.
 */
export function isElsewhere({ mediaType, json }: Descriptor): boolean {
  const urls = json['urls'];
  return layerKind(mediaType).kind === 'foreign' && Array.isArray(urls) && urls.length > 0;
}
