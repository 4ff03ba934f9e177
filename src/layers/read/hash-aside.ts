/**
 * Reads a plain layer that lies in a file of this machine while a thread hashes it: the thread hands the bytes back in shared memory as it
 * goes on. The layer reader calls it for scans that work on the contents meanwhile.
 */
import type { UnpackThreads } from '../../codec/unpack/threads.ts';
import { readRange } from '../../files/file-bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { algorithmOf } from '../../oci/digest.ts';
import type { FileRange } from '../../place/place.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { tally } from '../../stream/seal.ts';
import { checkDiffId, checkDigest, checkSize } from '../../stream/verify.ts';

export interface HashingAside {
  readonly hashers: UnpackThreads;
  readonly expected: Descriptor;
  /** Whether the digest is that of the config: an archive without digests of blobs contradicts its config where the bytes are others. */
  readonly isDiffId: boolean;
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Streams a file, and compares its size and digest with those that are expected at its end. Chunks are lent: each is valid until the next
 * one is asked for. Closes the file. @throws SIZE_MISMATCH, DIGEST_MISMATCH, DIFFID_MISMATCH, IO
 */
export async function* hashAside(
  file: FileRange,
  { hashers, expected, isDiffId, onBytes, signal }: HashingAside,
): ByteStream {
  await using range = file;
  const { digest, size } = expected;
  const what = 'the blob';
  checkSize(range.size, size, what);
  const bytes = tally(readRange(range.handle, range.offset, size, signal), onBytes);
  const hashing = hashers.open(bytes, { compression: 'none', hash: algorithmOf(digest), signal });
  let read = 0;
  try {
    for await (const chunk of hashing.chunks(true)) {
      read += chunk.length;
      yield chunk;
    }
    // The file may have become shorter meanwhile.
    checkSize(read, size, what);
    if (isDiffId) checkDiffId(hashing.digest(), digest, what);
    else checkDigest(hashing.digest(), digest, what);
  } finally {
    await hashing.close();
  }
}
