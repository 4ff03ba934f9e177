/**
 * Unpacks gzip with Node's decoder, and closes its gaps: silent zeros at the end, and an empty input. `decode.ts` loads it for the
 * format gzip.
 */
import { createGunzip } from 'node:zlib';
import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import { coalesce } from '../stream/coalesce.ts';
import type { DecoderOptions } from './formats.ts';
import { decoderBuffers, runDecoder } from './native-decoder.ts';

/**
 * Unpacks all members of a gzip stream (RFC 1952 section 2.2), empty ones included. Node's decoder reads them one after another,
 * but takes zeros after a member for the end without an error, and an empty input for an empty output.
 * @throws CODEC
 */
export async function* gunzip(stream: ByteStream, { signal }: DecoderOptions): ByteStream {
  let empty = true;
  async function* counted(): ByteStream {
    for await (const chunk of coalesce(stream)) {
      empty &&= chunk.length === 0;
      yield chunk;
    }
    if (empty) throw new OcislimError('CODEC', 'the gzip stream is empty');
  }
  try {
    yield* runDecoder(createGunzip(decoderBuffers), counted(), signal, throwStray);
  } catch (error) {
    throw asCodecError(error);
  }
}

function throwStray(): never {
  throw new OcislimError(
    'CODEC',
    'the gzip stream goes on after its last member: stray zeros or other bytes',
  );
}

/** Translates an error of zlib; others stay as they are. */
function asCodecError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  switch (error.code) {
    case 'Z_BUF_ERROR':
      return new OcislimError('CODEC', 'the gzip stream is cut off', { cause: error });
    case 'Z_DATA_ERROR':
    case 'Z_NEED_DICT':
    case 'Z_STREAM_ERROR':
      return new OcislimError('CODEC', `the gzip stream is damaged: ${reason(error.message)}`, {
        cause: error,
      });
    case 'Z_MEM_ERROR':
      return new OcislimError('CODEC', 'not enough memory to unpack the gzip stream', { cause: error });
    default:
      return error;
  }
}

/** Completes zlib's own words for a reader who does not know them. */
function reason(message: string): string {
  switch (message) {
    case 'incorrect header check':
      return 'a member does not start with a gzip header';
    case 'incorrect data check':
      return 'the checksum (CRC-32) of a member does not match its bytes';
    case 'incorrect length check':
      return 'the length stated by a member does not match its bytes';
    default:
      return message;
  }
}
