import { ascii } from '../../bytes/bytes.ts';
import { baseOf, root } from '../../bytes/path.ts';
import { isForMusl } from '../architecture.ts';
import type { ClosureRule, Need } from '../rule.ts';
import { inLibraryDirectories } from '../libraries/directories.ts';
import { importOf } from './imports.ts';

/** Functions for which the C library unwinds stacks. */
export const unwindFunctions: ReadonlySet<string> = new Set([
  'pthread_exit',
  'pthread_cancel',
  'backtrace',
  'thrd_exit',
]);

/** glibc opens libgcc_s.so.1 when a thread is cancelled, and aborts without it. */
export const gccRuntimeRule: ClosureRule = {
  name: 'gcc-runtime',
  describe:
    'libgcc_s.so.1, which glibc opens at run time to unwind stacks: where a program or library that stays calls pthread_exit, pthread_cancel or backtrace.',
  *follow(path, { facts, fs }): Generator<Need> {
    const elf = facts.elf(path);
    const called = importOf(elf, unwindFunctions);
    if (elf === null || called === null || isForMusl(elf) || /^lib(?:c|pthread)[.-]/.test(baseOf(path)))
      return;
    for (const library of inLibraryDirectories(fs, ascii`libgcc_s.so.1`))
      if (facts.elf(fs.resolve(library).path ?? root)?.machine === elf.machine)
        yield { path: library, detail: ascii`/${path} calls ${called}, for which the C library opens it` };
  },
};
