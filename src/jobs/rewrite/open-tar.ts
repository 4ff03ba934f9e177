import { BlockReader, type BlockSource } from '../../codec/block.ts';
import type { Image } from '../../image/image.ts';
import { editTar } from '../../layers/edit/edit-tar.ts';
import type { LayerReader } from '../../layers/read/layer-reader.ts';
import type { ResolvedContent } from '../../slim/resolve/resolve.ts';

/** What reads the layers of a tar to try, and what hears of it. */
export interface TarReading {
  readonly reader: LayerReader;
  readonly signal: AbortSignal;
  readonly onBytes: (count: number) => void;
}

/**
 * Opens the tar that a layer will hold, to try how it packs. The order of its data makes little difference there and costs a
 * spool, so it is ignored.
 */
export function openTar(
  image: Image,
  content: ResolvedContent,
  { reader, signal, onBytes }: TarReading,
): BlockSource {
  if (content.kind === 'stored') return reader.blocks(image, content.layer, signal, onBytes).blocks;
  if (content.kind === 'added')
    return new BlockReader(reader.added.open(content, { signal, onBytes }).stream);
  const edit = { ...content.edit, order: null };
  return new BlockReader(editTar(edit, (layer) => reader.tar(image, layer, signal, { onBytes, lent: true })));
}
