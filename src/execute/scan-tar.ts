import { type LayerIndex, LayerIndexBuilder } from '../changeset/layer-index.ts';
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { collect } from '../stream/collect.ts';
import { checkGlobal } from '../tar/head.ts';
import { TarReader } from '../tar/reader.ts';

/** More entries than this are refused: a name takes memory until the end of the run. */
export const maxEntries = 10_000_000;

/** Reads the headers of a layer's tar, and the stream to its end. @throws TAR_INVALID, LAYER_INVALID, LIMIT */
export async function scanTar(stream: ByteStream): Promise<LayerIndex> {
  const reader = new TarReader(stream);
  const builder = new LayerIndexBuilder();
  try {
    let count = 0;
    for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
      if (++count > maxEntries)
        throw new OcislimError('LIMIT', `a layer has more than ${maxEntries} entries`);
      if (entry.kind === 'global')
        checkGlobal(
          (await collect(reader.body(), 2 * 1024 * 1024, 'a global tar header')).subarray(0, entry.size),
        );
      builder.add(entry);
    }
  } catch (error) {
    await reader.cancel();
    throw error;
  }
  return builder.finish(reader.offset, reader.end);
}
