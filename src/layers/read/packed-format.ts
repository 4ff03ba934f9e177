/**
 * Recognises the format of a layer blob by its first bytes. The layer reader passes every blob through here before it unpacks it.
 */
import { detect } from '../../codec/detect.ts';
import { OcislimError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Compression } from '../../oci/media-type.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';

/** The bytes of a layer have another format than was expected: open it again, as what it is. */
export class Mistyped extends Error {
  readonly actual: Compression;

  constructor(actual: Compression) {
    super(`the layer is ${actual}`);
    this.actual = actual;
  }
}

/**
 * Passes packed bytes through, whose first bytes must have the expected format. What is in the bytes counts, and not the media
 * type: other programs read layers so.
 * @param mayBePlain whether the blob may be a plain tar: its digest then is the DiffID
 * @throws Mistyped before the first byte, MEDIA_TYPE for bytes that are neither packed as is known nor the tar
 */
export async function* checkFormat(
  stream: ByteStream,
  expected: Compression,
  mayBePlain: boolean,
): ByteStream {
  let head: Uint8Array | null = new Uint8Array(0);
  for await (const chunk of stream) {
    if (head !== null && head.length < 4) {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < 4) continue;
      judge(head, expected, mayBePlain);
      yield head;
      head = null;
    } else {
      yield chunk;
    }
  }
  if (head !== null) {
    judge(head, expected, mayBePlain);
    yield head;
  }
}

function judge(head: Uint8Array, expected: Compression, mayBePlain: boolean): void {
  const actual = detect(head);
  if (actual === expected || actual === 'empty') return;
  if (actual !== 'none' || mayBePlain) throw new Mistyped(actual);
  throw new OcislimError(
    'MEDIA_TYPE',
    `the media type says ${expected}, but the bytes are neither gzip nor zstd, and not the tar of the DiffID`,
    { advice: 'The image was put together wrongly; build or push it again.' },
  );
}

/** Makes the error for a layer that ocislim cannot unpack: UNSUPPORTED. */
export function unreadable(descriptor: Descriptor, kind: 'foreign' | 'unknown'): OcislimError {
  const what =
    kind === 'foreign'
      ? 'a non-distributable layer, whose bytes are not in the registry'
      : `of the media type ${JSON.stringify(descriptor.mediaType)}, which ocislim cannot read`;
  const others =
    'Squash or recompress other layers (--layers); to prune, ocislim must read every layer. The config can be edited, and a layer added at the root, without reading any.';
  const isEncrypted = descriptor.mediaType.endsWith('+encrypted');
  return new OcislimError('UNSUPPORTED', `it is ${what}`, {
    advice: isEncrypted ? `Decrypt it first: skopeo copy --decryption-key KEY. Or: ${others}` : others,
  });
}
