import { ascii, utf8Bytes } from '../../bytes/bytes.ts';
import { commandNeeds } from '../commands.ts';
import type { ClosureRule } from '../rule.ts';

/** Keeps the commands of `--keep-command`. A program that the image does not have is a problem. */
export const keepCommandRule: ClosureRule = {
  name: 'keep-command',
  describe: 'The programs of `--keep-command`, with the files among their arguments.',
  *roots(context) {
    for (const words of context.keepCommands)
      yield* commandNeeds(words, context, {
        detail: ascii`to run ${utf8Bytes(words.join(' '))}`,
        required: true,
      });
  },
};
