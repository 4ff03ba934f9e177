import { OcislimError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { common, output, registries } from '../common-options.ts';
import { recording, recordTrace } from './trace-record.ts';

export const trace: Command = {
  name: 'trace',
  describe: 'record what a program uses of an image',
  details:
    'Traces are what "prune --trace" goes by. `record` runs a command below strace, in this container or in a root filesystem that was unpacked from "ocislim export", and writes what it used as a trace file; signals are passed on, and the exit status is that of the command.',
  positionals: [{ name: 'action', describe: 'what to do: record', required: true }],
  options: [
    {
      name: 'output',
      alias: 'o',
      type: 'string',
      value: 'FILE',
      describe: 'the file to write (record: ocislim.trace unless given)',
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
  ],
  async run(values, console) {
    switch (values['action']) {
      case 'record':
        return recordTrace(values, console);
      default:
        throw new OcislimError('USAGE', `unknown action: trace ${String(values['action'])}`, {
          advice: 'Write "ocislim trace record -- COMMAND".',
        });
    }
  },
};
