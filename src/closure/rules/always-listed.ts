import { baseOf, type Path } from '../../bytes/path.ts';
import type { ClosureContext } from '../rule.ts';

/**
 * Directories that an interpreter lists whenever it starts or loads something, whatever the program does. Which of their entries it uses,
 * the trace shows. spec-notes/strace-calls.md has the table.
 */
const always =
  /(?:^|\/)(?:specifications(?:\/default)?|(?:jre\/)?lib\/(?:ext|endorsed)|ebin|erlang\/lib|__pycache__)$/;

/** Names by which a directory is one of Python's modules: the importer lists each on sys.path, and each package. */
const module = /\.(?:py|pyc|pth|dist-info|egg-info)$|^__pycache__$|\.(?:cpython|abi3)[^/]*\.so$/;

/** Returns whether the listing of a directory tells nothing about the program. */
export function isAlwaysListed(directory: Path, { fs }: Pick<ClosureContext, 'fs'>): boolean {
  if (always.test(directory)) return true;
  for (const path of fs.children(directory)) if (module.test(baseOf(path))) return true;
  return false;
}
