import { restoreOptions } from '../../settings/tables/commands.ts';
import { type Command, defineCommand, destination } from '../command.ts';
import { checkDestination, runRewriting } from '../rewriting.ts';

export const restore: Command = defineCommand({
  name: 'restore',
  describe: 'put pruned paths back from the original, as one small layer on top',
  details:
    'Compares a pruned image with the image that it was made from, by the headers of all their layers, and adds one layer with what is missing (or has lost permission bits): everything, or what --path matches. The layers that are there stay. The pruned image names its original in annotations of its manifest (io.ocislim.original.digest and .name); --original says where else it is. A hard-linked file comes back under all its names, and a path with the directories that it lies in. Once nothing is missing any more, the annotations go, and "ocislim verify ORIGINAL RESULT" finds no difference. Where nothing is to restore, the result is the image as it is.',
  positionals: [{ name: 'src', describe: 'the pruned image', required: true }, destination],
  options: restoreOptions,
  examples: [
    ['ocislim restore localhost:5000/app:1-slim localhost:5000/app:1-again', 'everything'],
    [
      'ocislim restore localhost:5000/app:1-slim -t localhost:5000/app:1-debug --path bin/sh --path "usr/share/zoneinfo/**"',
      'a shell and the time zones',
    ],
    ['ocislim restore oci:app:slim --dry-run --original localhost:5000/app:1', 'show what is missing'],
  ],
  check: checkDestination,
  async run(call) {
    const { restore: command } = await import('../../commands/index.ts');
    return runRewriting(command, call);
  },
});
