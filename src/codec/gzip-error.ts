/**
 * The errors of gzip streams, in the same words for both engines. `gunzip.ts` and `gunzip-native.ts` call it.
 */
import { OcislimError } from '../errors.ts';

/** The errors of both engines beside those of zlib. */
const words = {
  empty: 'the gzip stream is empty',
  short: 'the gzip stream is cut off',
  stray: 'the gzip stream goes on after its last member: stray zeros or other bytes',
} as const;

/** Returns the error for bytes that are not a whole gzip stream. */
export function gzipError(kind: keyof typeof words, cause?: unknown): OcislimError {
  return new OcislimError('CODEC', words[kind], { cause });
}

/** Translates an error of node:zlib; others stay as they are. */
export function asCodecError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  switch (error.code) {
    case 'Z_BUF_ERROR':
      return gzipError('short', error);
    case 'Z_DATA_ERROR':
    case 'Z_NEED_DICT':
    case 'Z_STREAM_ERROR':
      return damaged(error.message, error);
    case 'Z_MEM_ERROR':
      return outOfMemory(error);
    default:
      return error;
  }
}

/** Translates an error of the native engine. */
export function damagedGzip(error: unknown): OcislimError {
  const message = error instanceof Error ? error.message : String(error);
  const [, words] = /^damaged: (.*)$/.exec(message) ?? [];
  if (words !== undefined) return damaged(words, error);
  if (message === 'memory is short') return outOfMemory(error);
  return new OcislimError('INTERNAL', `the native gzip engine failed: ${message}`, {
    cause: error,
    advice: 'Set OCISLIM_NATIVE=0, to do the same without it.',
  });
}

function damaged(words: string, cause: unknown): OcislimError {
  return new OcislimError('CODEC', `the gzip stream is damaged: ${reason(words)}`, { cause });
}

function outOfMemory(cause: unknown): OcislimError {
  return new OcislimError('CODEC', 'not enough memory to unpack the gzip stream', { cause });
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
    // zlib-rs does not say which of them it was where many bytes are at hand.
    case 'invalid literal/length code':
    case 'invalid distance code':
    case 'invalid distance too far back':
    case 'repeated call with bad state':
      return 'its packed bytes hold a code that does not exist, or point back too far';
    default:
      return message;
  }
}
