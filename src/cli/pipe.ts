import { once } from 'node:events';
import type { ByteStream } from '../stream/byte-stream.ts';

/** Writes a stream to standard output, and leaves that open. No reader is waited for after an abort. @throws the signal's reason, the stream's errors */
export async function pipeToStdout(stream: ByteStream, signal: AbortSignal): Promise<void> {
  const { stdout } = process;
  try {
    for await (const chunk of stream) {
      signal.throwIfAborted();
      if (!stdout.write(chunk)) await once(stdout, 'drain', { signal });
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
