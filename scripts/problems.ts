import type { Problem } from '../src/closure/problem.ts';

/**
 * The meaning of each reason to refuse a pruning by trace, for docs/closure.md. A reason without a line is a
 * compile error.
 */
export const problemPages: Readonly<Record<Problem['kind'], string>> = {
  missing: 'Something that a rule requires is not in the image.',
  entrypoint:
    'The entrypoint or command is no program of the image, or it, or a file that it names, would be gone.',
  interpreter:
    'The loader of a needed program, or the interpreter of a needed script, would be gone or is not there.',
  library:
    'A library that a needed program names would be gone; or it is nowhere, though the program was executed.',
  user: 'The user or group of the config is not in `/etc/passwd` or `/etc/group` of the result.',
  symlink: 'A symlink that stays and led somewhere would lead nowhere.',
  platform:
    'The trace says that it is of another platform, or it used the loader or libraries of another one.',
  'other-image': 'The trace is of another image, and executed programs that this one does not have.',
  'no-exec':
    'The trace tells executions, and has none of the entrypoint that succeeded; or it does not name the entrypoint.',
};
