import { ascii } from '../../bytes/bytes.ts';
import { baseOf } from '../../bytes/path.ts';
import { isForMusl } from '../architecture.ts';
import type { ClosureRule, Need } from '../rule.ts';
import { librariesFor } from '../libraries/directories.ts';
import { importOf } from './imports.ts';

/** The functions for which the C library unwinds stacks. */
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
    'libgcc_s.so.1, if a program or library calls pthread_exit, pthread_cancel or backtrace: glibc opens it at run time to unwind stacks.',
  *follow(path, { facts, fs }): Generator<Need> {
    const elf = facts.elf(path);
    const called = importOf(elf, unwindFunctions);
    if (elf === null || called === null || isForMusl(elf) || /^lib(?:c|pthread)[.-]/.test(baseOf(path)))
      return;
    for (const library of librariesFor(elf, ascii`libgcc_s.so.1`, { fs, facts }))
      yield { path: library, detail: ascii`/${path} calls ${called}, for which the C library opens it` };
  },
};
