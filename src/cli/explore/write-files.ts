/** Writes the files that `explore` is asked for: rules, and contents of the image. The session calls it; an existing file makes a question. */
import { open, rm } from 'node:fs/promises';
import { OcislimError } from '../../errors.ts';
import { writeWhole } from '../../files/whole-file.ts';
import { escapeText } from '../../report/escape.ts';
import { pruneCommand, rulesText } from './rules-file.ts';
import type { Effect, State } from './state.ts';
import type { Event } from './update.ts';

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Writes the marks as rules, unless the file is there already. @throws IO */
export async function writeRules(
  { contents, source, marks }: State,
  effect: Extract<Effect, { readonly kind: 'write-rules' }>,
  signal: AbortSignal,
): Promise<Event> {
  const command = pruneCommand(source, marks, effect.file);
  const lines = [
    'Prune the image with:',
    '',
    `  ${command}`,
    '',
    'The command is printed again when you quit.',
  ];
  if (marks.paths.size === 0) return { kind: 'wrote', file: null, lines };
  const isWritten = await write([Buffer.from(rulesText(contents, marks))], effect, signal);
  return isWritten ? { kind: 'wrote', file: effect.file, lines } : exists(effect);
}

/** Writes the contents of a file of the image, unless the file is there already. @throws IO, what reading the image throws */
export async function extractFile(
  bytes: Bytes,
  effect: Extract<Effect, { readonly kind: 'extract' }>,
  signal: AbortSignal,
): Promise<Event> {
  const isWritten = await write(bytes, effect, signal);
  return isWritten
    ? { kind: 'told', message: `extracted to ${escapeText(effect.file)}; the digest of the layer is right` }
    : exists(effect);
}

function exists(effect: Extract<Effect, { readonly isForced: boolean }>): Event {
  return { kind: 'exists', file: effect.file, effect: { ...effect, isForced: true } };
}

/** Writes a new file, or replaces one where that was said. Returns false for a file that is there already. @throws IO */
async function write(
  bytes: Bytes,
  { file, isForced }: { readonly file: string; readonly isForced: boolean },
  signal: AbortSignal,
): Promise<boolean> {
  if (isForced) {
    await writeWhole(file, bytes, signal);
    return true;
  }
  try {
    await using handle = await open(file, 'wx');
    try {
      for await (const chunk of bytes) await handle.write(chunk);
    } catch (error) {
      // What is not whole, or failed its check, must not stay under the name.
      await rm(file, { force: true });
      throw error;
    }
    return true;
  } catch (error) {
    if (error instanceof OcislimError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new OcislimError('IO', `cannot write ${file}: ${message}`, { cause: error });
  }
}
