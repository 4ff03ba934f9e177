import { type ByteString, readByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { type Path, quotePath, rootPath } from '../../bytes/path.ts';
import type { ClosureInput } from '../closure.ts';
import type { Problem } from '../problem.ts';
import { fateOf, type FilesCheck } from './check.ts';

/** What the check of the user sees. */
type UserCheck = FilesCheck & { readonly input: Pick<ClosureInput, 'fs' | 'facts' | 'runtime'> };

/** Checks that a runtime can find the config's user and group. One that is given as a number needs no file. */
export function* checkUser(check: UserCheck): Generator<Problem> {
  const [user = '', group = ''] = utf8Bytes(check.input.runtime.user).split(':');
  const rows = [
    ['user', user, rootPath`etc/passwd`],
    ['group', group, rootPath`etc/group`],
  ] as const;
  for (const [what, name, file] of rows) {
    if (name === '' || /^\d+$/.test(name)) continue;
    const trouble = findRow(name, file, check);
    if (trouble !== null)
      yield { kind: 'user', path: file, sentence: `the config’s ${what} ${quotePath(name)} ${trouble}` };
  }
}

/** Returns why a runtime would not find the row of a name; null where it would. */
function findRow(name: ByteString, file: Path, check: UserCheck): string | null {
  const fate = fateOf(file, check);
  if (fate === 'absent') return `cannot be found: the image has no ${file}`;
  if (fate === 'gone') return `could not be found: ${file} would be gone`;
  const { path } = check.input.fs.resolve(file);
  const contents = path === null ? null : check.input.facts.contents(path);
  // The contents of a very large file are not known. That it stays is all that a pruning can do.
  if (contents === null) return null;
  const has = `\n${readByteString(contents)}`.includes(`\n${name}:`);
  return has ? null : `is not in ${file}`;
}
