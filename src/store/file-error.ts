import { OcislimError } from '../errors.ts';

/** The system's name of an error ("ENOENT"), or null for what is no error of the system. */
export function systemCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** A system error as IO in words ("cannot write X: no space left on device"); other throwables pass. */
export function fileError(doing: string, error: unknown): unknown {
  const code = systemCode(error);
  if (code === null) return error;
  const reason = /^[A-Z0-9]+: ([^,]*)/.exec((error as Error).message)?.[1] ?? code;
  return new OcislimError('IO', `cannot ${doing}: ${reason}`, { cause: error });
}
