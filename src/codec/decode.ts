import { OcislimError } from '../errors.ts';
import { defaultLimits } from '../limits.ts';
import type { Compression } from '../oci/media-type.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { gunzip } from './gunzip.ts';
import { passThrough } from './pass-through.ts';
import { unzstd } from './unzstd.ts';

export interface DecodeOptions {
  readonly signal: AbortSignal;
  /** No more than so many unpacked bytes: the guard against decompression bombs. */
  readonly maxBytes?: number;
  /** No zstd frame with a larger window; that of `defaultLimits` unless told. */
  readonly maxWindow?: number;
}

/**
 * The unpacked bytes. Memory stays bounded whatever the input claims, and every byte of the input is accounted for: all
 * gzip members and all zstd frames are read, their checksums hold, and nothing is cut off or follows. Bytes may have been
 * given out before such an error, so act on nothing before the end of the stream.
 * @throws CODEC for damaged, truncated or empty input and for stray bytes, LIMIT beyond `maxBytes`
 */
export function decode(stream: ByteStream, compression: Compression, options: DecodeOptions): ByteStream {
  const unpacked = unpack(stream, compression, options);
  return options.maxBytes === undefined ? unpacked : limit(unpacked, options.maxBytes);
}

function unpack(stream: ByteStream, compression: Compression, options: DecodeOptions): ByteStream {
  const { signal, maxWindow = defaultLimits['window-bytes'] } = options;
  switch (compression) {
    case 'none':
      return passThrough(stream, signal);
    case 'gzip':
      return gunzip(stream, signal);
    case 'zstd':
      return unzstd(stream, maxWindow, signal);
  }
}

async function* limit(stream: ByteStream, maxBytes: number): ByteStream {
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new OcislimError('LIMIT', `the stream unpacks to more than the ${maxBytes} bytes allowed`);
    }
    yield chunk;
  }
}
