import { ascii, utf8Bytes } from '../../bytes/bytes.ts';
import { commandNeeds } from '../commands.ts';
import type { ClosureRule } from '../rule.ts';

/** What was asked for with --keep-command. */
export const keepCommand: ClosureRule = {
  name: 'keep-command',
  describe: 'The programs named with --keep-command, and files among their arguments.',
  *roots(context) {
    for (const words of context.keepCommands)
      yield* commandNeeds(words, context, {
        detail: ascii`to run ${utf8Bytes(words.join(' '))}`,
        required: true,
      });
  },
};
