import { type ByteString, readByteString, utf8Bytes } from '../../bytes/bytes.ts';
import { type Path, quotePath, rootPath } from '../../bytes/path.ts';
import type { Problem } from '../problem.ts';
import { type Check, fateOf } from './check.ts';

/** Checks that a runtime can find the config's user and group. One that is given as a number needs no file. */
export function* checkUser(check: Check): Generator<Problem> {
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
function findRow(name: ByteString, file: Path, check: Check): string | null {
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
