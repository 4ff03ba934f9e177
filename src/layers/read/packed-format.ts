/**
 * Checks that a layer blob has the format that its media type states. The layer reader passes every blob through here before
 * it unpacks it.
 */
import { detect } from '../../codec/detect.ts';
import { OcislimError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Compression } from '../../oci/media-type.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';

/** Passes packed bytes through, whose first bytes must have the format that the media type states. @throws MEDIA_TYPE */
export async function* checkCompression(stream: ByteStream, stated: Compression): ByteStream {
  // Four bytes suffice: the magic number of zstd (RFC 8878, 3.1.1); that of gzip has two (RFC 1952, 2.3.1).
  let head: Uint8Array | null = new Uint8Array(0);
  for await (const chunk of stream) {
    if (head !== null && head.length < 4) {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < 4) continue;
      checkHead(head, stated);
      yield head;
      head = null;
    } else {
      yield chunk;
    }
  }
  if (head !== null) {
    checkHead(head, stated);
    yield head;
  }
}

function checkHead(head: Uint8Array, stated: Compression): void {
  const actual = detect(head);
  // An empty blob is left to its decoder, which knows whether the format permits it.
  if (actual === stated || actual === 'empty') return;
  throw new OcislimError(
    'MEDIA_TYPE',
    `the media type says ${name(stated)}, but the bytes are ${name(actual)}`,
    {
      advice: 'The image was put together wrongly; build or push it again.',
    },
  );
}

function name(compression: Compression): string {
  return compression === 'none' ? 'an uncompressed tar' : compression;
}

/** Makes the error for a layer that ocislim cannot unpack: UNSUPPORTED. */
export function unreadable(descriptor: Descriptor, kind: 'foreign' | 'unknown'): OcislimError {
  const what =
    kind === 'foreign'
      ? 'a non-distributable layer, whose bytes are not in the registry'
      : `of the media type ${JSON.stringify(descriptor.mediaType)}, which ocislim cannot read`;
  return new OcislimError('UNSUPPORTED', `it is ${what}`, {
    advice: 'Squash or recompress other layers (--layers); to prune, ocislim must read every layer.',
  });
}
