import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Compression, layerKind } from '../../oci/media-type.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';
import { Mistyped } from './packed-format.ts';

/** The formats of blobs: what their media types state, until their first bytes show another one. */
export class BlobFormats {
  readonly #actual = new Map<Digest, Compression>();

  /** Returns the format of a blob, as far as it is known; null for a media type that cannot be read. */
  of({ digest, mediaType }: Descriptor): Compression | null {
    const kind = layerKind(mediaType);
    return kind.kind === 'layer' ? (this.#actual.get(digest) ?? kind.compression) : null;
  }

  /** Returns whether a blob that was opened has another format than its media type states. */
  isMistyped({ digest, mediaType }: Descriptor): boolean {
    const kind = layerKind(mediaType);
    const actual = this.#actual.get(digest);
    return actual !== undefined && kind.kind === 'layer' && actual !== kind.compression;
  }

  /** Notes the actual format where a stream of packed bytes ends in `Mistyped`, and passes everything on. */
  async *noting(digest: Digest, stream: ByteStream): ByteStream {
    try {
      yield* stream;
    } catch (error) {
      if (error instanceof Mistyped) this.#actual.set(digest, error.actual);
      throw error;
    }
  }
}
