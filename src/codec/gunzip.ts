/**
 * Unpacks gzip with the native engine, or with Node's decoder, whose gaps it closes: silent zeros at the end, and an empty input. Both
 * have the same verdict on any bytes, in the same words. `decode.ts` loads it for the format gzip.
 */
import { createGunzip } from 'node:zlib';
import type { ByteStream } from '../stream/byte-stream.ts';
import { coalesce } from '../stream/coalesce.ts';
import type { DecoderOptions } from './formats.ts';
import { NativeGunzip } from './gunzip-native.ts';
import { asCodecError, gzipError } from './gzip-error.ts';
import { decoderBuffers, runDecoder } from './native-decoder.ts';

/** Unpacks all members of a gzip stream (RFC 1952 section 2.2), empty ones included. @throws CODEC */
export function gunzip(stream: ByteStream, options: DecoderOptions): ByteStream {
  const { native, signal } = options;
  return native === null
    ? gunzipInPool(stream, signal)
    : new NativeGunzip(stream, native, { hash: 'sha256', signal }).chunks();
}

/**
 * Unpacks with Node's decoder, on Node's thread pool. It reads members one after another, but takes zeros after a member for the end
 * without an error, and an empty input for an empty output.
 */
async function* gunzipInPool(stream: ByteStream, signal: AbortSignal): ByteStream {
  let empty = true;
  async function* counted(): ByteStream {
    for await (const chunk of coalesce(stream)) {
      empty &&= chunk.length === 0;
      yield chunk;
    }
    if (empty) throw gzipError('empty');
  }
  try {
    yield* runDecoder(createGunzip(decoderBuffers), counted(), signal, throwStray);
  } catch (error) {
    throw asCodecError(error);
  }
}

function throwStray(): never {
  throw gzipError('stray');
}
