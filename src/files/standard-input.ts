import { OcislimError } from '../errors.ts';
import type { ByteStream } from '../stream/byte-stream.ts';

let isTaken = false;

/** Reads standard input, which can be done once. @throws USAGE for a terminal and for a second reading, the signal's reason */
export async function* readStandardInput(signal: AbortSignal): ByteStream {
  const { stdin } = process;
  if (stdin.isTTY)
    throw new OcislimError('USAGE', 'standard input is a terminal: pipe an archive into it, or name a file');
  if (isTaken || stdin.readableDidRead)
    throw new OcislimError('USAGE', 'standard input can be read once: name a file for the other archive');
  isTaken = true;
  signal.throwIfAborted();
  const stop = () => void stdin.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop);
  try {
    for await (const chunk of stdin) yield chunk as Buffer;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
