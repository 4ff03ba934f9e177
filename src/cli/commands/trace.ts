import { OcislimError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { common, output, registries } from '../common-options.ts';
import { recording, recordTrace } from './trace-record.ts';
import { makeProfile } from './trace-seccomp.ts';

export const trace: Command = {
  name: 'trace',
  describe: 'record what a program uses of its image; make a seccomp profile of that',
  details:
    'Traces are what "prune --trace" goes by. `record` runs a command below strace, in this container or in a root filesystem that was unpacked from "ocislim export", and writes what it used as a trace file; signals are passed on, and the exit status is that of the command. `seccomp` reads traces of any form and writes a profile in the format of Docker, podman and containerd that allows the system calls in them, with those that the container runtime itself makes before the program runs, and nothing else; what it does not allow fails with EPERM. The traces must hold every system call (`record --all-syscalls`, or "strace -f" without -e), of a run that does all that the program will ever do.',
  positionals: [
    { name: 'action', describe: 'what to do: record or seccomp', required: true },
    { name: 'files..', describe: 'the traces; none for stdin', required: false },
  ],
  options: [
    {
      name: 'output',
      alias: 'o',
      type: 'string',
      value: 'FILE',
      describe: 'write to this file, instead of stdout (record: instead of ocislim.trace)',
      group: 'Result',
    },
    ...recording,
    ...common.filter(({ name }) => name === 'platform'),
    ...output,
    ...registries,
  ],
  examples: [
    ['ocislim trace record -o app.trace -- /app/server', 'in the container of a CI job'],
    ['ocislim trace record --root rootfs --image app:1 --for 60 -- /app/server', 'over an unpacked image'],
    ['ocislim trace seccomp app.strace -o app.seccomp.json', 'a profile for --security-opt seccomp=FILE'],
  ],
  async run(values, console) {
    switch (values['action']) {
      case 'record':
        return recordTrace(values, console);
      case 'seccomp':
        return makeProfile(values, console);
      default:
        throw new OcislimError('USAGE', `unknown action: trace ${String(values['action'])}`, {
          advice: 'Write "ocislim trace record -- COMMAND" or "ocislim trace seccomp FILE…".',
        });
    }
  },
};
