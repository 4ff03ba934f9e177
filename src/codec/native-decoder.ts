/**
 * Drives a decoder of `node:zlib` from a stream of bytes, with errors, cancellation and the end of the input in order. The decoders
 * of this room call it.
 */
import type { Transform } from 'node:stream';
import type { ByteStream } from '../stream/byte-stream.ts';
import { release } from './pass-through.ts';
import { KiB } from '../units.ts';

/** Bytes of unpacked chunks. Each costs a hop to the thread pool and back: Node's default of 16 KiB halves the speed. */
export const decodedChunk = 256 * KiB;

/** Options that let a decoder work ahead while the main thread is busy. */
export const decoderBuffers = {
  chunkSize: decodedChunk,
  readableHighWaterMark: 4 * decodedChunk,
  writableHighWaterMark: 4 * decodedChunk,
};

/** A decoder of `node:zlib`, which counts the bytes that it has taken. */
type NativeDecoder = Transform & { readonly bytesWritten: number };

/**
 * Runs the bytes of `source` through one native decoder and destroys it in any case. Errors of the source, of the decoder and of
 * the signal are thrown as they are. `leftover` is called when the decoder stopped before the last byte, and must throw: Node
 * reports no error for that (zeros after a gzip member).
 */
export async function* runDecoder(
  native: NativeDecoder,
  source: ByteStream,
  signal: AbortSignal,
  leftover: () => never,
): ByteStream {
  let wake: () => void = () => {};
  let given = 0;
  let exhausted = false;

  const feed = async () => {
    for await (const chunk of source) {
      if (native.destroyed) return;
      given += chunk.length;
      if (native.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (native.destroyed) return;
    }
    exhausted = true;
    native.end();
  };
  const abort = () => native.destroy(asError(signal.reason));

  native.on('drain', () => wake());
  native.on('close', () => wake());
  signal.addEventListener('abort', abort, { once: true });
  let feeding: Promise<void> = Promise.resolve();
  try {
    if (signal.aborted) abort();
    else feeding = feed().catch((error: unknown) => void native.destroy(asError(error)));
    for await (const chunk of native as AsyncIterable<Uint8Array>) yield chunk;
    if (!exhausted || native.bytesWritten !== given) leftover();
  } catch (error) {
    throw unwrap(error);
  } finally {
    signal.removeEventListener('abort', abort);
    native.destroy();
    await release(feeding, signal);
  }
}

/** Carries a thrown value that is not an Error through a stream, which can only be destroyed with an Error. */
class Wrapped extends Error {
  readonly thrown: unknown;
  constructor(thrown: unknown) {
    super('not an Error', { cause: thrown });
    this.thrown = thrown;
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Wrapped(thrown);
}

function unwrap(error: unknown): unknown {
  return error instanceof Wrapped ? error.thrown : error;
}
