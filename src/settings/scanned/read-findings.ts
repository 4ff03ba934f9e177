/** Reads the files that --findings names: what a scanner found in the source. The forms are loaded only where a file is given. */
import type { ScannedFile } from '../../analyze/scanned/scanned.ts';
import { OcislimError } from '../../errors.ts';
import type { Door } from '../option.ts';
import { quoted, readText } from '../rule-files.ts';

/** Reads findings, file by file. @throws USAGE for a file of another form, LIMIT */
export async function readFindings(
  files: readonly string[],
  _where: string,
  { limits, signal }: Pick<Door, 'limits' | 'signal'>,
): Promise<readonly ScannedFile[]> {
  const read: ScannedFile[] = [];
  for (const file of files) {
    const text = await readText(file, { what: 'file of findings', limit: 'findings-bytes', limits }, signal);
    read.push({ file, ...(await parseFindings(text, quoted(file, 'file of findings'))) });
  }
  return read;
}

/** Parses the output of a scanner. `what` names it in the error. @throws USAGE */
export async function parseFindings(text: string, what: string): Promise<Omit<ScannedFile, 'file'>> {
  const { findingsOf } = await import('./findings-of.ts');
  let found: Omit<ScannedFile, 'file'> | null = null;
  let cause: unknown = null;
  try {
    found = findingsOf(JSON.parse(text.replace(/^\uFEFF/, '')));
  } catch (error) {
    cause = error;
  }
  if (found !== null) return found;
  throw new OcislimError(
    'USAGE',
    cause instanceof SyntaxError
      ? `${what} is not JSON`
      : `${what} is neither of Trivy nor of Grype, and not SARIF`,
    {
      advice: 'Write one with "trivy image --format json -o FILE IMAGE" or "grype IMAGE -o json=FILE".',
      ...(cause === null ? {} : { cause }),
    },
  );
}
