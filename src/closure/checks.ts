import type { Path } from '../bytes/path.ts';
import { checkCommands } from './checks/commands.ts';
import { checkExecution } from './checks/execution.ts';
import { checkFiles } from './checks/files.ts';
import { checkPlatform } from './checks/platform.ts';
import { checkSymlinks } from './checks/symlinks.ts';
import { checkUser } from './checks/user.ts';
import type { Closure, ClosureInput } from './closure.ts';
import type { Problem } from './problem.ts';

/**
 * Returns the reasons why the result of a pruning might not run; empty where no check finds one. `isGone` tells whether the file at
 * a literal path is not in the result: it knows what rules remove, and which layers stay as they are.
 */
export function checkClosure(
  input: ClosureInput,
  closure: Closure,
  isGone: (path: Path) => boolean,
): readonly Problem[] {
  const check = { input, closure, isGone };
  return [
    ...checkPlatform(check),
    ...checkExecution(check),
    ...closure.problems,
    ...checkCommands(check),
    ...checkFiles(check),
    ...checkUser(check),
    ...checkSymlinks(check),
  ];
}
