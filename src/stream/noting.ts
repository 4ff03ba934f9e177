import type { ByteStream } from './byte-stream.ts';

/**
 * Passes a stream through, and sets `reading.error` when it fails. So a caller that writes the stream elsewhere can tell the
 * reader's errors from the writer's.
 */
export async function* noting(stream: ByteStream, reading: { error: unknown }): ByteStream {
  try {
    yield* stream;
  } catch (error) {
    reading.error = error;
    throw error;
  }
}
