/** Streams around the bytes of a layer, which pass them on unchanged. */
import { at, OcislimError } from '../../errors.ts';
import type { ByteStream } from '../../stream/byte-stream.ts';

/** Puts the place before the message of an error that does not have it yet: an error may pass several streams. */
export function locate(where: string, error: unknown): unknown {
  return error instanceof OcislimError && error.message.startsWith(where) ? error : at(where, error);
}

/** Puts the place before the messages of errors that end a stream. */
export async function* located(stream: ByteStream, where: string): ByteStream {
  try {
    yield* stream;
  } catch (error) {
    throw locate(where, error);
  }
}

/** Tells how many bytes pass. */
export async function* counted(stream: ByteStream, onUnpacked: (count: number) => void): ByteStream {
  for await (const chunk of stream) {
    onUnpacked(chunk.length);
    yield chunk;
  }
}
