import { OcislimError } from '../errors.ts';

/** The system's name of an error ("ENOENT"), or null for what is no error of the system. */
export function systemCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

const advices: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: make room there, or name a place on another disk.',
  EDQUOT: 'The quota is used up: make room there, or name a place on another disk.',
  EFBIG: 'Files may not become so large there (ulimit -f, or the file system): name another place.',
  EROFS: 'Nothing can be written there: name a place on another disk.',
};

/**
 * A system error as IO in words ("cannot write X: no space left on device"), with what to do about it where that is
 * known; other throwables pass.
 */
export function fileError(doing: string, error: unknown, advice?: string): unknown {
  const code = systemCode(error);
  if (code === null) return error;
  const reason = /^[A-Z0-9]+: ([^,]*)/.exec((error as Error).message)?.[1] ?? code;
  const told = advice ?? advices[code];
  const options = told === undefined ? { cause: error } : { cause: error, advice: told };
  return new OcislimError('IO', `cannot ${doing}: ${reason}`, options);
}
