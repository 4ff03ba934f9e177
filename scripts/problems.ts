import type { Problem } from '../src/closure/problem.ts';

/** The meaning of each reason to refuse a pruning by trace, for docs/closure.md. A reason without a line does not compile. */
export const problemPages: Readonly<Record<Problem['kind'], string>> = {
  missing: 'Something that a rule requires is not in the image.',
  entrypoint:
    'The entrypoint or command is not a program in the image; or its program, or a file that it names, would be gone.',
  interpreter:
    'The loader of a needed program, or the interpreter of a needed script, would be gone. For one that was executed: the image does not have it.',
  library:
    'A library that a needed file names would be gone. For one that was executed: the image does not have it.',
  user: 'The user or group of the config is not in `/etc/passwd` or `/etc/group` of the result.',
  symlink: 'A symlink that stays would lose its target.',
  platform: 'The trace names another platform, or it used a loader or libraries of another one.',
  'other-image': 'The trace names another image, and executed programs that this one does not have.',
  'no-exec':
    'The trace shows no successful execution of the entrypoint; or, in a format without executions, no use of it.',
  'failed-run':
    'A recorded command failed: it exited with another status than 0, or a signal ended it that neither `--for` nor a person had sent.',
};
