/**
 * Copies of blobs from any source into a repository. The registry's target copies what it could not mount.
 */
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Source } from '../../place/place.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { tally } from '../../stream/seal.ts';
import type { HttpAnswer } from '../http/transport.ts';
import { blobName } from '../repository.ts';
import { takeBlob } from './take.ts';
import type { Uploader } from './uploader.ts';

/** A blob to be copied into a repository. */
export interface BlobCopy {
  readonly descriptor: Descriptor;
  readonly source: Source;
  /** The answer that offers an upload session, if there is one. */
  readonly offered: HttpAnswer | null;
  /** Told of bytes that are read for the first time. */
  readonly onBytes: (count: number) => void;
}

/** Copies the bytes of a blob as they are; the source verifies them. An upload that is lost on the way starts over. */
export async function copyBlob(
  uploader: Uploader,
  { descriptor, source, offered, onBytes }: BlobCopy,
  signal: AbortSignal,
): Promise<void> {
  const { digest, size } = descriptor;
  const name = blobName(digest);
  const count = countOnce(onBytes);
  const open = (): ByteStream => tally(source.blob(descriptor, signal), count());
  let answer = offered;
  await uploader.retries().run(signal, async () => {
    const offer = answer;
    answer = null;
    if (uploader.streams(size)) {
      if (await uploader.pass(open(), descriptor, signal, offer)) return;
      await takeAndUpload(null);
    } else await takeAndUpload(offer);
  });

  async function takeAndUpload(offer: HttpAnswer | null): Promise<void> {
    const session = offer === null ? null : await uploader.session(offer, signal, name);
    const taken = await takeBlob(uploader, open(), signal, { session, name });
    try {
      await taken.upload(digest, size, signal);
    } catch (error) {
      await taken.abort();
      throw error;
    }
  }
}

/** Returns a maker of counters, one for each reading: bytes that are read again are not reported again. */
function countOnce(onBytes: (count: number) => void): () => (count: number) => void {
  let reported = 0;
  return () => {
    let read = 0;
    return (count) => {
      read += count;
      if (read <= reported) return;
      onBytes(read - reported);
      reported = read;
    };
  };
}
