import type { ByteStream } from '../stream/byte-stream.ts';
import type { DecoderOptions } from './formats.ts';

/** Yields the same bytes until the signal aborts. */
export async function* passThrough(stream: ByteStream, signal: AbortSignal): ByteStream {
  signal.throwIfAborted();
  for await (const chunk of stream) {
    yield chunk;
    signal.throwIfAborted();
  }
}

/** Decodes a stream that is not packed. */
export function plainDecoder(stream: ByteStream, { signal }: DecoderOptions): ByteStream {
  return passThrough(stream, signal);
}

/** Waits until a source is released. An aborted source may hang, and its owner ends it: that is not waited for. */
export async function release(released: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) released.catch(() => {});
  else await released;
}
