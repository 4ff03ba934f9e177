import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isatty } from 'node:tty';
import { fileError } from './file-error.ts';
import type { FoundFile } from './found-file.ts';

/** Returns whether what is written to a file shows on a terminal, whatever the name of the device. @throws IO */
export async function isTerminal({ path, kind }: FoundFile): Promise<boolean> {
  if (kind !== 'device') return false;
  try {
    // A terminal that is opened by name must not become that of the process, nor wait for a line.
    await using handle = await open(path, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
    return isatty(handle.fd);
  } catch (error) {
    throw fileError(`write ${path}`, error);
  }
}
