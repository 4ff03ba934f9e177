/** Tells the exit statuses of commands, for their pages and manual pages. */
import type { Command } from '../src/cli/command.ts';
import { listOptions } from '../src/settings/option.ts';

/** Lists the exit statuses of a command, each with its meaning. */
export function exitStatuses({ name, options: table }: Command): string[][] {
  const options = listOptions(table);
  const has = (wanted: string) => options.some((option) => option.name === wanted);
  const check = has('verify-with') ? ', or the command of `--verify-with` failed' : '';
  const trial = has('record')
    ? ', or with `--record` the image or its pruned form did not do what is expected'
    : '';
  const gate =
    name === 'verify'
      ? [['3', 'the images differ']]
      : has('exit-code')
        ? [['3', 'the images differ, with `--exit-code`']]
        : name === 'check'
          ? [['3', 'a gate that must be met is not']]
          : ['squash', 'prune', 'recompress', 'slim', 'copy'].includes(name)
            ? [['3', `\`--require-savings\` was not met${check}${trial}; nothing was published`]]
            : [];
  return [
    ['0', 'done, or nothing to do'],
    ['1', 'failed; nothing was published'],
    ['2', 'the command line, a reference, a rule file or a plan cannot be understood'],
    ...gate,
    ...(has('digestfile')
      ? [['5', 'published, but something after that failed: a report, the debug image, standard output']]
      : []),
    ['130, 143', 'interrupted; nothing was published'],
  ];
}
