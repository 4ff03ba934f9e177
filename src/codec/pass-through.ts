import type { ByteStream } from '../stream/byte-stream.ts';
import type { DecoderOptions } from './formats.ts';

/** The same bytes, until the signal says stop. */
export async function* passThrough(stream: ByteStream, signal: AbortSignal): ByteStream {
  signal.throwIfAborted();
  for await (const chunk of stream) {
    yield chunk;
    signal.throwIfAborted();
  }
}

/** Decodes what is not packed. */
export function plainDecoder(stream: ByteStream, { signal }: DecoderOptions): ByteStream {
  return passThrough(stream, signal);
}

/** Waits until a source is released; not for one that was aborted, which may hang and is its owner's to end. */
export async function release(released: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) released.catch(() => {});
  else await released;
}
