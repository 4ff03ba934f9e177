import type { ByteStream } from './byte-stream.ts';

/** Remembers the error that a stream ends with. */
export async function* noting(stream: ByteStream, reading: { error: unknown }): ByteStream {
  try {
    yield* stream;
  } catch (error) {
    reading.error = error;
    throw error;
  }
}
