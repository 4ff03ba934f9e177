/**
 * Writes the results of commands that look into images: to standard output, or whole to the file of --output, piece by piece, so that a
 * list of a million paths takes no memory. `history`, `inspect`, `analyze` and others call it.
 */
import { OcislimError } from '../errors.ts';
import { KiB } from '../units.ts';
import type { ByteStream } from '../stream/byte-stream.ts';
import type { Console } from './command.ts';
import { pipeToStdout } from './pipe.ts';

/** Where a result goes. Null or `-`: standard output. */
export interface ResultPlace {
  readonly output: string | null;
}

/** A file that an option names. */
export interface NamedFile {
  readonly option: string;
  readonly file: string;
}

/** Refuses a file that could not be written, before any work. @throws IO, USAGE */
export async function checkResult({ output }: ResultPlace): Promise<void> {
  if (output === null || output === '-') return;
  const { checkReplaceable } = await import('../files/writable.ts');
  await checkReplaceable(output);
}

/**
 * Refuses files that could not be written, or would be written twice or over the archive that is read, before any work begins.
 * @throws USAGE, IO
 */
export async function checkFiles(files: readonly NamedFile[], source: string): Promise<void> {
  if (files.length === 0) return;
  const { checkReplaceable } = await import('../files/writable.ts');
  const { findFile } = await import('../files/found-file.ts');
  const { readSource } = await import('../jobs/read-reference.ts');
  const reference = await readSource(source);
  const taken = new Map<string, string>();
  if ('path' in reference && reference.path !== '-') {
    const found = await findFile(reference.path).catch(() => null);
    if (found?.kind === 'file' && found.identity !== null) taken.set(found.identity, 'the source');
  }
  for (const { option, file } of files) {
    const { identity, path, kind } = await checkReplaceable(file);
    const key = identity ?? (kind === 'absent' ? path : null);
    if (key === null) continue;
    const other = taken.get(key);
    if (other !== undefined)
      throw new OcislimError('USAGE', `${option} ${JSON.stringify(file)} is ${other}: name another file`);
    taken.set(key, `the file of ${option} too`);
  }
}

/** Writes texts or bytes piece by piece, and waits where their reader is slow. @throws IO, the reason of the signal */
export async function writeResult(
  pieces: Iterable<string | Uint8Array>,
  place: ResultPlace,
  { signal }: Pick<Console, 'signal'>,
): Promise<void> {
  await writeStream(inChunks(pieces, signal), place, { signal });
}

/** Writes a stream as `writeResult` writes pieces. A file gets all of it, or nothing under its name. @throws IO, the stream's errors */
export async function writeStream(
  stream: ByteStream,
  { output }: ResultPlace,
  { signal }: Pick<Console, 'signal'>,
): Promise<void> {
  if (output === null || output === '-') {
    await pipeToStdout(stream, signal);
    return;
  }
  const { writeWhole } = await import('../files/whole-file.ts');
  await writeWhole(output, stream, signal);
}

const chunkSize = 64 * KiB;

/** Collects pieces into chunks, and lets the process look around between two. */
async function* inChunks(
  pieces: Iterable<string | Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for (const piece of pieces) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    held.push(bytes);
    size += bytes.length;
    if (size < chunkSize) continue;
    yield Buffer.concat(held);
    [held, size] = [[], 0];
    await new Promise(setImmediate);
    signal.throwIfAborted();
  }
  if (size > 0) yield Buffer.concat(held);
}
