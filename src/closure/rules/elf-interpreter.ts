import { ascii } from '../../bytes/bytes.ts';
import type { ClosureRule } from '../rule.ts';

/** The kernel opens the loader itself (execve(2)), so that no trace of system calls shows it. */
export const elfInterpreterRule: ClosureRule = {
  name: 'elf-interpreter',
  describe: 'The dynamic loader that an ELF file names (PT_INTERP).',
  *follow(path, { facts }) {
    const interpreter = facts.elf(path)?.interpreter ?? null;
    if (interpreter !== null) yield { path: interpreter, detail: ascii`the dynamic loader` };
  },
};
