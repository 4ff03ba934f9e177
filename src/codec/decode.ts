import { OcislimError } from '../errors.ts';
import { defaultLimits } from '../limits.ts';
import type { Compression } from '../oci/media-type.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { type DecoderOptions, formats } from './formats.ts';
import type { NativeEngine } from './native.ts';

export interface DecodeOptions {
  readonly signal: AbortSignal;
  /** The most unpacked bytes: the guard against decompression bombs. Default: no bound. */
  readonly maxBytes?: number;
  /** The largest window that a zstd frame may ask for. Default: that of `defaultLimits`. */
  readonly maxWindow?: number;
  /** The native engine, for gzip. Default: the engines of Node. */
  readonly native?: NativeEngine | null;
}

/**
 * Unpacks a stream. Memory stays bounded whatever the input claims, and every byte of the input is accounted for: all
 * gzip members and all zstd frames are read, their checksums hold, and nothing is cut off or follows. Bytes may have been
 * given out before such an error, so act on nothing before the end of the stream.
 * @throws CODEC for damaged, truncated or empty input and for stray bytes, LIMIT beyond `maxBytes`
 */
export function decode(stream: ByteStream, compression: Compression, options: DecodeOptions): ByteStream {
  const { signal, maxWindow = defaultLimits['window-bytes'], native = null } = options;
  const unpacked = unpack(stream, compression, { signal, maxWindow, native });
  return options.maxBytes === undefined ? unpacked : limit(unpacked, options.maxBytes);
}

async function* unpack(stream: ByteStream, compression: Compression, options: DecoderOptions): ByteStream {
  const decoder = await formats[compression].decoder();
  yield* decoder(stream, options);
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
