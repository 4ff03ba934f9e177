import { pipeline } from 'node:stream/promises';
import type { ByteStream } from '../stream/byte-stream.ts';

/** Writes a stream to standard output, and leaves that open. @throws the signal's reason, the stream's errors */
export async function pipeToStdout(stream: ByteStream, signal: AbortSignal): Promise<void> {
  await pipeline(stream, process.stdout, { end: false, signal });
}
