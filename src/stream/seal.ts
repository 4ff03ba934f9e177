import { type Digest, hasher } from '../oci/digest.ts';
import type { ByteStream } from './byte-stream.ts';

/** Digest and length of a stream. */
export interface Seal {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** A stream that knows its digest and length once it has been read to its end. */
export interface Sealing {
  readonly stream: ByteStream;
  /** Returns the seal. Throws a plain Error before the end of the stream, when the digest is unknown. */
  readonly seal: () => Seal;
}

/** Hashes a stream (sha256) and counts its bytes as it passes through. */
export function sealing(stream: ByteStream): Sealing {
  let result: Seal | null = null;
  async function* pass(): ByteStream {
    const hash = hasher();
    let size = 0;
    for await (const chunk of stream) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
    result = { digest: hash.digest(), size };
  }
  return {
    stream: pass(),
    seal() {
      if (result === null) throw new Error('sealed before the end of the stream');
      return result;
    },
  };
}

/**
 * Gives a stream a known seal. The stream must be one that its producer verifies (`verify`, `Source.blob`): it ends without
 * an error only if its bytes have that digest and length, so they are not hashed a second time.
 */
export function sealedAs(stream: ByteStream, { digest, size }: Seal): Sealing {
  return { stream, seal: () => ({ digest, size }) };
}

/** Passes a stream through, and reports the length of each chunk. */
export async function* tally(stream: ByteStream, onBytes: (count: number) => void): ByteStream {
  for await (const chunk of stream) {
    onBytes(chunk.length);
    yield chunk;
  }
}
