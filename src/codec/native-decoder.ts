import type { Gunzip, ZstdDecompress } from 'node:zlib';
import type { ByteStream } from '../stream/byte-stream.ts';
import { release } from './pass-through.ts';
import { KiB } from '../units.ts';

/** Bytes of unpacked chunks. Each costs a hop to the thread pool and back; Node's own 16 KiB halve the speed. */
export const decodedChunk = 256 * KiB;

/** The options that let a decoder work ahead of both its ends while the main thread is busy. */
export const decoderBuffers = {
  chunkSize: decodedChunk,
  readableHighWaterMark: 4 * decodedChunk,
  writableHighWaterMark: 4 * decodedChunk,
};

/**
 * Runs the bytes of `source` through one native decoder and destroys it, whatever happens. Errors of the source, of the
 * decoder and of the signal are thrown as they are; `leftover` is called when the decoder stopped before the last
 * byte, which Node keeps silent about (zeros after a gzip member), and must throw.
 */
export async function* runDecoder(
  native: Gunzip | ZstdDecompress,
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

/** A stream can only be destroyed with an Error, while anything may be thrown: it travels in this. */
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
