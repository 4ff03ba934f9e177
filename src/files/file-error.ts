import { OcislimError } from '../errors.ts';

/** Returns the system's name of an error ("ENOENT"); null for an error that the system did not report. */
export function systemCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

const adviceByCode: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: make room there, or name a place on another disk.',
  EDQUOT: 'The quota is used up: make room there, or name a place on another disk.',
  EFBIG: 'Files may not become so large there (ulimit -f, or the file system): name another place.',
  EROFS: 'Nothing can be written there: name a place on another disk.',
  EACCES: 'The permission is missing: change it, run as another user, or name another place.',
  EPERM: 'The permission is missing: change it, run as another user, or name another place.',
  ENOTDIR: 'A part of the path is a file and no folder: name another path.',
  ELOOP: 'Links of the path lead in a circle: name what they were to lead to.',
  ENXIO: 'Nothing takes what is written there: name a file.',
  ENAMETOOLONG: 'Name a shorter path.',
};

/**
 * Turns a system error into IO with a sentence: "cannot write X: no space left on device". Returns other errors as they are.
 * @param doing the verb and its object: "write X"
 * @param advice Default: by the code of the error.
 */
export function fileError(doing: string, error: unknown, advice?: string): unknown {
  const code = systemCode(error);
  if (code === null) return error;
  const reason = /^[A-Z0-9]+: ([^,]*)/.exec((error as Error).message)?.[1] ?? code;
  const told = advice ?? adviceByCode[code];
  const options = told === undefined ? { cause: error } : { cause: error, advice: told };
  return new OcislimError('IO', `cannot ${doing}: ${reason}`, options);
}
