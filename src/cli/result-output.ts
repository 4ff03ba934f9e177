/** Writes the result of a command that looks into an image: to standard output, or whole to the file of --output. */
import type { Console } from './command.ts';
import { pipeToStdout } from './pipe.ts';

/** Where a result goes. Null or `-`: standard output. */
export interface ResultPlace {
  readonly output: string | null;
}

/** Refuses a file that could not be written, before any work. @throws IO, USAGE */
export async function checkResult({ output }: ResultPlace): Promise<void> {
  if (output === null || output === '-') return;
  const { checkReplaceable } = await import('../files/writable.ts');
  await checkReplaceable(output);
}

/** Writes texts or bytes piece by piece, and waits where their reader is slow. @throws IO */
export async function writeResult(
  pieces: Iterable<string | Uint8Array>,
  { output }: ResultPlace,
  { signal }: Console,
): Promise<void> {
  const stream = bytesOf(pieces);
  if (output === null || output === '-') {
    await pipeToStdout(stream, signal);
    return;
  }
  const { writeWhole } = await import('../files/whole-file.ts');
  await writeWhole(output, stream, signal);
}

async function* bytesOf(pieces: Iterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
}
