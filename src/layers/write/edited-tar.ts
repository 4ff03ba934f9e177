import type { PackedEncoding } from '../../codec/encoding.ts';
import type { Image } from '../../image/image.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { sealing } from '../../stream/seal.ts';
import type { EditedContent } from './content-sources.ts';
import { labelOf } from './content-sources.ts';
import type { LayerInput } from './layer-input.ts';
import { formatSize } from '../../units.ts';
import type { Writing } from './writing.ts';

/** An edited layer, and how its tar will be packed. */
export interface EditedLayer {
  readonly image: Image;
  readonly content: EditedContent;
  readonly encoding: PackedEncoding;
  readonly signal: AbortSignal;
}

/**
 * Returns what opens the tar of an edited layer, from the start on every call. Warns of SCRATCH_SHORT where the sources are
 * read several times, since there is little room to put the data in order.
 */
export async function openerOf(
  { reader, listener, room }: Writing,
  { image, content, encoding, signal }: EditedLayer,
): Promise<(onBytes: (count: number) => void) => LayerInput> {
  // Loaded where layers are made: a copy makes none.
  const { editTar } = await import('../edit/edit-tar.ts');
  const { edit } = content;
  const spooling = {
    open: (wanted: number) => room.open(wanted, signal),
    onReadings: (readings: number, wanted: number, capacity: number) =>
      listener({
        type: 'warning',
        code: 'SCRATCH_SHORT',
        message: `${labelOf(content)}: read ${readings} times to put ${formatSize(wanted)} in order, since there is room for ${formatSize(capacity)} (--max-scratch)`,
      }),
  };
  // Encoders copy what they get into their blocks at once; a spool does not.
  const lent = encoding.kind !== 'none' && edit.order === null;
  return (onBytes) =>
    hashed(editTar(edit, (layer) => reader.tar(image, layer, signal, { onBytes, lent }), spooling));
}

/** Hashes a tar as it passes. */
export function hashed(stream: ByteStream): LayerInput {
  return { kind: 'stream', ...sealing(stream) };
}
