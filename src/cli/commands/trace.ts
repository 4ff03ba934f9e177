import { OcislimError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { common, output, pruning, registries, work } from '../common-options.ts';
import type { Option } from '../option.ts';
import { mergeFiles } from './trace-merge.ts';
import { makeProfile } from './trace-seccomp.ts';
import { showing, showTrace } from './trace-show.ts';

const options: readonly Option[] = [
  {
    name: 'output',
    alias: 'o',
    type: 'string',
    value: 'FILE',
    describe: 'merge, seccomp: write to a file instead of stdout',
    group: 'Result',
  },
  ...pruning.filter(({ name }) => name === 'trace-root'),
  ...showing,
  ...common.filter(({ name }) => name === 'platform' || name === 'format'),
];

export const trace: Command = {
  name: 'trace',
  describe: 'look at traces, merge them, make a seccomp profile of one',
  details:
    'Reads traces of any form (docs/traces.md says which, and how to record one). `merge` writes what they saw as one trace file, which is small, sorted, and read by every command that takes traces; traces of different platforms or images are refused. `show` says what they saw: by use, by directory, what was executed, and what could not be read; with --image by package too. `seccomp` writes a profile in the format of Docker, podman and containerd that allows the system calls in them, with those that the container runtime itself makes before the program runs, and nothing else. For it the traces must hold every system call: record them by "strace -f", without -e, in a run that does all that the program will ever do. What a profile does not allow fails with EPERM.',
  positionals: [
    { name: 'action', describe: 'what to do: merge, show, seccomp', required: true },
    { name: 'files..', describe: 'the traces, - for stdin; none for stdin', required: false },
  ],
  options: [...options, ...output, ...registries, ...work],
  examples: [
    ['ocislim trace merge start.strace load.strace -o app.trace', 'two traces as one'],
    ['ocislim trace show app.trace', 'what it saw'],
    ['ocislim trace show app.trace --image localhost:5000/app:1', 'also by package'],
    ['ocislim trace seccomp app.strace -o app.seccomp.json', 'a profile for --security-opt seccomp=FILE'],
  ],
  async run(values, console) {
    switch (values['action']) {
      case 'merge':
        return mergeFiles(values, console);
      case 'show':
        return showTrace(values, console);
      case 'seccomp':
        return makeProfile(values, console);
      default:
        throw new OcislimError('USAGE', `unknown action: trace ${String(values['action'])}`, {
          advice: 'Write "ocislim trace merge FILE…", "trace show FILE…" or "trace seccomp FILE…".',
        });
    }
  },
};
