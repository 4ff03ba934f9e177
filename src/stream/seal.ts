import { type Digest, hasher } from '../oci/digest.ts';
import type { ByteStream } from './byte-stream.ts';

export interface Seal {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** A pass-through that knows digest and size of what went through it, once that has ended. */
export interface Sealing {
  readonly stream: ByteStream;
  /** Throws a plain Error when asked before the stream has ended: a digest not known yet is not representable. */
  readonly seal: () => Seal;
}

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
 * A stream that is verified where it comes from (`verify`, `Source.blob`): it ends well only if its bytes are what
 * `seal` says, so nobody need compute that again.
 */
export function sealedAs(stream: ByteStream, { digest, size }: Seal): Sealing {
  return { stream, seal: () => ({ digest, size }) };
}

/** Tells how many bytes went through, chunk by chunk. */
export async function* tally(stream: ByteStream, onBytes: (count: number) => void): ByteStream {
  for await (const chunk of stream) {
    onBytes(chunk.length);
    yield chunk;
  }
}
