/**
 * Reads the contents of a few files of a layer, in one more reading of its blob, to its end, so that it is verified again. The
 * comparison of images calls it for files whose contents are shown.
 */
import type { ByteStream } from '../../stream/byte-stream.ts';
import { TarReader } from '../../tar/reader.ts';

/**
 * Returns the stored bodies of some entries of a tar, by entry. @throws TAR_INVALID, and what the stream throws
 */
export async function readContents(
  tar: ByteStream,
  wanted: ReadonlySet<number>,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const reader = new TarReader(tar);
  const found = new Map<number, Uint8Array>();
  try {
    let number = 0;
    for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
      if (wanted.has(number)) found.set(number, await bodyOf(reader, entry.size));
      number++;
    }
  } catch (error) {
    await reader.cancel();
    throw error;
  }
  return found;
}

async function bodyOf(reader: TarReader, size: number): Promise<Uint8Array> {
  const body = new Uint8Array(size);
  let filled = 0;
  for (let chunk = await reader.takeBody(); chunk !== null; chunk = await reader.takeBody()) {
    const part = chunk.subarray(0, size - filled);
    body.set(part, filled);
    filled += part.length;
  }
  return body;
}
