/** The options of `slim` that record the image, try the result, and write what was learned. */
import { OcislimError } from '../../errors.ts';
import { parseCommand } from '../command-words.ts';
import { flag, parsed, text, wholeNumber, type Option } from '../option.ts';
import { probing } from './probing.ts';
import { running } from './running.ts';

const group = 'Recording';

const repair: Option<number> = {
  type: 'number',
  value: 'N',
  default: 0,
  describe: 'record: put back what the pruned image lacked and try again, up to N times',
  group,
  read: (given, where) => wholeNumber(0, given, where),
};

export const recording = {
  record: flag({
    describe: 'run the image, prune what it did not use, run the result, then publish',
    details:
      'The image of one platform runs twice in a sandbox, below strace, and is asked what --http-probe and the like say. What it did not use is pruned, and the result must answer the same questions in the same way: else nothing is published, and the exit status is 3. docs/slim-record.md has the details.',
    group,
  }),
  repair,
  runCommand: parsed(commandOf, {
    value: 'WORDS',
    describe: 'record: run this in place of the command of the image',
    details: 'The words after `--` say the same.',
    group,
  }),
  platformsAlike: flag({
    describe: 'record: prune other platforms by the same paths, without trying them',
    group,
  }),
  saveTrace: text({ value: 'FILE', describe: 'record: write what the image used as a trace', group }),
  seccomp: text({
    value: 'FILE',
    describe: 'record: write a seccomp profile, and try the result under it',
    group,
  }),
  apparmor: text({ value: 'FILE', describe: 'record: write an AppArmor profile', group }),
  creport: text({
    value: 'FILE',
    describe: 'record: write the report in the form of SlimToolkit (creport.json)',
    group,
  }),
  ...running,
  ...probing,
};

/** Splits a command into words. @throws USAGE naming the option */
function commandOf(given: string, where: string): readonly string[] {
  try {
    return parseCommand(given);
  } catch (cause) {
    throw new OcislimError('USAGE', `${where}: ${(cause as Error).message}`, { cause });
  }
}
